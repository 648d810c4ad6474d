/**
 * The contents of a bundle as files, in the ConfigMaps that hold them: one, or up to four for what is too large for one. Nothing
 * is ever left out: what does not fit is not written.
 */

import type { PublishedKey } from '../token/state/jwks-file.ts';
import type { RevocationsFile } from '../token/state/revocations-file.ts';
import type { BundleContents } from './contents.ts';

/** Texts by the names of their files. */
export type FileTexts = Readonly<Record<string, string>>;

/** PEM. */
export interface AuthorityTexts {
  /** Certificates of the trusted generations. */
  readonly caPem: string;
  /** The list of revoked certificates of each of them. */
  readonly crlPem: string;
}

/** The files of each ConfigMap, the first one first and without bundle.jws; or how large they would be. */
export type BundleFiles =
  | { readonly kind: 'files'; readonly parts: readonly FileTexts[] }
  | { readonly kind: 'too-large'; readonly bytes: number };

/** Name of the file with the signature over all others. */
export const SIGNATURE_FILE = 'bundle.jws';
/** Name of the file with the lists of revoked certificates. */
export const CRL_FILE = 'ca.crl';
/** Name of the file with the revocations. */
export const REVOCATIONS_FILE = 'revocations.json';
/** How many ConfigMaps hold a bundle at most. */
export const MAX_PARTS = 4;

/** What one ConfigMap holds: the API server takes a megabyte, with all names and labels. */
const PART_BYTES = 900 * 1024;
/** For bundle.jws, and for what stands around the lists. */
const SPARE_BYTES = 16 * 1024;

/** Members of the lists of one part, as JSON. */
interface Part {
  readonly issuers: string[];
  readonly agents: string[];
  readonly edges: string[];
  bytes: number;
}

/**
 * Writes the files.
 *
 * @param authority What the authority says.
 * @param partBytes What one ConfigMap holds.
 * @returns `ca.crt`, `ca.crl`, `jwks.json`, `policy.json` and `revocations.json`; if they are too large for one, the further ones hold
 *   `jwks-1.json` and `policy-1.json`, and so on, and the lists of all these are to be put together. `too-large` when that
 *   is not enough.
 */
export function bundleFiles(
  contents: BundleContents,
  { caPem, crlPem }: AuthorityTexts,
  partBytes: number = PART_BYTES,
): BundleFiles {
  const { policy, jwks } = contents;
  const revocations = revocationsText(contents.revocations);
  const first = newPart(SPARE_BYTES + bytesOf(caPem) + bytesOf(crlPem) + bytesOf(revocations));
  const parts = [first];
  const fits = [
    ...[...jwks.issuers].map(([issuer, { keys }]) => ['issuers', issuerText(issuer, keys)] as const),
    ...[...policy.agents].map(
      ([id, agent]) => ['agents', `${JSON.stringify(id)}:${JSON.stringify(agent)}`] as const,
    ),
    ...policy.edges.map((edge) => ['edges', JSON.stringify(edge)] as const),
  ].every(([list, text]) => put(parts, { list, text, partBytes }));
  if (!fits || parts.length > MAX_PARTS || first.bytes > partBytes)
    return { kind: 'too-large', bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) };
  const lists = parts.map((part, index) => listFiles(part, index, policy.clusterDomain));
  const [listsOfFirst = {}, ...further] = lists;
  return {
    kind: 'files',
    parts: [
      { 'ca.crt': caPem, [CRL_FILE]: crlPem, ...listsOfFirst, [REVOCATIONS_FILE]: revocations },
      ...further,
    ],
  };
}

/** Adds to the last part, or to a new one; false when it is too large for any. */
function put(
  parts: Part[],
  { list, text, partBytes }: { list: 'issuers' | 'agents' | 'edges'; text: string; partBytes: number },
): boolean {
  const bytes = bytesOf(text) + 1;
  let part = parts.at(-1);
  if (part === undefined || part.bytes + bytes > partBytes) {
    part = newPart(SPARE_BYTES);
    parts.push(part);
  }
  part[list].push(text);
  part.bytes += bytes;
  return part.bytes <= partBytes;
}

function newPart(bytes: number): Part {
  return { issuers: [], agents: [], edges: [], bytes };
}

function listFiles({ issuers, agents, edges }: Part, index: number, clusterDomain: string): FileTexts {
  const suffix = index === 0 ? '' : `-${index}`;
  const head = `{"version":1,"clusterDomain":${JSON.stringify(clusterDomain)}`;
  return {
    [`jwks${suffix}.json`]: `{"version":1,"issuers":{${issuers.join()}}}`,
    [`policy${suffix}.json`]: `${head},"agents":{${agents.join()}},"edges":[${edges.join()}]}`,
  };
}

function issuerText(issuer: string, keys: readonly PublishedKey[]): string {
  return `${JSON.stringify(issuer)}:${JSON.stringify({ keys })}`;
}

function revocationsText({ suspended, notBefore, revocations }: RevocationsFile): string {
  return JSON.stringify({ version: 1, suspended, notBefore: Object.fromEntries(notBefore), revocations });
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}
