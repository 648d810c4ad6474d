/**
 * All revocations that count: those that stand in the cluster, and those whose objects are gone before the last token that
 * they touch is dead. Deleting a TokenRevocation revives nothing.
 */

import type { TokenRevocation } from '../../api/token-revocation.ts';
import type { IdentityView } from '../../cluster/identity-view.ts';
import type { RevocationCache } from '../../cluster/revocation-cache.ts';
import { limitRevocations } from '../../domain/bundle/revocation-limit.ts';
import { type ResolvedRevocation, resolveRevocation } from '../../domain/bundle/revocations.ts';
import { buildSpiffeId } from '../../domain/certificate/spiffe-id.ts';
import type { AgentId } from '../../domain/delegation/facts.ts';
import { namesOf } from '../../domain/identity/resolve.ts';
import type { Revocation } from '../../domain/token/state/revocations-file.ts';
import { type Key, splitKey } from '../../kube/object.ts';

/** What an object means: an entry, fields that cannot be served, or a namespace without agents. */
export type JudgedRevocation = ResolvedRevocation | { readonly kind: 'not-governed' };

/** Told of a namespace whose chains are concerned; undefined for those of all. */
export type RevocationListener = (namespace: string | undefined) => void;

/** What the book is made of. */
export interface RevocationBookOptions {
  readonly view: IdentityView;
  readonly revocations: RevocationCache;
  readonly operatorNamespace: string;
  readonly trustDomain: string;
  readonly nowMs: () => number;
  /** An entry that was over before this is over for sure: every other one is kept when its object goes. */
  readonly surelyPastMs: () => number;
}

interface Known {
  readonly revocation: TokenRevocation;
  readonly judged: JudgedRevocation;
}

/** So many entries of objects that are gone are kept before the oldest of them become one. */
const MAX_KEPT = 4000;

/** Connected with the caches from its making on; make it before they start. */
export class RevocationBook {
  readonly #options: RevocationBookOptions;
  readonly #known = new Map<Key, Known>();
  /** Of objects that are gone, by their text. */
  readonly #kept = new Map<string, Revocation>();
  readonly #listeners = new Set<RevocationListener>();
  /** By UID of the object. */
  readonly #since = new Map<string, number>();
  #revision = 0;

  constructor(options: RevocationBookOptions) {
    this.#options = options;
    options.revocations.onChange((key, current, previous) => {
      // An own status is no change, and neither is anybody else's.
      if (current !== undefined && current.metadata.uid === previous?.metadata.uid) return;
      const judged = this.#forget(key, previous);
      this.#tell(current === undefined ? judged : this.judged(current));
      if (current !== undefined) this.#since.set(current.metadata.uid, this.#revision);
    });
    options.view.identities.onChange((_key, current, previous) => {
      if (current === undefined || previous === undefined) this.#known.clear();
    });
  }

  /** Grows with every change. */
  get revision(): number {
    return this.#revision;
  }

  /** From which revision on an object counts. */
  sinceRevision({ metadata }: TokenRevocation): number {
    return this.#since.get(metadata.uid) ?? this.#revision;
  }

  /** Whether all of them are known. */
  get isComplete(): boolean {
    return this.#options.revocations.hasSynced;
  }

  /** Calls `listener` for every change from now on. */
  onChange(listener: RevocationListener): void {
    this.#listeners.add(listener);
  }

  /** What an object means. */
  judged(revocation: TokenRevocation): JudgedRevocation {
    const { namespace, name } = revocation.metadata;
    const known = this.#known.get(`${namespace}/${name}`);
    if (known?.revocation.metadata.uid === revocation.metadata.uid) return known.judged;
    const judged = this.#judge(revocation);
    this.#known.set(`${namespace}/${name}`, { revocation, judged });
    return judged;
  }

  /** Entries that are not over yet. */
  *entries(): Iterable<Revocation> {
    const nowSeconds = this.#options.nowMs() / 1000;
    const pastSeconds = this.#pastSeconds();
    for (const revocation of this.#options.revocations.values()) {
      const judged = this.judged(revocation);
      if (judged.kind === 'entry' && judged.entry.until > nowSeconds) yield judged.entry;
    }
    for (const [text, entry] of this.#kept) {
      if (entry.until > nowSeconds) yield entry;
      else if (entry.until <= pastSeconds) this.#kept.delete(text);
    }
  }

  /** Takes entries over that an earlier leader has signed: their objects may be gone. */
  adopt(entries: readonly Revocation[]): void {
    const known = new Set([...this.entries()].map((entry) => JSON.stringify(entry)));
    const pastSeconds = this.#pastSeconds();
    for (const entry of entries) {
      if (entry.until <= pastSeconds || known.has(JSON.stringify(entry))) continue;
      this.#keep(entry);
      this.#notify(entry.namespace);
    }
  }

  #judge({ metadata, spec }: TokenRevocation): JudgedRevocation {
    const { view, operatorNamespace } = this.#options;
    const { namespace, creationTimestamp } = metadata;
    const isForAll = namespace === operatorNamespace;
    if (!isForAll && view.scopeOf(namespace) !== 'governed') return { kind: 'not-governed' };
    const createdAt = Math.floor(Date.parse(creationTimestamp) / 1000);
    return resolveRevocation({
      namespace,
      createdAt,
      isForAll,
      spec,
      spiffeIdOf: (id) => this.#spiffeIdOf(id),
    });
  }

  /** Of an agent that is not there it is the one that it has unless it says otherwise. */
  #spiffeIdOf(id: AgentId): string | undefined {
    const { view, trustDomain } = this.#options;
    const { namespace = '', name } = splitKey(id);
    const { serviceAccountName } = namesOf(name, view.identities.get(id)?.spec ?? {});
    return buildSpiffeId({ trustDomain, namespace, serviceAccountName });
  }

  #forget(key: Key, gone: TokenRevocation | undefined): JudgedRevocation | undefined {
    if (gone === undefined) return undefined;
    const judged = this.judged(gone);
    this.#known.delete(key);
    this.#since.delete(gone.metadata.uid);
    if (judged.kind === 'entry' && judged.entry.until > this.#pastSeconds()) this.#keep(judged.entry);
    return judged;
  }

  #pastSeconds(): number {
    return this.#options.surelyPastMs() / 1000;
  }

  #keep(entry: Revocation): void {
    this.#kept.set(JSON.stringify(entry), entry);
    if (this.#kept.size <= MAX_KEPT) return;
    const fewer = limitRevocations(this.#kept.values());
    this.#kept.clear();
    for (const each of fewer) this.#kept.set(JSON.stringify(each), each);
  }

  #tell(judged: JudgedRevocation | undefined): void {
    if (judged?.kind === 'entry') this.#notify(judged.entry.namespace);
  }

  #notify(namespace: string | undefined): void {
    this.#revision++;
    for (const listener of this.#listeners) listener(namespace);
  }
}
