/** What of a Secret is wrong although its leaf is good: mended by writing it again, never by a new leaf. */

import { type OwnerReferenceFacts, SECRET_KEYS, SECRET_TYPE, type SecretFacts } from './facts.ts';

const SHOWN_NAMES = 3;
const KNOWN_KEYS: ReadonlySet<string> = new Set(Object.values(SECRET_KEYS));

/** What the Secret of an identity must be beside its leaf and key. */
export interface SecretWish {
  readonly namespace: string;
  readonly name: string;
  /** Of the bytes that belong into `ca.crt`, lower-case hexadecimal. */
  readonly trustBundleSha256: string;
  /** Must be there with these values; others stay. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReference: OwnerReferenceFacts;
}

/** One thing that was wrong; `message` is a sentence for an event, without full stop. */
export interface RepairFinding {
  readonly what:
    | 'SecretType'
    | 'Immutable'
    | 'CertificateChain'
    | 'TrustBundle'
    | 'CombinedPem'
    | 'UnknownKeys'
    | 'Labels'
    | 'Annotations'
    | 'OwnerReference';
  readonly message: string;
}

type Check = (wish: SecretWish, secret: SecretFacts) => string | undefined;

const CHECKS: readonly (readonly [RepairFinding['what'], Check])[] = [
  [
    'SecretType',
    (_wish, { type }) => (type === SECRET_TYPE ? undefined : `the Secret was not of type ${SECRET_TYPE}`),
  ],
  ['Immutable', (_wish, { immutable }) => (immutable ? 'the Secret was immutable' : undefined)],
  ['CertificateChain', certificateChain],
  ['TrustBundle', trustBundle],
  ['CombinedPem', combinedPem],
  ['UnknownKeys', unknownKeys],
  ['Labels', (wish, secret) => changedEntries('label', wish.labels, secret.labels)],
  ['Annotations', (wish, secret) => changedEntries('annotation', wish.annotations, secret.annotations)],
  ['OwnerReference', ownerReference],
];

/** Everything that is wrong, in a fixed order; empty when nothing is. */
export function repairFindings(wish: SecretWish, secret: SecretFacts): readonly RepairFinding[] {
  return CHECKS.flatMap(([what, check]) => {
    const message = check(wish, secret);
    return message === undefined ? [] : [{ what, message }];
  });
}

/** Type and immutability of a Secret cannot be changed by a write: it must be deleted and made anew. */
export function mustRecreate({ type, immutable }: SecretFacts): boolean {
  return type !== SECRET_TYPE || immutable;
}

function certificateChain(_wish: SecretWish, { content }: SecretFacts): string | undefined {
  const { certificate } = content;
  const isLeafOnly = certificate.kind === 'problem' || certificate.chainLength === 1;
  return isLeafOnly ? undefined : 'tls.crt held more than the leaf';
}

function trustBundle(wish: SecretWish, { content, dataKeys }: SecretFacts): string | undefined {
  if (content.trustBundleSha256 === wish.trustBundleSha256) return undefined;
  return dataKeys.includes(SECRET_KEYS.trustBundle)
    ? 'ca.crt was not the trust bundle'
    : 'ca.crt was missing';
}

function combinedPem(_wish: SecretWish, { content, dataKeys }: SecretFacts): string | undefined {
  if (content.combinedMatches) return undefined;
  return dataKeys.includes(SECRET_KEYS.combined)
    ? 'tls-combined.pem was not tls.key and tls.crt'
    : 'tls-combined.pem was missing';
}

function unknownKeys(_wish: SecretWish, { dataKeys }: SecretFacts): string | undefined {
  const names = dataKeys.filter((key) => !KNOWN_KEYS.has(key)).toSorted();
  return names.length === 0 ? undefined : `extra data key ${shortList(names)}`;
}

function changedEntries(
  noun: string,
  wanted: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
): string | undefined {
  const names = Object.keys(wanted).filter((name) => found[name] !== wanted[name]);
  return names.length === 0 ? undefined : `${noun} ${shortList(names.toSorted())} was missing or changed`;
}

function ownerReference(
  { ownerReference: wanted }: SecretWish,
  { ownerReferences }: SecretFacts,
): string | undefined {
  const isThere = ownerReferences.some(
    ({ apiVersion, kind, name, uid }) =>
      uid === wanted.uid && name === wanted.name && kind === wanted.kind && apiVersion === wanted.apiVersion,
  );
  return isThere ? undefined : 'the owner reference to the AgentIdentity was missing';
}

/** Bounded, since anybody who may write the Secret decides how many names there are. */
function shortList(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).join(', ');
  return names.length > SHOWN_NAMES ? `${shown} and ${names.length - SHOWN_NAMES} more` : shown;
}
