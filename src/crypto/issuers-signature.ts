/**
 * The signature over what the operator remembers of issuers, by a generation of its authority: nobody without the key of that
 * can have an agent trust another CA by writing a ConfigMap.
 */

import { sign, verify } from 'node:crypto';
import type { Authority } from './authority-reader.ts';

/** Begins what is signed: no certificate and no revocation list, which are DER, can begin like this. */
const PURPOSE = 'agent-trust issuers, version 1\n';

/** The id of the generation, a dot, and its ECDSA signature in base64url. */
export function signIssuers(text: string, { id, privateKey }: Pick<Authority, 'id' | 'privateKey'>): string {
  return `${id}.${sign('sha256', Buffer.from(PURPOSE + text), privateKey).toString('base64url')}`;
}

/** Whether one of the generations has signed the text. Errors: none. */
export function isIssuersSignature(
  text: string,
  signature: string,
  generations: readonly Pick<Authority, 'id' | 'publicKey'>[],
): boolean {
  const signer = generations.find(({ id }) => id === signerOfIssuers(signature));
  const octets = Buffer.from(signature.slice(signature.indexOf('.') + 1), 'base64url');
  return signer !== undefined && verify('sha256', Buffer.from(PURPOSE + text), signer.publicKey, octets);
}

/** Id of the generation that a signature says to be of. */
export function signerOfIssuers(signature: string): string {
  return signature.slice(0, Math.max(0, signature.indexOf('.')));
}
