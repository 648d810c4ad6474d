/**
 * The leaves that are revoked. What is revoked once stays so until it has ended: a suspension that is lifted brings no key back.
 * An earlier leader's are taken over from the lists that it has signed.
 */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import { BY_UID, type IdentityView } from '../../cluster/identity-view.ts';
import { LEAF_DURATION_MS } from '../../domain/certificate/profile.ts';
import {
  isListed,
  type Kill,
  missingIdentities,
  type RevokedLeaf,
  revokedLeaf,
} from '../../domain/crl/revoked-leaves.ts';
import type { LedgerLine } from '../../domain/ledger/ledger-line.ts';
import type { LeafBook } from '../ledger/leaf-book.ts';

/** What the book is made of. */
export interface RevokedBookOptions {
  readonly view: Pick<IdentityView, 'identities'>;
  readonly leaves: LeafBook;
  readonly nowMs: () => number;
  /** A leaf that ended before this has ended for sure: every other one is revoked, and stays so. */
  readonly surelyPastMs: () => number;
}

/** Told of leaves that were not revoked before. */
export type RevokedListener = (leaves: readonly RevokedLeaf[]) => void;

/** A leaf that stands on a list of an earlier leader, which says nothing of its agent and end. */
export type AdoptedLeaf = Omit<RevokedLeaf, 'namespace' | 'notAfterMs'>;

/** Connected with identities and ledger from its making on; make it before they start. */
export class RevokedBook {
  readonly #options: RevokedBookOptions;
  readonly #revoked = new Map<string, RevokedLeaf>();
  /** UIDs of identities that are gone, which the API server has confirmed. */
  readonly #ended = new Set<string>();
  readonly #listeners = new Set<RevokedListener>();
  #revision = 0;

  constructor(options: RevokedBookOptions) {
    this.#options = options;
    const { view, leaves } = options;
    leaves.onAdded((lines) => this.#revoke(lines, ({ identityUid }) => this.#killOf(identityUid)));
    view.identities.onChange((_key, current) => {
      const kill = current && killOf(current);
      if (kill !== undefined) this.#revoke(leaves.of(current?.metadata.uid ?? ''), () => kill);
    });
  }

  /** Grows with every leaf that is revoked. */
  get revision(): number {
    return this.#revision;
  }

  /** Calls `listener` when leaves were revoked. */
  onChange(listener: RevokedListener): void {
    this.#listeners.add(listener);
  }

  /** Whether a leaf is, by its serial number. */
  isRevoked(serialHex: string): boolean {
    return this.#revoked.has(serialHex);
  }

  /** All of them. */
  entries(): Iterable<RevokedLeaf> {
    return this.#revoked.values();
  }

  /** Identities of live leaves, of all by default, that the cache does not have: namespaces, each with UIDs. */
  missing(
    lines: Iterable<LedgerLine> = this.#options.leaves.lines(),
  ): ReadonlyMap<string, ReadonlySet<string>> {
    return missingIdentities(lines, {
      isKnown: (uid) => this.#identityOf(uid) !== undefined,
      isRevoked: (serialHex) => this.#revoked.has(serialHex),
      nowMs: this.#options.surelyPastMs(),
    });
  }

  /** Revokes the leaves of identities that are gone for sure. */
  end(identityUids: Iterable<string>): void {
    const uids = [...identityUids];
    for (const uid of uids) this.#ended.add(uid);
    const lines = uids.flatMap((uid) => this.#options.leaves.of(uid));
    this.#revoke(lines, () => 'ended');
  }

  /** Takes over what an earlier leader has revoked. Of a leaf that the ledger does not know any more the end is not known either. */
  adopt(adopted: readonly AdoptedLeaf[]): void {
    const { leaves, surelyPastMs } = this.#options;
    const pastMs = surelyPastMs();
    const found = adopted
      .filter(({ serialHex }) => !this.#revoked.has(serialHex))
      .map((leaf): RevokedLeaf => {
        const line = leaves.find(leaf.serialHex);
        const notAfterMs = line?.notAfterMs ?? leaf.revokedAtMs + LEAF_DURATION_MS.max;
        return { ...leaf, namespace: line?.namespace, notAfterMs };
      });
    this.#add(found.filter((leaf) => isListed(leaf, pastMs)));
  }

  /** Forgets what has to stand on no list any more at `nowMs`. Give a time that is surely not ahead. */
  prune(nowMs: number): void {
    for (const [serialHex, leaf] of this.#revoked)
      if (!isListed(leaf, nowMs)) this.#revoked.delete(serialHex);
    for (const uid of this.#ended) if (this.#options.leaves.of(uid).length === 0) this.#ended.delete(uid);
  }

  #killOf(identityUid: string): Kill | undefined {
    const identity = this.#identityOf(identityUid);
    if (identity !== undefined) return killOf(identity);
    return this.#ended.has(identityUid) ? 'ended' : undefined;
  }

  #identityOf(uid: string): AgentIdentity | undefined {
    const { identities } = this.#options.view;
    const [key] = identities.byIndex(BY_UID, uid);
    return key === undefined ? undefined : identities.get(key);
  }

  #revoke(lines: readonly LedgerLine[], kill: (line: LedgerLine) => Kill | undefined): void {
    const nowMs = this.#options.nowMs();
    const pastMs = this.#options.surelyPastMs();
    const found: RevokedLeaf[] = [];
    for (const line of lines) {
      if (line.notAfterMs < pastMs || this.#revoked.has(line.serialHex)) continue;
      const why = kill(line);
      if (why !== undefined) found.push(revokedLeaf(line, why, nowMs));
    }
    this.#add(found);
  }

  #add(leaves: readonly RevokedLeaf[]): void {
    if (leaves.length === 0) return;
    for (const leaf of leaves) this.#revoked.set(leaf.serialHex, leaf);
    this.#revision++;
    for (const listener of this.#listeners) listener(leaves);
  }
}

function killOf({ metadata, spec }: AgentIdentity): Kill | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'ended';
  return spec.suspended === true ? 'suspended' : undefined;
}
