/**
 * The certificate that signs bundles. Its key is made by each leader for itself, never leaves its memory and is replaced
 * twice a day. It is not in the ledger: it opens no connection, and what it has signed ends within half an hour.
 */

import { generateKeyPairSync } from 'node:crypto';
import type { BundleSigner } from '../../crypto/jose/bundle-signature.ts';
import { bundleLeafProfile } from '../../domain/bundle/leaf.ts';
import { leafValidity, type Validity } from '../../domain/certificate/profile.ts';
import type { ReadyAuthority } from '../authority/authority-state.ts';

interface Current extends Validity {
  readonly generation: string;
  readonly signer: BundleSigner;
}

/** Gives the signer of the moment. */
export class BundleLeaf {
  readonly #trustDomain: string;
  #current: Current | undefined;

  constructor(trustDomain: string) {
    this.#trustDomain = trustDomain;
  }

  /** @throws RangeError when the authority cannot sign now. */
  signer({ signing, signer }: ReadyAuthority, nowMs: number): BundleSigner {
    const current = this.#current;
    if (current?.generation === signing.id && isInFirstHalf(current, nowMs)) return current.signer;
    const profile = bundleLeafProfile(this.#trustDomain);
    const answer = leafValidity({
      profile,
      nowMs,
      authorityNotAfterMs: signing.notAfterMs,
      notBeforeFloorMs: signing.notBeforeMs,
      acceleration: signing.acceleration,
    });
    if (answer.kind === 'refuse') throw new RangeError(answer.message);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spkiDer = publicKey.export({ type: 'spki', format: 'der' });
    const { certificateDer } = signer.issue(profile, answer.validity, spkiDer);
    const made = { key: privateKey, chainDer: [certificateDer, ...signer.intermediates] };
    this.#current = { ...answer.validity, generation: signing.id, signer: made };
    return made;
  }
}

function isInFirstHalf({ notBeforeMs, notAfterMs }: Validity, nowMs: number): boolean {
  return notBeforeMs <= nowMs && nowMs < (notBeforeMs + notAfterMs) / 2;
}
