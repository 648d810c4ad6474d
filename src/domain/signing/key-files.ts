/**
 * The two JSON files of a signing Secret, as texts and back. `signing-keys.json` is what an agent signs with and is mounted;
 * `published-keys.json` is what the operator publishes and is not.
 */

import { Members } from '../json/members.ts';
import { type JsonValue, parseJson } from '../json/parse.ts';
import { Fault, integer, isObject, list, object, oneOf, optional, type Shape, text } from '../json/shape.ts';
import { type PublicJwk, publicJwk } from '../token/state/jwks-file.ts';
import { isDigest } from '../token/text-forms.ts';
import type { KeyState, SigningKey } from './keys.ts';

/** A private key as JWK; RFC 7518 section 6.2.2, RFC 8037 section 2. */
export type PrivateJwk = PublicJwk & { readonly d: string };

/** A key that an agent signs with, as its file says. */
export interface MountedKey {
  readonly kid: string;
  readonly state: Exclude<KeyState, 'Retiring'>;
  /** Whole seconds since the Unix epoch. */
  readonly since: number;
  readonly until?: number;
  readonly jwk: PrivateJwk;
}

/** What `published-keys.json` says. */
export interface PublishedKeys {
  /** UID of the AgentIdentity. */
  readonly identity: string;
  readonly keys: readonly SigningKey[];
}

/** `published-keys.json` as it was read; `sha256` is of what {@link digestedText} gives, base64url. */
export interface PublishedKeysFile extends PublishedKeys {
  readonly version: 1;
  readonly sha256: string;
}

/** Longer files are not read; octets, or UTF-16 code units of the text. */
export const KEY_FILE_LIMIT = 65_536;
const MOST_KEYS = 16;
const UID = /^[A-Za-z0-9-]{1,64}$/;

const version: Shape<1> = (value) => (value === 1 ? 1 : new Fault('malformed'));
const instant = integer(0, Number.MAX_SAFE_INTEGER);
const life = { since: instant, until: optional(instant) } as const;
const any: Shape<JsonValue> = (value) => value;

const signingKeysFile = object<{ readonly version: 1; readonly keys: readonly JsonValue[] }>({
  version,
  keys: list(any, { most: MOST_KEYS }),
});
const mountedKey = object<MountedKey>({
  kid: text(isDigest),
  state: oneOf('Next', 'Active'),
  ...life,
  jwk: privateJwk,
});
const publishedKeysFile = object<PublishedKeysFile>({
  version,
  identity: text((uid) => UID.test(uid)),
  keys: list(
    object<SigningKey>({
      kid: text(isDigest),
      state: oneOf('Next', 'Active', 'Retiring'),
      createdMs: instant,
      ...life,
      jwk: publicJwk,
    }),
    { most: MOST_KEYS },
  ),
  sha256: text(isDigest),
});

/** Writes `signing-keys.json`. */
export function signingKeysText(keys: readonly MountedKey[]): string {
  const written = keys.map(({ kid, state, since, until, jwk }) => ({
    kid,
    state,
    since,
    until,
    jwk: inOrder(jwk),
  }));
  return JSON.stringify({ version: 1, keys: written });
}

/** Writes `published-keys.json`. */
export function publishedKeysText(published: PublishedKeys, sha256: string): string {
  return JSON.stringify({ ...digested(published), sha256 });
}

/** The text that the digest in `published-keys.json` is of. */
export function digestedText(published: PublishedKeys): string {
  return JSON.stringify(digested(published));
}

/** Reads `signing-keys.json`; a key that has not its form is left out, so that it costs no other. Errors: none. */
export function readSigningKeys(json: string): readonly MountedKey[] {
  const file = readWith(signingKeysFile, json);
  return (file?.keys ?? []).flatMap((each) => {
    const key = mountedKey(each);
    return key instanceof Fault ? [] : [key];
  });
}

/** Reads `published-keys.json`, but does not check its digest. Undefined when it has not its form. Errors: none. */
export function readPublishedKeys(json: string): PublishedKeysFile | undefined {
  return readWith(publishedKeysFile, json);
}

function readWith<T>(shape: Shape<T>, json: string): T | undefined {
  const result = parseJson(json, KEY_FILE_LIMIT);
  const read = result.kind === 'value' ? shape(result.value) : undefined;
  return read instanceof Fault ? undefined : read;
}

function privateJwk(value: JsonValue): PrivateJwk | Fault {
  if (!isObject(value)) return new Fault('malformed');
  const d = value.get('d');
  if (typeof d !== 'string' || !isDigest(d)) return new Fault('malformed', 'd');
  const members = new Members<JsonValue>();
  for (const [name, member] of value) if (name !== 'd') members.add(name, member);
  const jwk = publicJwk(members);
  return jwk instanceof Fault ? jwk : { ...jwk, d };
}

function digested({ identity, keys }: PublishedKeys): object {
  const written = keys.map(({ kid, state, createdMs, since, until, jwk }) => {
    return { kid, state, createdMs, since, until, jwk: inOrder(jwk) };
  });
  return { version: 1, identity, keys: written };
}

/** Members in one order, whatever made the key. */
function inOrder(jwk: PublicJwk & { readonly d?: string }): object {
  const { kty, crv, x, d } = jwk;
  return jwk.kty === 'EC' ? { kty, crv, x, y: jwk.y, d } : { kty, crv, x, d };
}
