/**
 * The authority as this process knows it. A replica that waits follows the Secret, so that it can verify leaves; the
 * leader has read everything itself, and holds on to what it signs with.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Authority } from '../../crypto/authority-reader.ts';
import {
  type AuthorityRecord,
  type AuthorityUse,
  isSameAuthority,
  readyAuthority,
} from './authority-record.ts';
import type { AuthorityState, ReadyAuthority } from './authority-state.ts';

/** How many bundles before the present one are remembered: two for each rotation. */
const REMEMBERED_BUNDLES = 16;

/** Holds the one state that all others read. */
export class AuthorityBook {
  readonly #mayFollow: () => boolean;
  readonly #listeners: ((before: AuthorityState) => void)[] = [];
  /** By digest of a bundle: the generations in it. */
  readonly #published = new Map<string, ReadonlySet<string>>();
  #generations: readonly Authority[] = [];
  #state: AuthorityState = { kind: 'pending' };
  #noted: AuthorityState | undefined;

  /** `mayFollow` is false while this process leads: then only {@link adopt} changes what is in use. */
  constructor(mayFollow: () => boolean) {
    this.#mayFollow = mayFollow;
  }

  /** Pending in a replica that does not lead. */
  get state(): AuthorityState {
    return this.#state;
  }

  /** All that are trusted; empty when nothing was ever good. */
  get generations(): readonly Authority[] {
    return this.#generations;
  }

  /** Calls `listener` whenever the state has changed, with the one before. */
  onChange(listener: (before: AuthorityState) => void): void {
    this.#listeners.push(listener);
  }

  /** Takes note of the Secret as it is on the server. */
  observe(record: AuthorityRecord | undefined): void {
    if (record === undefined || record.problem !== undefined) return;
    if (this.#mayFollow() && !isSameAuthority(record.generations, this.#generations))
      this.#generations = record.generations;
  }

  /** Puts generations into use, as the leader. */
  adopt(generations: readonly Authority[], use: AuthorityUse): void {
    const ready = readyAuthority(generations, use);
    if (ready === undefined) return;
    if (!isSameAuthority(generations, this.#generations)) this.#generations = generations;
    if (this.#state.kind === 'ready' && isSameUse(this.#state, ready)) return;
    this.#set(ready);
  }

  /** Says that nothing can be signed, and why. Has no effect once something is in use. */
  refuse(message: string): void {
    if (this.#state.kind === 'ready') return;
    if (this.#state.kind !== 'unavailable' || this.#state.message !== message)
      this.#set({ kind: 'unavailable', message });
  }

  /** Whether that generation signs now. */
  isSigning(id: string): boolean {
    return this.#state.kind === 'ready' && this.#state.signing.id === id;
  }

  /**
   * The generations in a bundle that this process has published; undefined for any other text.
   *
   * @param sha256 Lower-case hexadecimal.
   */
  publishedIn(sha256: string): ReadonlySet<string> | undefined {
    return this.#published.get(sha256);
  }

  /** Whether any bundle is remembered. */
  get hasPublished(): boolean {
    return this.#published.size > 0;
  }

  /** Remembers a bundle that is about to be published: what is in use, with whatever else is trusted. Gives it back. */
  noted(state: AuthorityState): AuthorityState {
    if (state.kind === 'ready' && state !== this.#noted) this.#publish(state);
    return state;
  }

  #publish(state: ReadyAuthority): void {
    const { bundleSha256, trusted } = state;
    this.#noted = state;
    this.#published.delete(bundleSha256);
    this.#published.set(bundleSha256, new Set(trusted.map(({ id }) => id)));
    const [oldest] = this.#published.keys();
    if (this.#published.size > REMEMBERED_BUNDLES && oldest !== undefined) this.#published.delete(oldest);
  }

  #set(state: AuthorityState): void {
    const before = this.#state;
    this.#state = state;
    for (const listener of this.#listeners) listener(before);
  }
}

function isSameUse(left: ReadyAuthority, right: ReadyAuthority): boolean {
  return (
    left.bundleSha256 === right.bundleSha256 &&
    isDeepStrictEqual([left.signing, left.trusted], [right.signing, right.trusted])
  );
}
