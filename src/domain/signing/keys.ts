/** The signing keys of one agent: their states, their instants, and what is published of them. Public halves alone. */

import type { TokenAlgorithm } from '../token/claims.ts';
import type { PublicJwk, PublishedKey } from '../token/state/jwks-file.ts';

/** `Next` is published and does not sign yet, `Active` signs, `Retiring` has signed and is still published. */
export type KeyState = 'Next' | 'Active' | 'Retiring';

/** When a key may sign; whole seconds since the Unix epoch, both included. */
export interface KeyLife {
  readonly state: KeyState;
  /** When it was made, milliseconds since the Unix epoch. Decides whether a compromised rotation drops it. */
  readonly createdMs: number;
  readonly since: number;
  /** Absent while nobody has said when. */
  readonly until?: number;
}

/** A key. */
export interface SigningKey extends KeyLife {
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  readonly jwk: PublicJwk;
}

/** A key as it was found; `isUsable`: its private half is there and belongs to it. Never so for `Retiring`. */
export interface HeldKey extends SigningKey {
  readonly isUsable: boolean;
}

/** So much earlier and later than it signs a key is accepted, since clocks differ; seconds. */
export const LEEWAY_SECONDS = 60;
/** For so long a key is published before it signs, seconds: istiod re-reads a jwks_uri every 20 min. */
export const LEAD_SECONDS: number = 30 * 60;
/** An agent signs with the key before for so long, seconds: until its kubelet has brought the new one. */
export const MOUNT_SECONDS = 120;
/** After its last second a key stays published for so long, seconds: the longest token, and the longest task. */
export const RETIRING_SECONDS: number = 10 * 60 + 3_600;

/** The algorithm of a key. */
export function algorithmOfKey({ jwk }: Pick<SigningKey, 'jwk'>): TokenAlgorithm {
  return jwk.kty === 'EC' ? 'ES256' : 'Ed25519';
}

/** When the state of a key began, milliseconds since the Unix epoch. */
export function stateSinceMs({ state, createdMs, since, until = since }: KeyLife): number {
  switch (state) {
    case 'Next':
      return createdMs;
    case 'Active':
      return (since + LEEWAY_SECONDS) * 1000;
    case 'Retiring':
      return (until - LEEWAY_SECONDS - MOUNT_SECONDS) * 1000;
  }
}

/** The key as it stands in jwks.json. */
export function publishedForm({ kid, jwk, since, until }: SigningKey): PublishedKey {
  const life = { kid, use: 'sig', since, ...(until === undefined ? {} : { until }) } as const;
  return jwk.kty === 'EC' ? { ...jwk, ...life, alg: 'ES256' } : { ...jwk, ...life, alg: 'Ed25519' };
}
