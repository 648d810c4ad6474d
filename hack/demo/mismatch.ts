/** A step of the demo that saw something else than it should. */

/** What a person needs to know of it. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
  readonly expected: string;
  readonly seen: string;

  /** Both are parts of a sentence, without full stop. Never keys or Secret data. */
  constructor(expected: string, seen: string) {
    super(`expected ${expected}, saw ${seen}`);
    this.expected = expected;
    this.seen = seen;
  }
}
