/** What this process remembers of the mesh objects of each identity between two reconciles. Nothing is needed for being right. */

import { recentRounds } from '../../domain/identity/repair-loop.ts';
import type { Key } from '../../kube/object.ts';

/** What is remembered of an identity with which something was wrong. */
interface Trouble {
  /** Refusals of the API server in a row. */
  readonly failures: number;
  /** Attempts in a row that got no answer. */
  readonly unanswered: number;
  /** When something was mended, oldest first; those of the last hour. */
  readonly mendedAtMs: readonly number[];
}

const NONE: Trouble = { failures: 0, unanswered: 0, mendedAtMs: [] };
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 30_000;
/** Rounds within an hour that are served at once. */
const FREE_ROUNDS = 6;
/** Less than the two seconds within which a wall must stand again. */
const PAUSE_MS = 1_000;

/** Memory by key. */
export class MeshMemory {
  /** What was brought about last; a deviation from it is somebody else's doing. */
  readonly #kept = new Map<Key, string>();
  readonly #troubles = new Map<Key, Trouble>();

  /** Whether a deviation from `wanted`, a text for all of it, is somebody else's doing. */
  isMending(key: Key, wanted: string): boolean {
    return this.#kept.get(key) === wanted;
  }

  /** Everything is as `wanted` says. */
  kept(key: Key, wanted: string): void {
    this.#kept.set(key, wanted);
    const before = this.#troubles.get(key);
    if (before === undefined || before.failures + before.unanswered === 0) return;
    this.#troubles.set(key, { ...before, failures: 0, unanswered: 0 });
  }

  /** Counts a refusal, and says when to try again; milliseconds since the Unix epoch. */
  failed(key: Key, nowMs: number): number {
    const before = this.#of(key);
    this.#troubles.set(key, { ...before, failures: before.failures + 1 });
    return nowMs + Math.min(FIRST_RETRY_MS * 2 ** before.failures, LONGEST_RETRY_MS);
  }

  /** Counts an attempt without an answer, and gives how many there were in a row. */
  unanswered(key: Key): number {
    const before = this.#of(key);
    this.#troubles.set(key, { ...before, unanswered: before.unanswered + 1 });
    return before.unanswered + 1;
  }

  /** Counts that something was mended. Gives how often within the last hour. */
  mended(key: Key, nowMs: number): number {
    const before = this.#of(key);
    const mendedAtMs = [...recentRounds(before.mendedAtMs, nowMs), nowMs].slice(-FREE_ROUNDS - 1);
    this.#troubles.set(key, { ...before, mendedAtMs });
    return mendedAtMs.length;
  }

  /**
   * Until when mending has to wait, if it has to. A wall that is down is open, so that it never waits for more than a
   * second: that bounds what two who undo each other's work cost, a read and a write a second.
   */
  pauseUntilMs(key: Key, nowMs: number): number | undefined {
    const recent = recentRounds(this.#of(key).mendedAtMs, nowMs);
    const untilMs = (recent.at(-1) ?? 0) + PAUSE_MS;
    return recent.length >= FREE_ROUNDS && untilMs > nowMs ? untilMs : undefined;
  }

  /** The identity is gone. */
  forget(key: Key): void {
    this.#kept.delete(key);
    this.#troubles.delete(key);
  }

  #of(key: Key): Trouble {
    return this.#troubles.get(key) ?? NONE;
  }
}
