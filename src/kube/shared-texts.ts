/** Texts that many objects repeat, such as the messages of conditions, held in memory once. */

import { RecentMap } from './recent-map.ts';

/** Knows the texts used last. */
export class SharedTexts {
  readonly #texts: RecentMap<string>;

  /** @param limit How many texts are known at a time; one that was dropped is held once more. */
  constructor(limit: number) {
    this.#texts = new RecentMap(limit);
  }

  /** How many texts are known. */
  get size(): number {
    return this.#texts.size;
  }

  /** An equal text, and the same string in memory for as long as it is known. */
  of(text: string): string {
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    return known ?? text;
  }
}
