/** The cryptography that the rules of tokens need, by node:crypto. */

import { isAscii, isUtf8 } from 'node:buffer';
import { hash, timingSafeEqual } from 'node:crypto';
import type { DecodedJws, TokenCrypto } from '../../domain/token/token.ts';
import { decodeBase64url } from './base64url.ts';

/** For every verifier. */
export const TOKEN_CRYPTO: TokenCrypto = {
  decodeJws,
  sha256: (text) => hash('sha256', text, 'base64url'),
  isSame,
};

/** RFC 7515 section 5.2, steps 1 to 7; the signature may be empty, which no key accepts. */
function decodeJws(compact: string): DecodedJws | undefined {
  const [first = '', second = '', third, ...more] = compact.split('.');
  if (third === undefined || more.length > 0) return undefined;
  const signature = decodeBase64url(third);
  const header = decodeText(first);
  const payload = decodeText(second);
  if (signature === undefined || header === undefined || payload === undefined) return undefined;
  const signingInput = compact.slice(0, first.length + 1 + second.length);
  return { header, payload, signingInput, signature };
}

function decodeText(part: string): string | undefined {
  const octets = decodeBase64url(part);
  if (octets === undefined) return undefined;
  if (isAscii(octets)) return octets.toString('latin1');
  return isUtf8(octets) ? octets.toString('utf8') : undefined;
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, 'utf16le'), Buffer.from(b, 'utf16le'));
}
