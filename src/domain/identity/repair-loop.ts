/** When mending pauses because something undoes it again and again. Each round costs a key, a line in the ledger, a write. */

const WINDOW_MS = 3_600_000;
/** Rounds within the window that are served at once. */
const FREE_ROUNDS = 6;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 600_000;

/** The instants that still count, milliseconds since the Unix epoch: those of the last hour. */
export function recentRounds(roundsAtMs: readonly number[], nowMs: number): readonly number[] {
  return roundsAtMs.filter((atMs) => atMs > nowMs - WINDOW_MS && atMs <= nowMs);
}

/**
 * Until when the next round has to wait.
 *
 * @param roundsAtMs When rounds were carried out, oldest first.
 * @returns An instant, or `undefined` when nothing has to wait: after six rounds within an hour the next one waits 30 s,
 *   then twice as long each time, at most 10 min.
 */
export function repairPauseUntilMs(roundsAtMs: readonly number[], nowMs: number): number | undefined {
  const recent = recentRounds(roundsAtMs, nowMs);
  const last = recent.at(-1);
  if (last === undefined || recent.length < FREE_ROUNDS) return undefined;
  const untilMs = last + Math.min(FIRST_PAUSE_MS * 2 ** (recent.length - FREE_ROUNDS), LONGEST_PAUSE_MS);
  return untilMs > nowMs ? untilMs : undefined;
}
