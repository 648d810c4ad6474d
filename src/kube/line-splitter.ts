/** Cuts a byte stream into lines, whatever the chunks; UTF-8 sequences are never decoded in parts. */

const LINE_FEED = 10;

/** Takes chunks, gives whole lines without their line feed. What follows the last line feed is never given. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #onLine: (line: Buffer) => void;
  readonly #tooLong: () => Error;
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** `tooLong` makes the error for a line of more than `maxLineBytes`. */
  constructor(maxLineBytes: number, onLine: (line: Buffer) => void, tooLong: () => Error) {
    this.#maxLineBytes = maxLineBytes;
    this.#onLine = onLine;
    this.#tooLong = tooLong;
  }

  /** @throws the error of `tooLong`, and what `onLine` throws; the splitter is then of no further use. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const line = this.#takeLine(chunk.subarray(start, end));
      start = end + 1;
      if (line.length > 0) this.#onLine(line);
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  #takeLine(tail: Buffer): Buffer {
    this.#assertLength(tail.length);
    if (this.#restBytes === 0) return tail;
    const line = Buffer.concat([...this.#rest, tail]);
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }

  #keep(part: Buffer): void {
    this.#assertLength(part.length);
    this.#rest.push(part);
    this.#restBytes += part.length;
  }

  #assertLength(addedBytes: number): void {
    if (this.#restBytes + addedBytes > this.#maxLineBytes) throw this.#tooLong();
  }
}
