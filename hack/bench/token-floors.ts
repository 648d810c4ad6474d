/** What verification is compared with: the bare signatures of a chain, and the least that any verifier does of a token. */

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { derSignature } from '../../src/crypto/jose/ecdsa-signature.ts';
import type { DelegatedToken } from '../../src/sdk/delegate.ts';

/** The keys that an agent signs with. */
export interface Keys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const keysOf = new Map<string, Keys>();

/** Those of an agent of `agent-trust dev`, which keeps its files in `folder`; read once. */
export function signingKeys(folder: string, name: string): Keys {
  const known = keysOf.get(name);
  if (known !== undefined) return known;
  const privateKey = createPrivateKey(readFileSync(join(folder, 'ai-agents', name, 'signing/signing.key')));
  const keys = { privateKey, publicKey: createPublicKey(privateKey) };
  keysOf.set(name, keys);
  return keys;
}

/** What of a token is signed. */
export function inputOf(token = ''): Buffer {
  return Buffer.from(token.slice(0, token.lastIndexOf('.')), 'latin1');
}

/** Verifies all signatures of the token at a place, and nothing else. `keys`: those of its signer first. @throws Error when one is wrong. */
export function bareVerifier(tokens: readonly DelegatedToken[], keys: readonly Keys[]): (at: number) => void {
  const signed = tokens.map(({ token, chain }) =>
    [token, ...chain].map((each, at) => {
      const { publicKey, privateKey } = item(keys, at);
      const input = inputOf(each);
      return { input, publicKey, signature: sign('sha256', input, privateKey) };
    }),
  );
  return (at) => {
    for (const { input, publicKey, signature } of item(signed, at))
      if (!verify('sha256', input, publicKey, signature)) throw new Error('a signature is wrong');
  };
}

/** Takes the text apart, reads its JSON, checks the signature, and remembers the token. @throws Error when one is wrong. */
export function leastVerifier({ publicKey }: Keys): (token: string) => void {
  const seen = new Set<string>();
  return (token) => {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('latin1'));
    const { alg } = read(header) as { readonly alg: string };
    const { jti } = read(payload) as { readonly jti: string };
    const der = derSignature(Buffer.from(signature, 'base64url'));
    const isSigned = der !== undefined && verify('sha256', inputOf(token), publicKey, der);
    if (alg !== 'ES256' || !isSigned || seen.has(jti)) throw new Error('a token is wrong');
    seen.add(jti);
  };
}

/** The element at a place. @throws RangeError when there is none. */
export function item<T>(items: readonly T[], at: number): T {
  const found = items[at];
  if (found === undefined) throw new RangeError(`there is no item ${at}`);
  return found;
}
