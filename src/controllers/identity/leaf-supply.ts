/**
 * Leaves ready to be written into a Secret: signed, and recorded in the ledger.
 *
 * A leaf whose Secret could not be written is kept for the next try, so that a refused write costs neither a key nor a
 * line in the ledger. One whose write got no answer is not: it may be in use.
 */

import { generateKeyPair } from '../../crypto/key-pair.ts';
import type { IssuedLeaf, LeafSigner } from '../../crypto/leaf.ts';
import type { CertificateWish } from '../../domain/certificate/plan.ts';
import { leafValidity } from '../../domain/certificate/profile.ts';
import { parseAgentSpiffeId } from '../../domain/certificate/spiffe-id.ts';
import type { LedgerLine } from '../../domain/ledger/ledger-line.ts';
import { type Key, keyOf } from '../../kube/object.ts';

/** Where lines go; resolves when they are on the server. */
export interface LedgerCommit {
  commit(line: LedgerLine): Promise<void>;
}

interface Pending {
  readonly leaf: IssuedLeaf;
  readonly signedAtMs: number;
  readonly fits: string;
  isCommitted: boolean;
}

/** A kept leaf is used up to this age, and only while a tenth of its life has not passed. */
const MAX_AGE_MS = 10 * 60_000;

/** Leaves in the making, by key of the identity. */
export class LeafSupply {
  readonly #ledger: LedgerCommit;
  readonly #pending = new Map<Key, Pending>();

  constructor(ledger: LedgerCommit) {
    this.#ledger = ledger;
  }

  /**
   * A leaf for the wish that is in the ledger already.
   *
   * @throws what the ledger throws; RangeError when the authority cannot sign now (the plan says so before).
   */
  async leafFor(wish: CertificateWish, signer: LeafSigner, nowMs: number): Promise<IssuedLeaf> {
    const key = identityKey(wish);
    const fits = fitsOf(wish);
    let pending = this.#pending.get(key);
    if (pending === undefined || pending.fits !== fits || !isFresh(pending, nowMs)) {
      const keyPair = await generateKeyPair(wish.profile.key);
      pending = {
        leaf: signer.issueLeaf(wish.profile, validityOf(wish, nowMs), keyPair),
        signedAtMs: nowMs,
        fits,
        isCommitted: false,
      };
      this.#pending.set(key, pending);
    }
    if (!pending.isCommitted) {
      await this.#ledger.commit(ledgerLine(wish, pending.leaf));
      pending.isCommitted = true;
    }
    return pending.leaf;
  }

  /** Forgets the leaf kept for a wish: it may have got out. */
  abandon(wish: CertificateWish): void {
    this.settle(identityKey(wish));
  }

  /** Forgets what is kept for an identity: its Secret is good, or it must not have one. */
  settle(key: Key): void {
    this.#pending.delete(key);
  }
}

function identityKey({ secret: { namespace, ownerReference } }: CertificateWish): Key {
  return keyOf({ namespace, name: ownerReference.name });
}

/** Equal for two wishes that the same leaf fulfils. */
function fitsOf(wish: CertificateWish): string {
  const { identityUid, profile, signingAuthority, refuseLeafsBeforeMs = 0, renewLeafsBeforeMs = 0 } = wish;
  return JSON.stringify([identityUid, profile, signingAuthority.id, refuseLeafsBeforeMs, renewLeafsBeforeMs]);
}

function isFresh({ leaf, signedAtMs }: Pending, nowMs: number): boolean {
  const ageMs = nowMs - signedAtMs;
  return ageMs >= 0 && ageMs <= Math.min(MAX_AGE_MS, (leaf.notAfterMs - signedAtMs) / 10);
}

function validityOf(
  { profile, signingAuthority, refuseLeafsBeforeMs = 0 }: CertificateWish,
  nowMs: number,
): {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
} {
  const answer = leafValidity({
    profile,
    nowMs,
    authorityNotAfterMs: signingAuthority.notAfterMs,
    notBeforeFloorMs: Math.max(refuseLeafsBeforeMs, signingAuthority.notBeforeMs),
    acceleration: signingAuthority.acceleration,
  });
  if (answer.kind === 'refuse') throw new RangeError(answer.message);
  return answer.validity;
}

function ledgerLine(
  { identityUid, profile, signingAuthority }: CertificateWish,
  leaf: IssuedLeaf,
): LedgerLine {
  const agent = parseAgentSpiffeId(profile.spiffeId);
  if (agent === undefined) throw new TypeError('the profile has no SPIFFE ID of an agent');
  return {
    identityUid,
    namespace: agent.namespace,
    serviceAccountName: agent.serviceAccountName,
    serialHex: leaf.serialHex,
    notAfterMs: leaf.notAfterMs,
    generation: signingAuthority.id,
  };
}
