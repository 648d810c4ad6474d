/**
 * The authority's Secret: `<generation>.crt`, which holds everything up to its root, and `<generation>.key` for each
 * generation, whatever its phase.
 */

import { createHash } from 'node:crypto';
import { AUTHORITY_SECRET_NAME, AUTHORITY_SECRET_TYPE, LABEL_MANAGED } from '../../api/group.ts';
import type { Authority } from '../../crypto/authority-reader.ts';
import { readGeneration } from '../../crypto/generation.ts';
import { LeafSigner } from '../../crypto/leaf.ts';
import { encodePem } from '../../crypto/pem.ts';
import type { GenerationState } from '../../domain/authority/facts.ts';
import { inOrder } from '../../domain/authority/states.ts';
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
  /** Oldest first; empty when `problem` says why. */
  readonly generations: readonly Authority[];
  /** A sentence without full stop; undefined when every generation is good. */
  readonly problem: string | undefined;
  /** Of all data, lower-case hexadecimal: it tells whether one octet is another, also where nobody reads it. */
  readonly dataSha256: string;
}

/** How the generations are used. */
export interface AuthorityUse {
  readonly states: readonly GenerationState[];
  /** See `AuthoritySettings`. */
  readonly acceleration: number;
  readonly reissuePerSecond: number;
}

const CERTIFICATE_SUFFIX = '.crt';
const KEY_SUFFIX = '.key';
/** More than the plan makes of its own accord: what was made because nothing else could sign must be read by the next leader too. */
const MAX_GENERATIONS = 8;

/** Projects the Secret. One bad generation makes all of it a problem: what is signed must not depend on luck. */
export function authorityRecord({ metadata, type, immutable, data = {} }: Secret): AuthorityRecord {
  const mustRecreate = immutable === true || type !== AUTHORITY_SECRET_TYPE;
  const base = { metadata: withoutCopy(keptMetadata(metadata)), mustRecreate, dataSha256: digestOf(data) };
  const broken = (problem: string): AuthorityRecord => ({ ...base, generations: [], problem });
  if (type !== AUTHORITY_SECRET_TYPE) return broken(`it is not of type ${AUTHORITY_SECRET_TYPE}`);
  const ids = Object.keys(data)
    .filter((key) => key.endsWith(CERTIFICATE_SUFFIX))
    .map((key) => key.slice(0, -CERTIFICATE_SUFFIX.length));
  if (ids.length === 0) return broken('it holds no generation');
  if (ids.length > MAX_GENERATIONS) return broken(`it holds more than ${MAX_GENERATIONS} generations`);
  const generations: Authority[] = [];
  for (const id of ids) {
    const read = readGeneration({
      certificatePem: Buffer.from(data[id + CERTIFICATE_SUFFIX] ?? '', 'base64'),
      privateKeyPem: Buffer.from(data[id + KEY_SUFFIX] ?? '', 'base64'),
    });
    if (read.kind === 'refuse') return broken(`generation ${id} cannot be used: ${read.message}`);
    generations.push(read.authority);
  }
  return { ...base, generations: inOrder(generations), problem: undefined };
}

/** The Secret with these generations. */
export function authoritySecret(namespace: string, generations: readonly Authority[]): Secret {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: AUTHORITY_SECRET_NAME, namespace, labels: { [LABEL_MANAGED]: 'true' } },
    type: AUTHORITY_SECRET_TYPE,
    data: Object.fromEntries(
      generations.flatMap(({ id, intermediates, root, privateKey }) => [
        [id + CERTIFICATE_SUFFIX, base64(pemOf([...intermediates, root.raw]))],
        [id + KEY_SUFFIX, base64(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())],
      ]),
    ),
  };
}

/** What `dataSha256` is of a Secret with these generations. */
export function authoritySha256(generations: readonly Authority[]): string {
  return digestOf(authoritySecret('', generations).data ?? {});
}

/** Whether two sets of generations are the same, byte for byte of their certificates. */
export function isSameAuthority(left: readonly Authority[], right: readonly Authority[]): boolean {
  return (
    left.length === right.length &&
    left.every((authority, at) => right[at]?.certificate.raw.equals(authority.certificate.raw) === true)
  );
}

/** What the controllers need; undefined when no generation signs. Without `use` the first one signs. */
export function readyAuthority(
  generations: readonly Authority[],
  use?: AuthorityUse,
): ReadyAuthority | undefined {
  const signing =
    use === undefined ? generations[0] : generations.find(({ id }) => phaseOf(use, id) === 'signing');
  if (signing === undefined) return undefined;
  const bundlePem = bundleOf(generations);
  return {
    kind: 'ready',
    signing: factsOf(signing, use),
    signer: new LeafSigner(signing),
    signingPem: bundleOf([signing]),
    trusted: generations.map((each) => factsOf(each, use)),
    intermediatesPem: new Map(
      generations
        .filter(({ intermediates }) => intermediates.length > 0)
        .map(({ id, intermediates }) => [id, pemOf(intermediates)]),
    ),
    bundlePem,
    bundleSha256: createHash('sha256').update(bundlePem).digest('hex'),
  };
}

function digestOf(data: NonNullable<Secret['data']>): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(data).sort()) hash.update(`${name} ${data[name]}\n`);
  return hash.digest('hex');
}

/** Their roots, each once: two intermediates may have the same. */
function bundleOf(generations: readonly Authority[]): string {
  return [...new Set(generations.map(({ root }) => pemOf([root.raw])))].join('');
}

function pemOf(certificates: readonly Buffer[]): string {
  return certificates.map((der) => encodePem('CERTIFICATE', der)).join('');
}

function phaseOf({ states }: AuthorityUse, id: string): GenerationState['phase'] | undefined {
  return states.find((each) => each.id === id)?.phase;
}

function factsOf({ id, notBeforeMs, notAfterMs }: Authority, use: AuthorityUse | undefined): AuthorityFacts {
  const state = use?.states.find((each) => each.id === id);
  return {
    id,
    notBeforeMs,
    notAfterMs,
    retiring: state?.phase === 'retiring' ? retiringOf(state, use) : undefined,
    ...(use === undefined ? {} : { acceleration: use.acceleration }),
  };
}

function retiringOf(
  { retiringSinceMs = 0, taintedAtMs, reissueTotal = 0 }: GenerationState,
  use: AuthorityUse | undefined,
): AuthorityFacts['retiring'] {
  if (taintedAtMs === undefined) return { sinceMs: retiringSinceMs, tainted: false };
  return {
    sinceMs: Math.max(retiringSinceMs, taintedAtMs),
    tainted: true,
    spreadMs: (reissueTotal / (use?.reissuePerSecond ?? 1)) * 1000,
  };
}
