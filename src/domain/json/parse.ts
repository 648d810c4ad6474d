/**
 * Strict JSON: one text has one meaning, or none. Source: RFC 8259, narrowed to I-JSON (RFC 7493): no member twice, no lone
 * surrogate, and of the numbers only whole ones that a double holds exactly.
 */

import { Members } from './members.ts';

/** What a text stands for. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** Members in the order of the text. */
export interface JsonObject {
  readonly size: number;
  get(name: string): JsonValue | undefined;
  keys(): readonly string[];
  [Symbol.iterator](): Iterator<readonly [string, JsonValue]>;
}

/** The value, or why there is none; `problem` continues the sentence "The text ...". */
export type JsonResult =
  | { readonly kind: 'value'; readonly value: JsonValue }
  | { readonly kind: 'problem'; readonly problem: string };

const MAX_NESTING = 16;
const INTEGER = /-?[1-9][0-9]{0,15}(?![0-9.eE])|0(?![0-9.eE])/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
/** In a text without these, a string is what stands between two quotes. */
const SPECIAL = /[^ -[\]-~]/;

const CODE = {
  tab: 0x09,
  lineFeed: 0x0a,
  return: 0x0d,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openBracket: 0x5b,
  closeBracket: 0x5d,
  f: 0x66,
  n: 0x6e,
  t: 0x74,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** Thrown and caught in this file only. */
class Problem extends Error {}

/**
 * Reads a JSON text.
 *
 * @param maxLength In UTF-16 code units; looked at before anything else.
 * @returns The value, or a problem: too long, no JSON, nested deeper than 16, a member twice, a number that is no integer
 *   within 2^53 - 1 or is written with a fraction, an exponent or as `-0`, a lone surrogate.
 *
 * Errors: none.
 */
export function parseJson(text: string, maxLength: number): JsonResult {
  if (text.length > maxLength) return { kind: 'problem', problem: `is longer than ${maxLength} characters` };
  try {
    return { kind: 'value', value: new Reader(text).whole() };
  } catch (error) {
    if (error instanceof Problem) return { kind: 'problem', problem: error.message };
    throw error;
  }
}

class Reader {
  readonly #text: string;
  readonly #isPlain: boolean;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#isPlain = !SPECIAL.test(text);
  }

  whole(): JsonValue {
    const value = this.#value(0);
    if (!Number.isNaN(this.#next())) throw new Problem('goes on after its value');
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth > MAX_NESTING) throw new Problem(`is nested deeper than ${MAX_NESTING}`);
    switch (this.#next()) {
      case CODE.quote:
        return this.#string();
      case CODE.openBrace:
        return this.#object(depth);
      case CODE.openBracket:
        return this.#array(depth);
      case CODE.t:
        return this.#literal('true', true);
      case CODE.f:
        return this.#literal('false', false);
      case CODE.n:
        return this.#literal('null', null);
      default:
        return this.#integer();
    }
  }

  #object(depth: number): JsonObject {
    const members = new Members<JsonValue>();
    this.#at++;
    if (this.#skip(CODE.closeBrace)) return members;
    do {
      if (this.#next() !== CODE.quote) throw new Problem('has a member without a name');
      const name = this.#string();
      if (!this.#skip(CODE.colon)) throw new Problem('has a member without a value');
      if (!members.add(name, this.#value(depth + 1))) throw new Problem('has a member twice');
    } while (this.#skip(CODE.comma));
    if (!this.#skip(CODE.closeBrace)) throw new Problem('has an object without an end');
    return members;
  }

  #array(depth: number): readonly JsonValue[] {
    const elements: JsonValue[] = [];
    this.#at++;
    if (this.#skip(CODE.closeBracket)) return elements;
    do elements.push(this.#value(depth + 1));
    while (this.#skip(CODE.comma));
    if (!this.#skip(CODE.closeBracket)) throw new Problem('has a list without an end');
    return elements;
  }

  #string(): string {
    const start = this.#at + 1;
    const end = this.#isPlain ? this.#text.indexOf('"', start) : -1;
    if (end < 0) return this.#escapedString();
    this.#at = end + 1;
    return this.#text.slice(start, end);
  }

  #escapedString(): string {
    STRING.lastIndex = this.#at;
    const [quoted] = STRING.exec(this.#text) ?? [];
    const string = quoted === undefined ? undefined : unescaped(quoted);
    if (quoted === undefined || string === undefined) throw new Problem('has a string that is none');
    this.#at += quoted.length;
    return string;
  }

  #integer(): number {
    INTEGER.lastIndex = this.#at;
    const [digits] = INTEGER.exec(this.#text) ?? [];
    const value = Number(digits);
    if (digits === undefined || !Number.isSafeInteger(value))
      throw new Problem('has something that is neither a value nor an integer');
    this.#at += digits.length;
    return value;
  }

  #literal<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw new Problem('has a word that is no value');
    this.#at += word.length;
    return value;
  }

  /** Code of the next character that is no white space; NaN at the end. */
  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== CODE.space && code !== CODE.lineFeed && code !== CODE.return && code !== CODE.tab)
        return code;
      this.#at++;
    }
  }

  #skip(code: number): boolean {
    if (this.#next() !== code) return false;
    this.#at++;
    return true;
  }
}

/** Without quotes and escapes; undefined when it has a bare control character, a wrong escape or a lone surrogate. */
function unescaped(quoted: string): string | undefined {
  try {
    const string: unknown = JSON.parse(quoted);
    return typeof string === 'string' && string.isWellFormed() ? string : undefined;
  } catch {
    return undefined;
  }
}
