/** The texts of the demo's screen, from plain values. Nothing here knows of terminals. */

import type { AgentIdentity } from '../../src/api/agent-identity.ts';

/** Columns that the screen takes where there is room. */
export const WIDTH = 107;

const MINUTE_MS = 60_000;
const COLUMNS = ['AGENT', 'READY', 'CERTIFICATE', 'EXPIRES', 'RENEWS'] as const;
const GAP = '   ';

/** `left` and `right` at the two ends of a line; at least two blanks apart, however long that makes it. */
export function twoSided(left: string, right: string, width: number): string {
  const blanks = Math.max(2, width - left.length - right.length);
  return right === '' ? left : `${left}${' '.repeat(blanks)}${right}`;
}

/** How long something took: `3.1 ms`, `84 ms`, `1.3 s`. */
export function elapsed(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** A time to come, to the minute: `24h`, `15h 42m`, `9m`; `now` for what is over. */
export function span(ms: number): string {
  const minutes = Math.round(ms / MINUTE_MS);
  if (minutes <= 0) return 'now';
  const parts = [
    [Math.floor(minutes / 60), 'h'],
    [minutes % 60, 'm'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

/** The ends of a serial number: `0b7c…e1`. */
export function shortSerial(serialHex: string): string {
  return serialHex.length <= 8 ? serialHex : `${serialHex.slice(0, 4)}…${serialHex.slice(-2)}`;
}

/** One line for each agent below a line of headings; `nowMs` is what the times count from. */
export function agentTable(identities: readonly AgentIdentity[], nowMs: number): readonly string[] {
  return aligned([COLUMNS, ...identities.map((identity) => agentRow(identity, nowMs))]);
}

/** Rows as lines, with their cells below each other. */
export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

function agentRow({ metadata, status }: AgentIdentity, nowMs: number): readonly string[] {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const { serialNumber, notAfter, renewalTime } = status?.certificate ?? {};
  const until = (instant: string | undefined): string =>
    instant === undefined ? '' : span(Date.parse(instant) - nowMs);
  return [
    metadata.name,
    ready?.status ?? 'Unknown',
    serialNumber === undefined ? (ready?.reason ?? '') : shortSerial(serialNumber),
    until(notAfter),
    until(renewalTime),
  ];
}
