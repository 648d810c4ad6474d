/**
 * The payload of a token as agents write it: its members in their order, without white space, escapes, and whatever else JSON
 * allows and they never do. Most payloads are like that, and are read in one pass in a third of the time.
 */

import { isCapabilityName, isResource } from '../capability/parse.ts';
import {
  type Actor,
  CAPABILITY_DETAILS_TYPE,
  type CapabilityClaims,
  type Confirmation,
  type GrantedCapability,
  TOKEN_LIMITS,
} from './claims.ts';
import { isAgentId, isDigest, isUuidV7 } from './text-forms.ts';
import { type Form, recognising } from './text-memo.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** So many digits are a number that a double holds exactly. */
const MAX_DIGITS = 15;
const CODE_0 = 0x30;
const DETAILS = `,"authorization_details":[{"type":"${CAPABILITY_DETAILS_TYPE}","capabilities":[`;

const PRESENTER: Form = recognising(isAgentId);
/** Of its own: an agent reads tokens of many presenters, and few that are for others. */
const AUDIENCE: Form = recognising(isAgentId);
const THUMBPRINT: Form = recognising(isDigest);
const NAME: Form = recognising(isCapabilityName);
const RESOURCE: Form = recognising(isResource);
const UUID: Form = (text) => (isUuidV7(text) ? text : undefined);
const DIGEST: Form = (text) => (isDigest(text) ? text : undefined);

/**
 * Reads a payload.
 *
 * @returns What `readClaims` makes of it, or undefined, which says nothing: then it is to be read member by member.
 *
 * Errors: none.
 */
export function readPlainClaims(payload: string): CapabilityClaims | undefined {
  const text = new PlainText(payload);
  const iss = text.string('{"iss":', PRESENTER);
  const sub = text.string(',"sub":', PRESENTER);
  const act = text.optional(',"act":') ? readActor(text, TOKEN_LIMITS.depth) : undefined;
  const presenter = text.string(',"client_id":', PRESENTER);
  const aud = text.string(',"aud":', AUDIENCE);
  const iat = text.number(',"iat":', Number.MAX_SAFE_INTEGER);
  const exp = text.number(',"exp":', Number.MAX_SAFE_INTEGER);
  const delegable = text.optional(',"del_exp":') ? text.number('', Number.MAX_SAFE_INTEGER) : undefined;
  const jti = text.string(',"jti":', UUID);
  const txn = text.string(',"txn":', UUID);
  const capabilities = readCapabilities(text);
  const cnf = readConfirmation(text);
  const claims: Writable<CapabilityClaims> = {
    iss,
    sub,
    client_id: presenter,
    aud,
    iat,
    exp,
    jti,
    txn,
    authorization_details: [{ type: CAPABILITY_DETAILS_TYPE, capabilities }],
    cnf,
    max_uses: text.number(',"max_uses":', TOKEN_LIMITS.uses),
    del_depth: text.number(',"del_depth":', TOKEN_LIMITS.depth),
    del_max_depth: text.number(',"del_max_depth":', TOKEN_LIMITS.depth),
  };
  if (act !== undefined) claims.act = act;
  if (delegable !== undefined) claims.del_exp = delegable;
  if (text.optional(',"par_hash":')) claims.par_hash = text.string('', DIGEST);
  text.literal('}');
  return text.isRead && exp > iat ? claims : undefined;
}

function readActor(text: PlainText, depth: number): Actor {
  const sub = text.string('{"sub":', PRESENTER);
  const act = depth > 1 && text.optional(',"act":') ? readActor(text, depth - 1) : undefined;
  text.literal('}');
  return act === undefined ? { sub } : { sub, act };
}

function readCapabilities(text: PlainText): readonly GrantedCapability[] {
  const capabilities: GrantedCapability[] = [];
  text.literal(DETAILS);
  do {
    const name = text.string('{"name":', NAME);
    const resources: string[] = [];
    text.literal(',"resources":[');
    do resources.push(text.string('', RESOURCE));
    while (text.optional(','));
    text.literal(']}');
    if (resources.length > TOKEN_LIMITS.resources) text.fail();
    for (const each of capabilities) if (each.name === name) text.fail();
    capabilities.push({ name, resources });
  } while (text.optional(','));
  text.literal(']}]');
  if (capabilities.length > TOKEN_LIMITS.capabilities) text.fail();
  return capabilities;
}

function readConfirmation(text: PlainText): Confirmation {
  const isKey = text.optional(',"cnf":{"jkt":');
  const digest = text.string(isKey ? '' : ',"cnf":{"x5t#S256":', THUMBPRINT);
  text.literal('}');
  return isKey ? { jkt: digest } : { 'x5t#S256': digest };
}

/** A text that is read from its beginning. Once something is not as expected, nothing counts that is read. */
class PlainText {
  readonly #text: string;
  #at = 0;
  #isPlain = true;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether all of it was read, and was as expected. */
  get isRead(): boolean {
    return this.#isPlain && this.#at === this.#text.length;
  }

  fail(): void {
    this.#isPlain = false;
  }

  /** Whether this comes next; then it is read. */
  optional(literal: string): boolean {
    if (!this.#isPlain || !this.#text.startsWith(literal, this.#at)) return false;
    this.#at += literal.length;
    return true;
  }

  literal(literal: string): void {
    if (!this.optional(literal)) this.fail();
  }

  /**
   * Reads a string after a literal.
   *
   * @param form Admits nothing that JSON would escape, so that the string is what stands between two quotes.
   */
  string(before: string, form: Form): string {
    this.literal(before);
    const start = this.#at + 1;
    const end = this.#text.indexOf('"', start);
    if (end < 0 || !this.optional('"')) {
      this.fail();
      return '';
    }
    this.#at = end + 1;
    const string = form(this.#text.slice(start, end));
    if (string === undefined) this.fail();
    return string ?? '';
  }

  /** Reads a number after a literal: digits, from 1 to `most`. */
  number(before: string, most: number): number {
    this.literal(before);
    const start = this.#at;
    let number = 0;
    for (;;) {
      const digit = this.#text.charCodeAt(this.#at) - CODE_0;
      // NaN at the end.
      if (!(digit >= 0 && digit <= 9)) break;
      number = number * 10 + digit;
      this.#at++;
    }
    const hasLeadingZero = this.#text.charCodeAt(start) === CODE_0;
    if (hasLeadingZero || this.#at - start > MAX_DIGITS || number < 1 || number > most) this.fail();
    return number;
  }
}
