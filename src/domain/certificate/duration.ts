/** Durations as people write them in a spec, `24h` or `1h30m`: text to milliseconds and back. */

const FORM = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;
// `ms` before `m` and `s`, else `5ms` would be read as five minutes.
const PART = /([0-9]{1,5})(h|ms|m|s)/g;

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;
const UNIT_MS: Readonly<Record<string, number>> = Object.fromEntries(UNITS);

const LONGEST_MS = 100_000 * 3_600_000 - 1;

/**
 * Reads a duration.
 *
 * @param text One to four parts, each of one to five digits and a unit `h`, `m`, `s` or `ms`.
 * @returns Whole milliseconds, 0 or more; `undefined` when the text is no duration. Parts add up, in any order.
 *
 * Source: Gateway API, GEP-2257.
 */
export function parseDuration(text: string): number | undefined {
  if (!FORM.test(text)) return undefined;
  let totalMs = 0;
  for (const [, digits, unit] of text.matchAll(PART)) {
    totalMs += Number(digits) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  }
  return totalMs;
}

/**
 * Writes a duration with the largest units first and no zero part, `1h30m`; zero is `0s`.
 *
 * @param durationMs Whole milliseconds, 0 up to just below 100,000 hours.
 * @returns Text that {@link parseDuration} reads as the same number.
 * @throws RangeError for any other number; it is the caller's mistake.
 *
 * Source: Gateway API, GEP-2257.
 */
export function formatDuration(durationMs: number): string {
  if (!Number.isInteger(durationMs) || durationMs < 0 || durationMs > LONGEST_MS) {
    throw new RangeError(`a duration must be whole milliseconds in 0..${LONGEST_MS}, got ${durationMs}`);
  }
  let restMs = durationMs;
  let text = '';
  for (const [unit, unitMs] of UNITS) {
    const count = Math.floor(restMs / unitMs);
    if (count > 0) text += `${count}${unit}`;
    restMs -= count * unitMs;
  }
  return text === '' ? '0s' : text;
}
