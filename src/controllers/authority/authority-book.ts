/**
 * The authority as this process knows it. A replica that waits follows the Secret, so that it can verify leaves; the
 * leader holds on to what it has signed with, and its reconciler puts the Secret back.
 */

import type { Authority } from '../../crypto/authority-reader.ts';
import { type AuthorityRecord, isSameAuthority, readyAuthority } from './authority-record.ts';
import type { AuthorityState } from './authority-state.ts';

/** Holds the one state that all others read. */
export class AuthorityBook {
  readonly #mayFollow: () => boolean;
  readonly #listeners: (() => void)[] = [];
  #generations: readonly Authority[] = [];
  #state: AuthorityState = { kind: 'pending' };

  /** `mayFollow` is false while this process leads: then only {@link adopt} changes what is in use. */
  constructor(mayFollow: () => boolean) {
    this.#mayFollow = mayFollow;
  }

  get state(): AuthorityState {
    return this.#state;
  }

  /** What is in use; empty when nothing was ever good. */
  get generations(): readonly Authority[] {
    return this.#generations;
  }

  /** Calls `listener` whenever the state has changed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Takes note of the Secret as it is on the server. */
  observe(record: AuthorityRecord | undefined): void {
    if (record === undefined || record.problem !== undefined) return;
    if (this.#mayFollow() || this.#generations.length === 0) this.adopt(record.generations);
  }

  /** Puts generations into use. */
  adopt(generations: readonly Authority[]): void {
    if (this.#state.kind === 'ready' && isSameAuthority(generations, this.#generations)) return;
    this.#generations = generations;
    this.#set(readyAuthority(generations) ?? { kind: 'pending' });
  }

  /** Says that nothing can be signed, and why. Has no effect once something is in use. */
  refuse(message: string): void {
    if (this.#generations.length > 0) return;
    if (this.#state.kind !== 'unavailable' || this.#state.message !== message)
      this.#set({ kind: 'unavailable', message });
  }

  #set(state: AuthorityState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
