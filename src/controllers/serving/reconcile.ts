/**
 * Keeps the webhook's own certificate: made when there is none, renewed in good time, and trusted by the API server
 * before it is served. Every replica does all of it; whoever writes second finds a conflict and looks again.
 */

import { WEBHOOK_NAME, WEBHOOK_SECRET_NAME } from '../../api/group.ts';
import type { SelfSigned } from '../../crypto/self-signed.ts';
import { createServingCertificate, readTrusted } from '../../crypto/serving-certificate.ts';
import type { ServedCertificate, ServingFacts } from '../../domain/serving/facts.ts';
import { planServing, type ServingStep } from '../../domain/serving/plan.ts';
import type { Cache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Outcome, Reconcile } from '../../kube/controller.ts';
import { SECRET } from '../../kube/core-types.ts';
import type { FencedWriter } from '../../kube/fenced-writer.ts';
import { keyOf } from '../../kube/object.ts';
import type { Log } from '../../observe/log.ts';
import type { Secret } from '../identity/secret.ts';
import type { ServingBook } from './serving-book.ts';
import {
  type ServingContent,
  type ServingRecord,
  servingRecord,
  servingSecret,
  trustBundle,
} from './serving-record.ts';
import type { WebhookTrust } from './webhook-trust.ts';

/** What the reconciler is made of. */
export interface ServingPorts {
  /** Of the one Secret. */
  readonly secrets: Cache<ServingRecord, Secret>;
  readonly trust: WebhookTrust;
  readonly book: ServingBook;
  readonly client: KubeClient;
  readonly writer: FencedWriter;
  /** The operator's own. */
  readonly namespace: string;
  /** See `servingNames`. */
  readonly names: readonly string[];
  readonly lifeMs: number;
  readonly graceMs: number;
  readonly nowMs: () => number;
}

const NOTHING: ServingFacts = { current: undefined, next: undefined, trusted: [] };
/** Whatever was planned, it is looked at again this soon. */
const LOOK_AGAIN_MS = 3_600_000;

/** There is one certificate, so there is one key, whatever it is called. Idempotent. */
export function servingReconciler(ports: ServingPorts): Reconcile {
  const { secrets, trust, book, names, lifeMs, graceMs, namespace } = ports;
  const key = keyOf({ namespace, name: WEBHOOK_SECRET_NAME });
  return async (_key, { signal, log }): Promise<Outcome> => {
    const found = secrets.get(key);
    book.take(found);
    const nowMs = ports.nowMs();
    const plan = (): ServingStep => {
      const facts = found?.facts ?? NOTHING;
      const trustedForMs = book.trustedForMs(found, trust.isExactly(trustBundle(facts.trusted)));
      return planServing({ facts, names, nowMs, lifeMs, graceMs, trustedForMs, served: book.served });
    };
    let step = plan();
    if (step.kind === 'promote') {
      await trust.refresh(signal);
      step = plan();
    }
    if (step.kind !== 'keep') {
      await write(ports, { step, found, signal, log });
      return { kind: 'recheck', atMs: nowMs };
    }
    const retryInMs = await extendTrust(ports, found, signal);
    const untilMs = retryInMs === undefined ? step.untilMs : nowMs + retryInMs;
    return { kind: 'recheck', atMs: Math.min(untilMs, nowMs + LOOK_AGAIN_MS) };
  };
}

/**
 * Makes the API server trust what the Secret says; see `WebhookTrust.extendTo`. The Secret is read anew before: what
 * another replica has just written there and into the configurations must not be taken back.
 */
async function extendTrust(
  { secrets, client, trust }: ServingPorts,
  found: ServingRecord | undefined,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (found === undefined) return undefined;
  const bundlePem = trustBundle(found.facts.trusted);
  if (trust.isExactly(bundlePem)) return undefined;
  const current = await client.find<Secret>(SECRET, found.metadata, { signal });
  if (current === undefined) secrets.observeDeleted(found.metadata);
  else if (current.metadata.resourceVersion === found.metadata.resourceVersion)
    return trust.extendTo(bundlePem, signal);
  else secrets.observe(current);
  return 0;
}

interface Write {
  readonly step: Exclude<ServingStep, { kind: 'keep' }>;
  readonly found: ServingRecord | undefined;
  readonly signal: AbortSignal;
  readonly log: Log;
}

async function write(ports: ServingPorts, { step, found, signal, log }: Write): Promise<void> {
  const { writer, secrets, book, namespace } = ports;
  const desired = servingSecret(namespace, contentAfter(ports, step, found));
  const written = await writeSecret(writer, { desired, found, signal });
  secrets.observe(written);
  const record = servingRecord(written);
  book.take(record);
  const { current } = record.facts;
  const notAfter = current === undefined ? undefined : new Date(current.notAfterMs).toISOString();
  log.info({ step: step.kind, fingerprint: current?.fingerprint, notAfter }, 'serving certificate written');
}

function writeSecret(
  writer: FencedWriter,
  {
    desired,
    found,
    signal,
  }: { readonly desired: Secret; readonly found: ServingRecord | undefined; readonly signal: AbortSignal },
): Promise<Secret> {
  if (found === undefined) return writer.create(SECRET, desired, { signal });
  const replacement = { desired, observed: found.metadata };
  return found.mustRecreate
    ? writer.recreate(SECRET, replacement, { signal })
    : writer.replace(SECRET, replacement, { signal });
}

function contentAfter(
  ports: ServingPorts,
  { kind, trusted }: Write['step'],
  found: ServingRecord | undefined,
): ServingContent {
  if (kind === 'replace') {
    const current = newPair(ports);
    return { current, next: undefined, trusted: [...trusted, ...certificatesOf(current)] };
  }
  const { current, next } = found ?? {};
  if (kind === 'promote' && next !== undefined) return { current: next, next: undefined, trusted };
  if (current === undefined) throw new TypeError(`there is no pair to ${kind}`);
  if (kind === 'tidy') return { current, next, trusted };
  const staged = newPair(ports);
  return { current, next: staged, trusted: [...trusted, ...certificatesOf(staged)] };
}

function newPair({ names, lifeMs, nowMs }: ServingPorts): SelfSigned {
  return createServingCertificate({ commonName: WEBHOOK_NAME, dnsNames: names, nowMs: nowMs(), lifeMs });
}

function certificatesOf({ certificatePem }: SelfSigned): readonly ServedCertificate[] {
  return readTrusted(Buffer.from(certificatePem));
}
