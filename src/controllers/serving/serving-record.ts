/**
 * The Secret with the webhook's certificate: `tls.crt` and `tls.key` are served, `next.crt` and `next.key` will be, and
 * `ca.crt` is what the API server is to trust.
 */

import { LABEL_MANAGED, WEBHOOK_SECRET_NAME } from '../../api/group.ts';
import type { SelfSigned } from '../../crypto/self-signed.ts';
import { readServingPair, readTrusted } from '../../crypto/serving-certificate.ts';
import type { ServedCertificate, ServingFacts } from '../../domain/serving/facts.ts';
import { bundleOrder } from '../../domain/serving/plan.ts';
import { withoutCopy } from '../../kube/carry-over.ts';
import { keptMetadata, type ObjectMeta } from '../../kube/object.ts';
import type { Secret } from '../identity/secret.ts';

const SECRET_TYPE = 'kubernetes.io/tls';

/** What is kept of the Secret. Keys stay in memory: they are served. */
export interface ServingRecord {
  readonly metadata: ObjectMeta;
  /** It cannot be written over, only replaced: wrong type, or immutable. */
  readonly mustRecreate: boolean;
  readonly facts: ServingFacts;
  /** Undefined exactly when `facts.current` is. */
  readonly current: SelfSigned | undefined;
  /** Undefined exactly when `facts.next` is. */
  readonly next: SelfSigned | undefined;
}

/** What the Secret is to hold. */
export interface ServingContent {
  readonly current: SelfSigned;
  readonly next: SelfSigned | undefined;
  readonly trusted: readonly ServedCertificate[];
}

/** Projects the Secret; whatever is in it, nothing throws. */
export function servingRecord({ metadata, type, immutable, data = {} }: Secret): ServingRecord {
  const text = (key: string): Buffer => Buffer.from(data[key] ?? '', 'base64');
  const current = pairOf(text('tls.crt'), text('tls.key'));
  const next = pairOf(text('next.crt'), text('next.key'));
  return {
    metadata: withoutCopy(keptMetadata(metadata)),
    mustRecreate: immutable === true || type !== SECRET_TYPE,
    facts: { current: current?.facts, next: next?.facts, trusted: readTrusted(text('ca.crt')) },
    current: current?.pair,
    next: next?.pair,
  };
}

/** The Secret with this content. */
export function servingSecret(namespace: string, { current, next, trusted }: ServingContent): Secret {
  const staged =
    next === undefined ? {} : { 'next.crt': next.certificatePem, 'next.key': next.privateKeyPem };
  const data = {
    'tls.crt': current.certificatePem,
    'tls.key': current.privateKeyPem,
    'ca.crt': trustBundle(trusted),
    ...staged,
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: WEBHOOK_SECRET_NAME, namespace, labels: { [LABEL_MANAGED]: 'true' } },
    type: SECRET_TYPE,
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  };
}

/** What a webhook's `caBundle` is to hold, PEM. */
export function trustBundle(trusted: readonly ServedCertificate[]): string {
  return bundleOrder(trusted)
    .map(({ certificatePem }) => certificatePem)
    .join('');
}

function pairOf(
  certificatePem: Buffer,
  privateKeyPem: Buffer,
): { readonly facts: ServedCertificate; readonly pair: SelfSigned } | undefined {
  const facts = readServingPair(certificatePem, privateKeyPem);
  if (facts === undefined) return undefined;
  const pair = { certificatePem: facts.certificatePem, privateKeyPem: privateKeyPem.toString('latin1') };
  return { facts, pair };
}
