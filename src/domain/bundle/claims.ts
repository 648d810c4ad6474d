/** What bundle.jws says of the files beside it. */

import { type JsonValue, parseJson } from '../json/parse.ts';
import { Fault, integer, list, object, oneOf, record, type Shape, text } from '../json/shape.ts';
import { isDigest } from '../token/text-forms.ts';

/** The claims. Instants are seconds since the Unix epoch. */
export interface BundleClaims {
  /** Grows with every bundle of a namespace. */
  readonly sequence: number;
  readonly iat: number;
  /** From then on nothing is decided by these files. */
  readonly exp: number;
  /** The namespace. */
  readonly aud: string;
  /** By name: base64url of the SHA-256 of the file. */
  readonly files: ReadonlyMap<string, string>;
}

/** The header. */
export interface BundleHeader {
  readonly typ: 'agent-bundle+jwt';
  readonly alg: 'ES256';
  /** Base64 of certificates in DER, the leaf first; RFC 7515 section 4.1.6. */
  readonly x5c: readonly string[];
}

/** Sizes beyond which nothing of it is looked at. */
export const BUNDLE_SIGNATURE_LIMITS = { characters: 65_536, certificates: 4, files: 64 } as const;

const MAX_LIFE_SECONDS = 86_400;
const CERTIFICATE_CHARACTERS = 12_288;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** Of no folder but the one it lies in. */
const FILE_NAME = /^[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?$/;

const header: Shape<BundleHeader> = object<BundleHeader>({
  typ: oneOf('agent-bundle+jwt'),
  alg: oneOf('ES256'),
  x5c: list(text(isCertificateText), { least: 1, most: BUNDLE_SIGNATURE_LIMITS.certificates }),
});

const instant = integer(0, Number.MAX_SAFE_INTEGER);

const claims: Shape<BundleClaims & { readonly version: 1 }> = object<BundleClaims & { readonly version: 1 }>({
  version: (value) => (value === 1 ? 1 : new Fault('malformed')),
  sequence: instant,
  iat: instant,
  exp: instant,
  aud: text((name) => NAMESPACE.test(name)),
  files: record((name) => FILE_NAME.test(name), text(isDigest), BUNDLE_SIGNATURE_LIMITS.files),
});

/** Reads the header: these members and no other. Undefined when it is another. */
export function readBundleHeader(json: string): BundleHeader | undefined {
  return read(json, header);
}

/**
 * Reads the claims.
 *
 * @returns Undefined when they are of another version, not of this form in every part, or for longer than a day.
 */
export function readBundleClaims(json: string): BundleClaims | undefined {
  const found = read(json, claims);
  if (found === undefined) return undefined;
  const { sequence, iat, exp, aud, files } = found;
  return exp > iat && exp - iat <= MAX_LIFE_SECONDS ? { sequence, iat, exp, aud, files } : undefined;
}

/** Writes the claims; equal ones give the same text. */
export function writeBundleClaims({ sequence, iat, exp, aud, files }: BundleClaims): string {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ version: 1, sequence, iat, exp, aud, files: Object.fromEntries(sorted) });
}

function read<T>(json: string, shape: (value: JsonValue) => T | Fault): T | undefined {
  const parsed = parseJson(json, BUNDLE_SIGNATURE_LIMITS.characters);
  const value = parsed.kind === 'value' ? shape(parsed.value) : undefined;
  return value instanceof Fault ? undefined : value;
}

function isCertificateText(value: string): boolean {
  return value.length <= CERTIFICATE_CHARACTERS && BASE64.test(value);
}
