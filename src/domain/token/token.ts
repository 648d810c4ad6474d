/** A capability token as text and as what it says: its form only, steps 1 to 3 of verification. Nothing is believed yet. */

import { type JsonObject, type JsonValue, parseJson } from '../json/parse.ts';
import { Fault, isObject } from '../json/shape.ts';
import { CAPABILITY_TOKEN_TYPE, type CapabilityClaims, TOKEN_LIMITS } from './claims.ts';
import { readClaims } from './claims-shape.ts';
import { readPlainClaims } from './plain-claims.ts';
import { type Refusal, refuse } from './refusal.ts';
import { isKeyId } from './text-forms.ts';
import { remembering } from './text-memo.ts';

/** A JWS in compact form, decoded; RFC 7515 section 7.1. */
export interface DecodedJws {
  /** JSON text of the protected header. */
  readonly header: string;
  /** Text of the payload. */
  readonly payload: string;
  /** ASCII(header.payload), both still encoded; what is signed. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

/** What of cryptography these rules need. */
export interface TokenCrypto {
  /** Undefined for what is not three parts of strict base64url, the first two of them UTF-8. */
  decodeJws(compact: string): DecodedJws | undefined;
  /** base64url of the SHA-256 of an ASCII text. */
  sha256(text: string): string;
  /** Whether two texts are the same, in a time that tells only whether they are equally long. */
  isSame(a: string, b: string): boolean;
}

/** A token whose form is right. */
export interface Token {
  readonly kind: 'token';
  /** As it was presented. */
  readonly compact: string;
  readonly signingInput: string;
  readonly signature: Uint8Array;
  /** Any text: the key decides which algorithm is right. */
  readonly algorithm: string;
  readonly keyId: string;
  readonly claims: CapabilityClaims;
}

const HEADER_MEMBERS: ReadonlySet<string> = new Set(['alg', 'kid', 'typ']);

/** An object out of a JSON text, or undefined. */
export function jsonObject(
  text: string,
  maxLength: number = TOKEN_LIMITS.tokenBytes,
): JsonObject | undefined {
  const result = parseJson(text, maxLength);
  return result.kind === 'value' && isObject(result.value) ? result.value : undefined;
}

/**
 * Reads a token: its size, its encoding, its type, its members.
 *
 * @returns The token, or `malformed`, `wrong_type`, `unknown_claim`. Errors: none.
 */
export function readToken(compact: string, crypto: TokenCrypto): Token | Refusal {
  const decoded = compact.length <= TOKEN_LIMITS.tokenBytes ? crypto.decodeJws(compact) : undefined;
  const header = decoded && headerOf(decoded.header);
  const claims = decoded && claimsOf(decoded.payload);
  if (decoded === undefined || header === undefined || claims === undefined)
    return refuse('malformed', 'The token is too long, or no JWS of strict base64url and strict JSON.');
  if (header.type !== CAPABILITY_TOKEN_TYPE)
    return refuse('wrong_type', `The token is not of type ${CAPABILITY_TOKEN_TYPE}.`);
  const { algorithm, keyId } = header;
  if (algorithm === undefined || keyId === undefined)
    return refuse('malformed', 'The header of the token lacks alg or kid.');
  if (claims instanceof Fault) return faultyClaims(claims);
  if (header.hasMore)
    return refuse('unknown_claim', 'The header of the token has a member beside alg, kid and typ.');
  const { signingInput, signature } = decoded;
  return { kind: 'token', compact, signingInput, signature, algorithm, keyId, claims };
}

/** Undefined for what is no object of strict JSON. */
function claimsOf(payload: string): CapabilityClaims | Fault | undefined {
  const plain = readPlainClaims(payload);
  if (plain !== undefined) return plain;
  const members = jsonObject(payload);
  return members && readClaims(members);
}

/** What of a header is read. Undefined: missing, or not of its form. */
interface Header {
  readonly type: JsonValue | undefined;
  readonly algorithm: string | undefined;
  readonly keyId: string | undefined;
  /** Whether there is another member. */
  readonly hasMore: boolean;
}

/** All tokens of one key have one header. Undefined for what is no object of strict JSON. */
const headerOf = remembering((text): Header | undefined => {
  const members = jsonObject(text);
  if (members === undefined) return undefined;
  const [algorithm, keyId] = [members.get('alg'), members.get('kid')];
  return {
    type: members.get('typ'),
    algorithm: typeof algorithm === 'string' ? algorithm : undefined,
    keyId: typeof keyId === 'string' && isKeyId(keyId) ? keyId : undefined,
    hasMore: members.keys().some((name) => !HEADER_MEMBERS.has(name)),
  };
});

function faultyClaims({ kind, at }: Fault): Refusal {
  const place = at === '' ? 'the payload' : at;
  return kind === 'malformed'
    ? refuse('malformed', `In the token, ${place} is missing or not of its form.`, { at: place })
    : refuse('unknown_claim', `In the token, ${place} has something that is not known here.`, { at: place });
}
