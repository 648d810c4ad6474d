/**
 * Keys of authorities that were given, and were tainted or revoked when they went: whatever is asked for later, nobody signs with
 * them again. They stand in the ConfigMap with the phases.
 */

import type { Authority } from '../../crypto/authority-reader.ts';
import { keyThumbprint } from '../../crypto/key-thumbprint.ts';

/** Ids of generations by the thumbprint of their key, the latest last. */
export type RefusedKeys = ReadonlyMap<string, string>;

/** So many are remembered: the ConfigMap must not grow without end. */
const MAX_REFUSED = 256;
const ID_FORM = /^[0-9a-f]{16}$/;
const THUMBPRINT_FORM = /^[A-Za-z0-9_-]{43}$/;

/** Those, and another one. */
export function withRefused(refused: RefusedKeys, { id, publicKey }: Authority): RefusedKeys {
  return new Map([...refused, [keyThumbprint(publicKey), id] as const].slice(-MAX_REFUSED));
}

/** Id of the generation that had this key, if it is refused. */
export function refusedIdOf(refused: RefusedKeys, { publicKey }: Authority): string | undefined {
  return refused.size === 0 ? undefined : refused.get(keyThumbprint(publicKey));
}

/** As JSON: thumbprints by id. Empty when there are none. */
export function refusedText(refused: RefusedKeys): string {
  if (refused.size === 0) return '';
  const byId = Object.fromEntries([...refused].map(([thumbprint, id]) => [id, thumbprint]));
  return `${JSON.stringify(byId, undefined, 2)}\n`;
}

/** Reads it. What cannot be read is left out: the operator alone writes it, and puts it back while it runs. */
export function readRefused(text: string): RefusedKeys {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new Map();
  }
  if (typeof value !== 'object' || value === null) return new Map();
  const entries = Object.entries(value).filter(
    (entry): entry is [string, string] =>
      ID_FORM.test(entry[0]) && typeof entry[1] === 'string' && THUMBPRINT_FORM.test(entry[1]),
  );
  return new Map(entries.map(([id, thumbprint]) => [thumbprint, id]));
}
