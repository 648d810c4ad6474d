/** Which certificates of an author's agents are revoked: what the issuance ledger and its readers do in a cluster. */

import { BY_UID, type IdentityView } from '../cluster/identity-view.ts';
import type { RevokedSource } from '../controllers/crl/revocation-lists.ts';
import { isListed, type Kill, type RevokedLeaf, revokedLeaf } from '../domain/crl/revoked-leaves.ts';
import type { LedgerLine } from '../domain/ledger/ledger-line.ts';
import type { StoredLeaves } from './state.ts';

/** Keeps what is known of them. */
export class LaptopLeaves implements RevokedSource {
  #stored: StoredLeaves;
  #revision = 0;

  constructor(stored: StoredLeaves) {
    this.#stored = stored;
  }

  get stored(): StoredLeaves {
    return this.#stored;
  }

  get revision(): number {
    return this.#revision;
  }

  entries(): Iterable<RevokedLeaf> {
    return this.#stored.revoked;
  }

  /** Notes leaves that there are, and revokes those of agents that are cut off or gone. */
  update(current: readonly LedgerLine[], view: Pick<IdentityView, 'identities'>, nowMs: number): void {
    const known = new Map([...this.#stored.leaves, ...current].map((line) => [line.serialHex, line]));
    const leaves = [...known.values()].filter((line) => isListed(line, nowMs));
    const before = this.#stored.revoked.filter((leaf) => isListed(leaf, nowMs));
    const isRevoked = new Set(before.map(({ serialHex }) => serialHex));
    const more = leaves.flatMap((line) => {
      const kill = isRevoked.has(line.serialHex) || line.notAfterMs < nowMs ? undefined : killOf(view, line);
      return kill === undefined ? [] : [revokedLeaf(line, kill, nowMs)];
    });
    this.#stored = { leaves, revoked: [...before, ...more] };
    this.#revision++;
  }
}

function killOf(
  { identities }: Pick<IdentityView, 'identities'>,
  { identityUid }: LedgerLine,
): Kill | undefined {
  const [key] = identities.byIndex(BY_UID, identityUid);
  const identity = key === undefined ? undefined : identities.get(key);
  if (identity === undefined) return 'ended';
  return identity.spec.suspended === true ? 'suspended' : undefined;
}
