/** What must be true of the signing Secret of one AgentIdentity. Found with node:crypto alone. */

import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import { auditSecret, textOf, wrong } from './audit-secret.ts';

interface Key {
  readonly kid: string;
  readonly state: string;
  readonly jwk: { readonly d?: string };
}

const SIGNING = {
  called: 'the signing Secret',
  type: 'agenttrust.dev/signing-key',
  keys: ['published-keys.json', 'signing-keys.json', 'signing.key', 'signing.kid'],
} as const;

/** Everything that is wrong, each a sentence without the identity's name. */
export function auditSigning(identity: AgentIdentity, secret: Secret): readonly string[] {
  const [signing, published] = [keysIn(secret, 'signing-keys.json'), keysIn(secret, 'published-keys.json')];
  const kid = textOf(secret, 'signing.kid');
  const active = signing.filter(({ state }) => state === 'Active');
  const said = identity.status?.signingKeys ?? [];
  const isPublic = (key: Key): boolean => key.jwk.d === undefined;
  return [
    ...auditSecret(identity, secret, SIGNING),
    ...wrong([
      [thumbprintOf(textOf(secret, 'signing.key')) === kid, 'signing.key is not the key of signing.kid'],
      [active.map((key) => key.kid).join() === kid, 'signing.kid is not that of the Active key'],
      [signing.every((key) => !isPublic(key)), 'a key to sign with has no private half'],
      [published.every(isPublic), 'a published key has its private half'],
      [
        linesOf(published.filter(({ state }) => state !== 'Retiring')) === linesOf(signing),
        'the keys to sign with are not those that are published',
      ],
      [linesOf(said) === linesOf(published), `status has the signing keys ${linesOf(said)}`],
    ]),
  ];
}

function keysIn(secret: Secret, name: string): readonly Key[] {
  try {
    return (JSON.parse(textOf(secret, name)) as { readonly keys: readonly Key[] }).keys;
  } catch {
    return [];
  }
}

function linesOf(keys: readonly Pick<Key, 'kid' | 'state'>[]): string {
  return keys
    .map(({ kid, state }) => `${state} ${kid}`)
    .sort()
    .join();
}

/** RFC 7638, of the kinds of keys that there are. */
function thumbprintOf(pem: string): string | undefined {
  try {
    const { crv, kty, x, y } = createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' });
    return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  } catch {
    return undefined;
  }
}
