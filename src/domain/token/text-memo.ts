/** What functions make of texts, remembered for those that come again and again. */

import { ownText } from './own-text.ts';

const MAX_TEXTS = 1024;
const MAX_LENGTH = 256;

/** Looks at a text: gives the same text when it is of a form, and undefined when it is not. */
export type Form = (text: string) => string | undefined;

/**
 * Makes a function that remembers. It holds at most 1,024 texts of at most 256 characters, and begins anew when there are more.
 *
 * @param make Always makes the same of a text. What is undefined is made anew each time.
 */
export function remembering<T>(make: (text: string) => T | undefined): (text: string) => T | undefined {
  const made = new Map<string, Made<T>>();
  let latest: Made<T> | undefined;
  return (text) => {
    // The same one often comes again at once, and comparing takes less time than looking up.
    if (text === latest?.text) return latest.value;
    if (text.length > MAX_LENGTH) return make(text);
    const found = made.get(text) ?? remember(ownText(text));
    latest = found ?? latest;
    return found?.value;
  };

  function remember(text: string): Made<T> | undefined {
    const value = make(text);
    if (value === undefined) return undefined;
    if (made.size >= MAX_TEXTS) made.clear();
    const remembered = { text, value };
    made.set(text, remembered);
    return remembered;
  }
}

interface Made<T> {
  readonly text: string;
  readonly value: T;
}

/**
 * Makes a form that remembers, as {@link remembering} does. It gives the text that it has remembered, whose hash is known where it
 * is a key of maps.
 */
export function recognising(isOfForm: (text: string) => boolean): Form {
  return remembering((text) => (isOfForm(text) ? text : undefined));
}
