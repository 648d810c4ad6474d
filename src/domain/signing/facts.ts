/** What is known about the Secret with the signing keys of an identity: facts that can be compared, never a private key. */

import type { StoredSecretFacts } from '../certificate/facts.ts';
import type { HeldKey } from './keys.ts';

/** The keys of such a Secret, and no others. */
export const SIGNING_DATA = {
  /** PKCS#8 in PEM: the Active key. */
  privateKey: 'signing.key',
  /** `kid` of the Active key. */
  keyId: 'signing.kid',
  /** Active and Next with their private halves. */
  keys: 'signing-keys.json',
  /** All keys without private halves; the one that no pod mounts. */
  published: 'published-keys.json',
} as const;

/** Those that pods mount. */
export const MOUNTED_SIGNING_DATA: readonly string[] = [
  SIGNING_DATA.privateKey,
  SIGNING_DATA.keyId,
  SIGNING_DATA.keys,
];

/** The type of these Secrets. */
export const SIGNING_SECRET_TYPE = 'agenttrust.dev/signing-key';

/** A data key of these Secrets. */
export type SigningDataKey = (typeof SIGNING_DATA)[keyof typeof SIGNING_DATA];

/** What the data of the Secret say. */
export interface SigningContent {
  /** UID of the AgentIdentity that it was made for; undefined when it does not say so in a way that can be believed. */
  readonly identityUid: string | undefined;
  /** At most one Next and one Active, each `kid` once, each `kid` the thumbprint of its key. */
  readonly keys: readonly HeldKey[];
  /** Those whose bytes are not what follows from `keys`. */
  readonly altered: readonly SigningDataKey[];
}

/** A Secret as it is on the server. */
export interface SigningSecretFacts extends StoredSecretFacts {
  readonly signing: SigningContent;
}
