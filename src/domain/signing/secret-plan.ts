/**
 * What to do about the signing Secret of an identity: write it, because of its keys or of what is around them, leave it, or
 * refuse.
 */

import { isDeepStrictEqual } from 'node:util';
import { describeOwner } from '../certificate/ownership.ts';
import {
  frameFindings,
  kindFindings,
  type SecretFrame,
  type SecretKind,
} from '../certificate/secret-frame.ts';
import { SIGNING_DATA, SIGNING_SECRET_TYPE, type SigningSecretFacts } from './facts.ts';
import type { HeldKey, SigningKey } from './keys.ts';
import { type KeyReason, type NewKey, planSigningKeys, type SigningWish } from './plan.ts';

const KIND: SecretKind = { type: SIGNING_SECRET_TYPE, dataKeys: Object.values(SIGNING_DATA) };

const OTHER_KEYS: SigningFinding = {
  what: 'SigningKeys',
  message: 'its keys were not those that were written',
};

/** What an identity must have. */
export interface SigningSecretWish extends SigningWish {
  readonly identityUid: string;
  readonly secret: SecretFrame;
}

/** One thing that was wrong; `message` is a sentence for an event, without full stop. */
export interface SigningFinding {
  readonly what: string;
  readonly message: string;
}

/** The decision. */
export type SigningSecretPlan =
  | { readonly kind: 'keep'; readonly recheckAtMs: number }
  | {
      readonly kind: 'write';
      /** Undefined when the keys stay as they are. */
      readonly reason: KeyReason | undefined;
      readonly keys: readonly (SigningKey | NewKey)[];
      /** What is mended by the write. */
      readonly findings: readonly SigningFinding[];
      /** How the Secret is written. */
      readonly replace: 'create' | 'update' | 'recreate';
    }
  | { readonly kind: 'refuse'; readonly reason: 'SecretConflict'; readonly message: string };

/** What was found. */
export interface ObservedSigning {
  /** The Secret with the name of the wish. */
  readonly secret: SigningSecretFacts | undefined;
  /** The keys to go on from: those that are known to have been written, or what the Secret says. */
  readonly keys: readonly HeldKey[];
}

/** Decides what to do at one instant; milliseconds since the Unix epoch. Errors: none. */
export function planSigningSecret(
  wish: SigningSecretWish,
  { secret, keys }: ObservedSigning,
  nowMs: number,
): SigningSecretPlan {
  if (secret !== undefined && !isOwnSigningSecret(wish.identityUid, secret)) {
    return { kind: 'refuse', reason: 'SecretConflict', message: conflictMessage(wish.secret, secret) };
  }
  const plan = planSigningKeys(keys, wish, nowMs);
  const findings = secret === undefined ? [] : findingsOf(wish, secret, keys);
  if (plan.kind === 'keep' && findings.length === 0 && secret !== undefined) return plan;
  const isKindWrong = secret !== undefined && kindFindings(KIND, secret).length > 0;
  return {
    kind: 'write',
    reason: plan.kind === 'write' ? plan.reason : undefined,
    keys: plan.kind === 'write' ? plan.keys : keys.map(({ isUsable: _, ...key }) => key),
    findings,
    replace: secret === undefined ? 'create' : isKindWrong ? 'recreate' : 'update',
  };
}

/**
 * Whether a signing Secret belongs to an identity: its annotation or an owner reference names the identity's uid, or what it
 * holds does. One of our type that names nobody is whoever's name it has: nobody else makes Secrets of that type.
 */
export function isOwnSigningSecret(identityUid: string, secret: SigningSecretFacts): boolean {
  const { ownerUid, ownerReferences, type, signing } = secret;
  if (ownerUid === identityUid || ownerReferences.some(({ uid }) => uid === identityUid)) return true;
  if (ownerUid !== undefined || ownerReferences.length > 0) return false;
  if (signing.identityUid !== undefined) return signing.identityUid === identityUid;
  return type === SIGNING_SECRET_TYPE;
}

function findingsOf(
  wish: SigningSecretWish,
  secret: SigningSecretFacts,
  keys: readonly HeldKey[],
): readonly SigningFinding[] {
  const isOther = !isDeepStrictEqual(secret.signing.keys, keys);
  const altered = secret.signing.altered.map((name) => ({
    what: 'SigningKeys',
    message: secret.dataKeys.includes(name) ? `${name} was not as it was written` : `${name} was missing`,
  }));
  return [
    ...kindFindings(KIND, secret),
    ...(isOther && altered.length === 0 ? [OTHER_KEYS] : altered),
    ...frameFindings(KIND, wish.secret, secret),
  ];
}

function conflictMessage(
  { namespace, name }: Pick<SecretFrame, 'namespace' | 'name'>,
  secret: SigningSecretFacts,
): string {
  return `Secret ${namespace}/${name} exists and ${describeOwner(secret)}. Set spec.signingKey.secretName to another name, or delete what owns it`;
}
