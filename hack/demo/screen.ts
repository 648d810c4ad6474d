/** The demo's screen: one line for each step. On a terminal lines are rewritten while something goes on. */

import { twoSided, WIDTH } from './text.ts';

/** What the screen needs of a stream; `process.stdout` has it. */
export interface ScreenStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Further lines of a step that failed: a word and what it says. */
export type Detail = readonly [word: string, text: string];

const CLEAR_LINE = '\r\x1b[2K';
const GREEN = '\x1b[32m';
const RED = '\x1b[31m';
const PLAIN = '\x1b[0m';
const DETAIL_WIDTH = 10;

/**
 * Prints. Elsewhere than on a terminal that can rewrite lines: plain text, each line once. Colours only there, and
 * not where `NO_COLOR` is set (https://no-color.org).
 */
export class Screen {
  readonly #stream: ScreenStream;
  readonly #rewrites: boolean;
  readonly #color: boolean;
  #tableLines = 0;

  constructor(stream: ScreenStream, env: Readonly<Record<string, string | undefined>>) {
    this.#stream = stream;
    this.#rewrites = stream.isTTY === true && env['TERM'] !== 'dumb';
    this.#color = this.#rewrites && !env['NO_COLOR'];
  }

  /** A line with two ends. */
  line(left: string, right = ''): void {
    this.#stream.write(`${this.#rewrites ? CLEAR_LINE : ''}${twoSided(left, right, this.#width)}\n`);
  }

  /** A step has begun; the line goes when it ends. */
  began(title: string): void {
    if (this.#rewrites) this.#stream.write(` · ${title}`.slice(0, this.#width));
  }

  /** A step is done; `shown` is its time or what it found, `notes` stand below it on the right. */
  passed(title: string, shown: string, notes: readonly string[] = []): void {
    this.#end('✓', GREEN, twoSided(title, shown, this.#width - 3));
    for (const note of notes) this.#stream.write(`${note.padStart(this.#width)}\n`);
  }

  /** A step did not do what it should. */
  failed(title: string, shown: string, details: readonly Detail[]): void {
    this.#end('✗', RED, twoSided(title, shown, this.#width - 3));
    for (const [word, text] of details) {
      const [first, ...rest] = text.split('\n');
      this.#stream.write(`   ${word.padEnd(DETAIL_WIDTH)}${first}\n`);
      for (const line of rest) this.#stream.write(`   ${' '.repeat(DETAIL_WIDTH)}${line}\n`);
    }
  }

  /** The table as it is now; on a terminal it takes the place of the one before. */
  table(lines: readonly string[]): void {
    if (!this.#rewrites) return;
    if (this.#tableLines > 0) this.#stream.write(`\x1b[${this.#tableLines}A`);
    for (const line of lines) this.#stream.write(`${CLEAR_LINE}${line.slice(0, this.#width)}\n`);
    this.#tableLines = lines.length;
  }

  /** The table as it stays. */
  finalTable(lines: readonly string[]): void {
    this.table(lines);
    if (!this.#rewrites) for (const line of lines) this.#stream.write(`${line}\n`);
    this.#tableLines = 0;
  }

  get #width(): number {
    return Math.min(WIDTH, this.#stream.isTTY === true ? (this.#stream.columns ?? WIDTH) : WIDTH);
  }

  #end(mark: string, color: string, text: string): void {
    const shown = this.#color ? `${color}${mark}${PLAIN}` : mark;
    this.#stream.write(`${this.#rewrites ? CLEAR_LINE : ''} ${shown} ${text}\n`);
  }
}
