/** The signing keys of one agent on this machine, in all their states. */

import { jwkThumbprint } from '../../../src/crypto/jose/jwk.ts';
import { generatePrivateJwk, privateKeyPem } from '../../../src/crypto/jose/private-jwk.ts';
import { type MountedKey, signingKeysText } from '../../../src/domain/signing/key-files.ts';
import type { TokenAlgorithm } from '../../../src/domain/token/claims.ts';
import type { PublishedKey } from '../../../src/domain/token/state/jwks-file.ts';

type LocalKey = Omit<MountedKey, 'state'> & { readonly state: MountedKey['state'] | 'Retiring' };

const PUBLISHED_SECONDS = 3600;
const HANDOVER_SECONDS = 60;

/** The keys. One of them is Active from the start. */
export class LocalKeys {
  readonly #nowMs: () => number;
  readonly #algorithm: TokenAlgorithm;
  #keys: readonly LocalKey[];

  /** @param nowMs Milliseconds since the Unix epoch. */
  constructor(nowMs: () => number, algorithm: TokenAlgorithm) {
    this.#nowMs = nowMs;
    this.#algorithm = algorithm;
    this.#keys = [this.#newKey('Active')];
  }

  addNext(): void {
    this.#keys = [...this.#keys, this.#newKey('Next')];
  }

  /** Next becomes Active, and Active Retiring, until a minute from now. */
  activateNext(): void {
    const until = Math.floor(this.#nowMs() / 1000) + HANDOVER_SECONDS;
    this.#keys = this.#keys.map((key) => {
      if (key.state === 'Retiring') return key;
      return key.state === 'Active' ? { ...key, state: 'Retiring', until } : { ...key, state: 'Active' };
    });
  }

  dropRetiring(): void {
    this.#keys = this.#keys.filter(({ state }) => state !== 'Retiring');
  }

  /** Drops all at once; another one is Active. */
  replace(): void {
    this.#keys = [this.#newKey('Active')];
  }

  /** As jwks.json has them. */
  published(): readonly PublishedKey[] {
    return this.#keys.map(({ kid, since, until, jwk: { d: _, ...jwk } }) => ({
      ...jwk,
      kid,
      use: 'sig',
      since,
      ...(until === undefined ? {} : { until }),
    }));
  }

  /** The files that are mounted, by path. */
  files(): Readonly<Record<string, string>> {
    const active = this.#keys.find(({ state }) => state === 'Active');
    if (active === undefined) throw new Error('there is no active key');
    return {
      'signing/signing.key': privateKeyPem(active.jwk),
      'signing/signing.kid': active.kid,
      'signing/signing-keys.json': signingKeysText(this.#keys.filter(isMounted)),
    };
  }

  #newKey(state: LocalKey['state']): LocalKey {
    const jwk = generatePrivateJwk(this.#algorithm);
    const since = Math.floor(this.#nowMs() / 1000) - PUBLISHED_SECONDS;
    return { kid: jwkThumbprint(jwk), state, since, jwk };
  }
}

function isMounted(key: LocalKey): key is MountedKey {
  return key.state !== 'Retiring';
}
