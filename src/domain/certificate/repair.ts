/** What of a Secret is wrong although its leaf is good: mended by writing it again, never by a new leaf. */

import { SECRET_KEYS, SECRET_TYPE, type SecretFacts } from './facts.ts';
import {
  type FrameFinding,
  frameFindings,
  kindFindings,
  type SecretFrame,
  type SecretKind,
} from './secret-frame.ts';

const KIND: SecretKind = { type: SECRET_TYPE, dataKeys: Object.values(SECRET_KEYS) };

/** What the Secret of an identity must be beside its leaf and key. */
export interface SecretWish extends SecretFrame {
  /** Of the bytes that belong into `ca.crt`, lower-case hexadecimal. */
  readonly trustBundleSha256: string;
}

/** One thing that was wrong; `message` is a sentence for an event, without full stop. */
export interface RepairFinding {
  readonly what: FrameFinding['what'] | 'CertificateChain' | 'TrustBundle' | 'CombinedPem';
  readonly message: string;
}

type Check = (wish: SecretWish, secret: SecretFacts) => string | undefined;

const CHECKS: readonly (readonly [RepairFinding['what'], Check])[] = [
  ['CertificateChain', certificateChain],
  ['TrustBundle', trustBundle],
  ['CombinedPem', combinedPem],
];

/** Everything that is wrong, in a fixed order; empty when nothing is. */
export function repairFindings(wish: SecretWish, secret: SecretFacts): readonly RepairFinding[] {
  const content = CHECKS.flatMap(([what, check]) => {
    const message = check(wish, secret);
    return message === undefined ? [] : [{ what, message }];
  });
  return [...kindFindings(KIND, secret), ...content, ...frameFindings(KIND, wish, secret)];
}

/** Type and immutability of a Secret cannot be changed by a write: it must be deleted and made anew. */
export function mustRecreate(secret: SecretFacts): boolean {
  return kindFindings(KIND, secret).length > 0;
}

function certificateChain(_wish: SecretWish, { content }: SecretFacts): string | undefined {
  const { certificate } = content;
  // What leads to an authority that is not trusted cannot be told from the rest.
  if (certificate.kind === 'problem' || certificate.authorityId === undefined) return undefined;
  const { chainLength, intermediateCount = 0 } = certificate;
  if (certificate.lacksIntermediates) return 'tls.crt did not hold what leads from the leaf to its root';
  if (chainLength === 1 + intermediateCount) return undefined;
  return intermediateCount === 0
    ? 'tls.crt held more than the leaf'
    : 'tls.crt held more than the leaf and what leads to its authority';
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
