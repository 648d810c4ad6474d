/**
 * jwks.json of a bundle: the public keys of every issuer that can reach one namespace. The value of each issuer is a JWK Set
 * (RFC 7517 section 5), so that anybody's verifier can read it.
 */

import type { JsonValue } from '../../json/parse.ts';
import { parseJson } from '../../json/parse.ts';
import {
  Fault,
  integer,
  isObject,
  list,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  text,
} from '../../json/shape.ts';
import { isDigest, isKeyId, isTokenIssuer } from '../text-forms.ts';
import { FILE_LIMIT_LENGTH } from './policy-file.ts';

/** Members of a public key that make it what it is; RFC 7518 section 6.2, RFC 8037 section 2, RFC 7638 section 3.2. */
export type PublicJwk =
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };

interface Published {
  readonly kid: string;
  readonly use?: 'sig';
  /** First second in which a token of this key may be issued. */
  readonly since: number;
  /** Last such second; absent while nobody has said when. */
  readonly until?: number;
}

/** A key of an issuer. */
export type PublishedKey = Published &
  (
    | (Extract<PublicJwk, { kty: 'EC' }> & { readonly alg?: 'ES256' })
    | (Extract<PublicJwk, { kty: 'OKP' }> & { readonly alg?: 'Ed25519' })
  );

/** The file. */
export interface JwksFile {
  readonly version: 1;
  /** By `iss`. */
  readonly issuers: ReadonlyMap<string, { readonly keys: readonly PublishedKey[] }>;
}

const instant = integer(0, Number.MAX_SAFE_INTEGER);
const coordinate = text(isDigest);
const published = {
  kid: text(isKeyId),
  use: optional(oneOf('sig')),
  since: instant,
  until: optional(instant),
} as const;

const ecMembers = { kty: oneOf('EC'), crv: oneOf('P-256'), x: coordinate, y: coordinate } as const;
const okpMembers = { kty: oneOf('OKP'), crv: oneOf('Ed25519'), x: coordinate } as const;
const ecJwk = object<Extract<PublicJwk, { kty: 'EC' }>>(ecMembers);
const okpJwk = object<Extract<PublicJwk, { kty: 'OKP' }>>(okpMembers);
const ecKey = object<Extract<PublishedKey, { kty: 'EC' }>>({
  ...ecMembers,
  ...published,
  alg: optional(oneOf('ES256')),
});
const okpKey = object<Extract<PublishedKey, { kty: 'OKP' }>>({
  ...okpMembers,
  ...published,
  alg: optional(oneOf('Ed25519')),
});

const file: Shape<JwksFile> = object<JwksFile>({
  version: (value) => (value === 1 ? 1 : new Fault('malformed')),
  issuers: record(isTokenIssuer, object({ keys: list(publishedKey, { most: 16 }) }), 100_000),
});

/** Reads the public key of a proof: these members and no other, so never a private one; RFC 9449 section 4.2. */
export function publicJwk(value: JsonValue): PublicJwk | Fault {
  return isOkp(value) ? okpJwk(value) : ecJwk(value);
}

/**
 * Reads jwks.json.
 *
 * @returns Undefined when it is of another version or not of this form in every part.
 *
 * Errors: none.
 */
export function readJwksFile(json: string): JwksFile | undefined {
  const result = parseJson(json, FILE_LIMIT_LENGTH);
  const read = result.kind === 'value' ? file(result.value) : undefined;
  return read instanceof Fault ? undefined : read;
}

function publishedKey(value: JsonValue): PublishedKey | Fault {
  return isOkp(value) ? okpKey(value) : ecKey(value);
}

function isOkp(value: JsonValue): boolean {
  return isObject(value) && value.get('kty') === 'OKP';
}
