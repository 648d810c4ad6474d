/** Progress of something long: one line that is rewritten on a terminal, now and then a line elsewhere. */

/** Where progress is reported to. */
export interface Progress {
  /** The state now, without line end. May be called often. */
  update(text: string): void;
  /** The last line; it stays. */
  done(text: string): void;
}

/** What progress needs of a stream; `process.stderr` has it. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const CLEAR_LINE = '\r\x1b[2K';

/**
 * Progress on a stream.
 *
 * @param quietMs where the stream is not a terminal, the least time between two lines, milliseconds.
 */
export function streamProgress(stream: ProgressStream, quietMs = 30_000): Progress {
  if (stream.isTTY === true) {
    return {
      update: (text) => stream.write(CLEAR_LINE + text.slice(0, (stream.columns ?? 80) - 1)),
      done: (text) => stream.write(`${CLEAR_LINE}${text}\n`),
    };
  }
  let nextAtMs = Number.NEGATIVE_INFINITY;
  return {
    update(text) {
      if (performance.now() < nextAtMs) return;
      nextAtMs = performance.now() + quietMs;
      stream.write(`${text}\n`);
    },
    done: (text) => stream.write(`${text}\n`),
  };
}
