/** What functions make of texts, remembered for those that come again and again. */

import { ownText } from './own-text.ts';

const MAX_TEXTS = 1024;
const MAX_LENGTH = 256;

/**
 * Makes a function that remembers. It holds at most 1,024 texts of at most 256 characters, and begins anew when there are more.
 *
 * @param make Always makes the same of a text. What is undefined is made anew each time.
 */
export function remembering<T>(make: (text: string) => T | undefined): (text: string) => T | undefined {
  const made = new Map<string, T>();
  return (text) => {
    const known = made.get(text);
    if (known !== undefined) return known;
    const value = make(text);
    if (value === undefined || text.length > MAX_LENGTH) return value;
    if (made.size >= MAX_TEXTS) made.clear();
    made.set(ownText(text), value);
    return value;
  };
}

/** Makes a predicate that remembers what it said yes to, as {@link remembering} does. */
export function recognising(isOfForm: (text: string) => boolean): (text: string) => boolean {
  const recognised = remembering((text) => isOfForm(text) || undefined);
  return (text) => recognised(text) ?? false;
}
