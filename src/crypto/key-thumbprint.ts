/** What tells one public key of an authority from another, however it is written down. */

import { hash, type KeyObject } from 'node:crypto';

/**
 * The thumbprint of an EC or RSA key with SHA-256; RFC 7638 section 3. The same for every encoding of the key: OpenSSL keeps the
 * form in which it has read a point.
 *
 * @returns base64url. Errors: none.
 */
export function keyThumbprint(publicKey: KeyObject): string {
  const { kty, crv, x, y, e, n } = publicKey.export({ format: 'jwk' });
  return hash('sha256', JSON.stringify(kty === 'EC' ? { crv, kty, x, y } : { e, kty, n }), 'base64url');
}
