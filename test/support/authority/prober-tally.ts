/**
 * Counts handshakes by what verified what, and keeps what there is to say about those that failed.
 *
 * One that failed is put down to this machine when, at its end, the files of a side may have been outdated for longer than a
 * kubelet takes: while this process stands still its pods get nothing, and nobody can tell what was written meanwhile. It counts
 * neither as good nor as failed, and a run with such a one is no good run.
 */

import type { Handshake } from './prober-handshake.ts';
import type { InUse, ProbePod } from './prober-pod.ts';

/**
 * What a side verified the other with, seen from the generation that goes out.
 *
 * A leaf is old when that generation has signed it. For an old leaf a bundle is old when it carries no other generation; for a
 * new leaf it is old when it still carries the one that goes out. The two that are left, a new leaf and a bundle from before the
 * new generation, or an old leaf and a bundle from which the old one is gone, must never meet: they cannot verify.
 */
export const KINDS = [
  'old leaf, old bundle',
  'old leaf, new bundle',
  'new leaf, old bundle',
  'new leaf, new bundle',
] as const;
export type Kind = (typeof KINDS)[number];

/** Failures that are told one by one. */
const MAX_TOLD = 40;

/** What a leaf and a bundle are; see {@link KINDS}. */
export function kindOf(leafSignedBy: string, trusted: readonly string[], outgoing: string): Kind {
  if (leafSignedBy === outgoing)
    return trusted.some((id) => id !== outgoing) ? 'old leaf, new bundle' : 'old leaf, old bundle';
  return trusted.includes(outgoing) ? 'new leaf, old bundle' : 'new leaf, new bundle';
}

/** What failures are judged by. */
export interface TallyOptions {
  /** The generation that is replaced. */
  readonly outgoing: string;
  /** How late a pod gets a new version at most, milliseconds. */
  readonly maxMountDelayMs: number;
}

/** The counts of one run. */
export class Tally {
  readonly #outgoing: string;
  readonly #maxMountDelayMs: number;
  readonly #startedAtMs = performance.now();
  /** Verifications: two for each handshake that was good. */
  readonly #kinds = new Map<Kind, number>(KINDS.map((kind) => [kind, 0]));
  readonly #failures: string[] = [];
  readonly #stalls: string[] = [];
  #verified = 0;
  #failed = 0;
  #behind = 0;

  constructor({ outgoing, maxMountDelayMs }: TallyOptions) {
    this.#outgoing = outgoing;
    this.#maxMountDelayMs = maxMountDelayMs;
  }

  /** Handshakes in which each side has verified the other. */
  get verified(): number {
    return this.#verified;
  }

  /** Handshakes that failed although this machine was in time. */
  get failed(): number {
    return this.#failed;
  }

  /** Handshakes in which a pod took part that had not got the latest files yet. */
  get behind(): number {
    return this.#behind;
  }

  get kinds(): ReadonlyMap<Kind, number> {
    return this.#kinds;
  }

  /** The first of the failures, a line for each. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** The first of those that failed with files that were too old, since this machine stood still; a line for each. */
  get stalls(): readonly string[] {
    return this.#stalls;
  }

  /** Takes one into account. `wasBehind`: a pod had older files than there are. */
  add(handshake: Handshake, wasBehind: boolean): void {
    const { clientUse, serverUse, problem } = handshake;
    if (problem !== undefined || clientUse === undefined || serverUse === undefined) {
      this.#addFailure(handshake);
      return;
    }
    this.#verified += 1;
    if (wasBehind) this.#behind += 1;
    this.#count(serverUse, clientUse);
    this.#count(clientUse, serverUse);
  }

  #addFailure(handshake: Handshake): void {
    const { clientUse, serverUse, endedAtMs } = handshake;
    const ageMs = Math.max(
      ...[clientUse, serverUse].map((use) => endedAtMs - (use?.latestAtMs ?? endedAtMs)),
    );
    const isLate = ageMs > this.#maxMountDelayMs;
    if (!isLate) this.#failed += 1;
    const told = isLate ? this.#stalls : this.#failures;
    if (told.length < MAX_TOLD)
      told.push(
        `${this.#describe(handshake)}, with files that may have been outdated for ${Math.round(ageMs)} ms`,
      );
  }

  #count({ signedBy }: InUse, { trusted }: InUse): void {
    const kind = kindOf(signedBy, trusted, this.#outgoing);
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  #describe({ client, server, clientUse, serverUse, problem }: Handshake): string {
    const seconds = ((performance.now() - this.#startedAtMs) / 1000).toFixed(2);
    return `${seconds} s: client ${this.#side(client, clientUse)}, server ${this.#side(server, serverUse)}: ${problem ?? 'nobody knows what the server had in use'}`;
  }

  #side({ agent, habits, isBehind }: ProbePod, use: InUse | undefined): string {
    const name = `${agent.namespace}/${agent.name}`;
    if (use === undefined) return `${name} (not reached)`;
    const shown = (id: string): string => (id === this.#outgoing ? `${id} (outgoing)` : id);
    return `${name} (leaf of ${shown(use.signedBy)}; by its ${habits.trusts} trusts ${use.trusted.map(shown).join(' and ')}${isBehind ? '; waits for newer files' : ''})`;
  }
}
