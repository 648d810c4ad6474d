/**
 * The authority's Secret: `<generation>.crt` and `<generation>.key` for each generation.
 *
 * Generations sort by their notBefore: the oldest signs, all are trusted.
 */

import { createHash } from 'node:crypto';
import { AUTHORITY_SECRET_NAME, AUTHORITY_SECRET_TYPE, LABEL_MANAGED } from '../../api/group.ts';
import type { CreatedAuthority } from '../../crypto/authority.ts';
import { type Authority, readAuthority } from '../../crypto/authority-reader.ts';
import { LeafSigner } from '../../crypto/leaf.ts';
import { encodePem } from '../../crypto/pem.ts';
import type { AuthorityFacts } from '../../domain/certificate/plan.ts';
import { withoutCopy } from '../../kube/carry-over.ts';
import { keptMetadata, type ObjectMeta } from '../../kube/object.ts';
import type { Secret } from '../identity/secret.ts';
import type { ReadyAuthority } from './authority-state.ts';

/** What is kept of the Secret. Key objects stay in memory: they sign. */
export interface AuthorityRecord {
  readonly metadata: ObjectMeta;
  /** It cannot be written over, only replaced: wrong type, or immutable. */
  readonly mustRecreate: boolean;
  /** Sorted; empty when `problem` says why. */
  readonly generations: readonly Authority[];
  /** A sentence without full stop; undefined when every generation is good. */
  readonly problem: string | undefined;
}

const CERTIFICATE_SUFFIX = '.crt';
const KEY_SUFFIX = '.key';
const MAX_GENERATIONS = 8;

/** Projects the Secret. One bad generation makes all of it a problem: what is signed must not depend on luck. */
export function authorityRecord({ metadata, type, immutable, data = {} }: Secret): AuthorityRecord {
  const mustRecreate = immutable === true || type !== AUTHORITY_SECRET_TYPE;
  const base = { metadata: withoutCopy(keptMetadata(metadata)), mustRecreate };
  const broken = (problem: string): AuthorityRecord => ({ ...base, generations: [], problem });
  if (type !== AUTHORITY_SECRET_TYPE) return broken(`it is not of type ${AUTHORITY_SECRET_TYPE}`);
  const ids = Object.keys(data)
    .filter((key) => key.endsWith(CERTIFICATE_SUFFIX))
    .map((key) => key.slice(0, -CERTIFICATE_SUFFIX.length));
  if (ids.length === 0) return broken('it holds no generation');
  if (ids.length > MAX_GENERATIONS) return broken(`it holds more than ${MAX_GENERATIONS} generations`);
  const generations: Authority[] = [];
  for (const id of ids) {
    const read = readAuthority({
      certificatePem: Buffer.from(data[id + CERTIFICATE_SUFFIX] ?? '', 'base64'),
      privateKeyPem: Buffer.from(data[id + KEY_SUFFIX] ?? '', 'base64'),
    });
    if (read.kind === 'refuse') return broken(`generation ${id} cannot be used: ${read.message}`);
    generations.push(read.authority);
  }
  generations.sort((left, right) => left.notBeforeMs - right.notBeforeMs || (left.id < right.id ? -1 : 1));
  return { ...base, generations, problem: undefined };
}

/** The Secret with these generations. */
export function authoritySecret(namespace: string, generations: readonly Authority[]): Secret {
  return secretOf(
    namespace,
    generations.map((authority) => [
      authority.id,
      encodePem('CERTIFICATE', authority.certificate.raw),
      authority.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ]),
  );
}

/** The Secret with one new generation. */
export function newAuthoritySecret(namespace: string, created: CreatedAuthority): Secret {
  return secretOf(namespace, [[created.id, created.certificatePem, created.privateKeyPem]]);
}

/** Whether two sets of generations are the same, byte for byte of their certificates. */
export function isSameAuthority(left: readonly Authority[], right: readonly Authority[]): boolean {
  return (
    left.length === right.length &&
    left.every((authority, at) => right[at]?.certificate.raw.equals(authority.certificate.raw) === true)
  );
}

/** What the controllers need; undefined without a generation. */
export function readyAuthority(generations: readonly Authority[]): ReadyAuthority | undefined {
  const [signing] = generations;
  if (signing === undefined) return undefined;
  const bundlePem = generations.map(({ certificate }) => encodePem('CERTIFICATE', certificate.raw)).join('');
  return {
    kind: 'ready',
    signing: factsOf(signing),
    signer: new LeafSigner(signing),
    trusted: generations.map(factsOf),
    bundlePem,
    bundleSha256: createHash('sha256').update(bundlePem).digest('hex'),
  };
}

function factsOf({ id, notBeforeMs, notAfterMs }: Authority): AuthorityFacts {
  return { id, notBeforeMs, notAfterMs, retiring: undefined };
}

function secretOf(namespace: string, generations: readonly (readonly [string, string, string])[]): Secret {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: AUTHORITY_SECRET_NAME, namespace, labels: { [LABEL_MANAGED]: 'true' } },
    type: AUTHORITY_SECRET_TYPE,
    data: Object.fromEntries(
      generations.flatMap(([id, certificatePem, privateKeyPem]) => [
        [id + CERTIFICATE_SUFFIX, base64(certificatePem)],
        [id + KEY_SUFFIX, base64(privateKeyPem)],
      ]),
    ),
  };
}
