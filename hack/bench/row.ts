/** What every bench of the project gives: rows for people and for programs. */

import { writeFile } from 'node:fs/promises';

/** One measured figure. `floor` is the least the same machine could do in the same run; `ratio` compares with it. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly floor?: number;
  readonly ratio?: number;
  /** What is aimed at, in words. */
  readonly goal?: string;
}

/** Prints the rows as a table. */
export function printRows(rows: readonly BenchRow[]): void {
  const cells = rows.map(({ name, value, unit, floor, ratio, goal }) => [
    name,
    `${shown(value)} ${unit}`,
    floor === undefined ? '' : `${shown(floor)} ${unit}`,
    ratio === undefined ? '' : ratio.toFixed(2),
    goal ?? '',
  ]);
  const table = [['row', 'value', 'floor', 'ratio', 'goal'], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table)
    console.log(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

/** Writes the rows as a JSON array. */
export async function writeRows(path: string, rows: readonly BenchRow[]): Promise<void> {
  await writeFile(path, `${JSON.stringify(rows, null, 2)}\n`);
}

/** The value at a fraction of the sorted samples: nearest rank. */
export function percentile(samples: readonly number[], fraction: number): number {
  const sorted = samples.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.ceil(fraction * sorted.length) - 1)] ?? Number.NaN;
}

function shown(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
