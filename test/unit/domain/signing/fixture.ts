/** Keys for tests of the planner: no key material is behind them. */

import type { HeldKey, KeyLife, SigningKey } from '../../../../src/domain/signing/keys.ts';
import type { NewKey, SigningWish } from '../../../../src/domain/signing/plan.ts';

/** 20 November 2026, 10:00:00 UTC, in seconds. */
export const START = 1_795_168_800;
export const HOUR = 3_600;
export const DAY: number = 24 * HOUR;

/** As the schema fills it in. */
export const WISH: SigningWish = { algorithm: 'ES256', rotationSeconds: DAY, refuseBeforeMs: [] };

/** A whole key of this life. */
export function held(kid: string, life: KeyLife, algorithm: SigningWish['algorithm'] = 'ES256'): HeldKey {
  return { ...life, kid, jwk: jwkFor(algorithm), isUsable: life.state !== 'Retiring' };
}

/** What is found after a plan was carried out: `kidOf` names the keys that were made. */
export function carriedOut(keys: readonly (SigningKey | NewKey)[], kidOf: () => string): readonly HeldKey[] {
  return keys.map((key) => {
    if ('kid' in key) return { ...key, isUsable: key.state !== 'Retiring' };
    const { algorithm, ...life } = key;
    return held(kidOf(), life, algorithm);
  });
}

function jwkFor(algorithm: SigningWish['algorithm']): SigningKey['jwk'] {
  return algorithm === 'ES256'
    ? { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }
    : { kty: 'OKP', crv: 'Ed25519', x: 'x' };
}
