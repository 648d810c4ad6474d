/** The cryptography that the rules of tokens need, by node:crypto. */

import { isAscii, isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { decodeBase64url } from '../../domain/token/base64url.ts';
import { remembering } from '../../domain/token/text-memo.ts';
import type { DecodedJws, TokenCrypto } from '../../domain/token/token.ts';

/** For every verifier. */
export const TOKEN_CRYPTO: TokenCrypto = {
  decodeJws,
  sha256: (text) => hash('sha256', text, 'base64url'),
  isSame,
};

/** All tokens of one key have one header. */
const decodeHeader = remembering(decodeText);

/** RFC 7515 section 5.2, steps 1 to 7; the signature may be empty, which no key accepts. */
function decodeJws(compact: string): DecodedJws | undefined {
  const first = compact.indexOf('.');
  const last = compact.lastIndexOf('.');
  // A third dot is no base64url.
  if (first === last) return undefined;
  const header = decodeHeader(compact.slice(0, first));
  const payload = decodeText(compact.slice(first + 1, last));
  const signature = decodeBase64url(compact.slice(last + 1));
  if (signature === undefined || header === undefined || payload === undefined) return undefined;
  return { header, payload, signingInput: compact.slice(0, last), signature };
}

function decodeText(part: string): string | undefined {
  const octets = decodeBase64url(part);
  if (octets === undefined) return undefined;
  if (isAscii(octets)) return octets.toString('latin1');
  return isUtf8(octets) ? octets.toString('utf8') : undefined;
}

/** Without a branch that depends on what is compared; timingSafeEqual wants octets, and making them takes longer than this. */
function isSame(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}
