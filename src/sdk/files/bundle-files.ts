/** The bundle of an agent's namespace, from the files that its pod mounts. It counts as a whole or not at all. */

import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { readRevocationLists } from '../../crypto/crl-reader.ts';
import {
  type BundleClaims,
  type BundleTrust,
  peekBundleClaims,
  readBundleSignature,
} from '../../crypto/jose/bundle-signature.ts';
import { readIssuers } from '../../crypto/jose/verifying-key.ts';
import { decodePem, PEM_LIMIT_BYTES } from '../../crypto/pem.ts';
import { RevokedCertificates } from '../../crypto/revoked-certificates.ts';
import { CRL_FILE, REVOCATIONS_FILE, SIGNATURE_FILE } from '../../domain/bundle/files.ts';
import {
  mergePolicyFiles,
  type PolicyFile,
  readPolicyFile,
  TokenPolicies,
} from '../../domain/token/state/policy-file.ts';
import { RevocationIndex } from '../../domain/token/state/revocation-index.ts';
import { readRevocationsFile } from '../../domain/token/state/revocations-file.ts';
import type { Issuers, VerifierState, VerifyingKey } from '../../domain/token/state/verifier-state.ts';
import { type FileProblem, type FileProblemCode, fileProblem, isProblem } from './file-problem.ts';
import { type FolderFiles, fileOf } from './folder-reading.ts';
import type { AgentIdentity } from './tls-files.ts';

/** A bundle that counts. */
export interface AgentBundle {
  readonly claims: BundleClaims;
  readonly state: VerifierState;
  readonly policy: PolicyFile;
  /** Of agents; none in a bundle of an operator that does not write `ca.crl` yet. */
  readonly revokedCertificates: RevokedCertificates;
  /** `bundle.jws`. */
  readonly signature: string;
}

/** For whom a bundle is read, and when. */
export interface BundleReader {
  /** Its own certificate says for which namespace, its own roots say who may sign; never those of the bundle. */
  readonly identity: AgentIdentity;
  /** The one that counts now. */
  readonly known: AgentBundle | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

const SIGNATURE = `bundle/${SIGNATURE_FILE}`;
const ROOTS_FORM = { label: 'CERTIFICATE', limitBytes: PEM_LIMIT_BYTES.bundle, maxBlocks: 64 } as const;
const JWKS_PART = /^jwks(-[0-9]+)?\.json$/;
const POLICY_PART = /^policy(-[0-9]+)?\.json$/;

/**
 * Reads `bundle/`.
 *
 * @returns The bundle, which is the known one when there is no other; or what is wrong: the signature, namespace, end or
 *   sequence, a file that is missing or was altered, a file that has not its form. Errors: none.
 */
export function readBundle(files: FolderFiles, reader: BundleReader): AgentBundle | FileProblem {
  const content = fileOf(files, SIGNATURE);
  if (isProblem(content)) return content;
  const signature = content.toString('latin1');
  const claims = signature === reader.known?.signature ? reader.known.claims : readClaims(signature, reader);
  if (isProblem(claims)) return claims;
  const texts = readTexts(files, claims);
  if (isProblem(texts)) return texts;
  if (claims === reader.known?.claims) return reader.known;
  return bundleOf(texts, { claims, signature, known: reader.known });
}

function readClaims(signature: string, { identity, known, nowMs }: BundleReader): BundleClaims | FileProblem {
  const { namespace, trustDomain, tls } = identity;
  const trust = { rootsPem: tls.caPem, trustDomain, nowMs };
  const claims = readBundleSignature(signature, trust);
  if (claims === undefined) return wrong('bundle_unsigned', whyUnsigned(signature, trust));
  if (claims.aud !== namespace) return wrong('bundle_foreign', `is not for namespace ${namespace}`);
  if (claims.exp * 1000 <= nowMs)
    return wrong('bundle_expired', `ended at ${new Date(claims.exp * 1000).toISOString()}`);
  if (known !== undefined && claims.sequence <= known.claims.sequence)
    return wrong(
      'bundle_older',
      `has sequence ${claims.sequence}, and ${known.claims.sequence} was there before`,
    );
  return claims;
}

/** A signature that counts when it was made, and not now, is no forged one: then it is the clock or the operator that stands. */
function whyUnsigned(signature: string, trust: BundleTrust): string {
  const iatSeconds = peekBundleClaims(signature)?.iat;
  if (iatSeconds !== undefined && readBundleSignature(signature, { ...trust, nowMs: iatSeconds * 1000 }))
    return `was signed at ${new Date(iatSeconds * 1000).toISOString()}, and by the clock of this machine its certificate does not count now: see that the clock is right, and that the operator runs`;
  return 'is not signed by the operator that the roots in tls/ca.crt stand for';
}

/** Texts of all files that are named. Those that nobody here knows are checked all the same. */
function readTexts(files: FolderFiles, claims: BundleClaims): ReadonlyMap<string, string> | FileProblem {
  const texts = new Map<string, string>();
  for (const [name, digest] of claims.files) {
    const path = `bundle/${name}`;
    const content = fileOf(files, path);
    if (isProblem(content)) return content;
    if (hash('sha256', content, 'base64url') !== digest)
      return fileProblem('bundle_altered', path, `${path} is not the file that ${SIGNATURE} is about.`);
    texts.set(name, isUtf8(content) ? content.toString('utf8') : '');
  }
  return texts;
}

interface SignedTexts extends Pick<AgentBundle, 'claims' | 'signature'> {
  readonly known: AgentBundle | undefined;
}

function bundleOf(
  texts: ReadonlyMap<string, string>,
  { claims, signature, known }: SignedTexts,
): AgentBundle | FileProblem {
  const jwks = partsOf(texts, JWKS_PART);
  const issuers = mergeIssuers(jwks.map((text) => readIssuers(text, known?.state.issuers)));
  if (issuers === undefined) return invalid('jwks.json');
  const policies = partsOf(texts, POLICY_PART).map(readPolicyFile);
  const policy = isWhole(policies) ? mergePolicyFiles(policies) : undefined;
  if (policy === undefined) return invalid('policy.json');
  const revocations = readRevocationsFile(texts.get(REVOCATIONS_FILE) ?? '');
  if (revocations === undefined) return invalid(REVOCATIONS_FILE);
  const hasSameLists = ['ca.crt', CRL_FILE].every(
    (name) => claims.files.get(name) === known?.claims.files.get(name),
  );
  const revokedCertificates = hasSameLists && known ? known.revokedCertificates : readRevoked(texts);
  if (revokedCertificates === undefined) return invalid(CRL_FILE);
  const state: VerifierState = {
    issuers,
    policies: new TokenPolicies(policy),
    revocations: new RevocationIndex(revocations),
    expiresAtSeconds: claims.exp,
  };
  return { claims, state, policy, revokedCertificates, signature };
}

/** Undefined when the file has not its form, or a list is not signed by the authority of `ca.crt` that it names. */
function readRevoked(texts: ReadonlyMap<string, string>): RevokedCertificates | undefined {
  const text = texts.get(CRL_FILE);
  const lists = text === undefined ? [] : readRevocationLists(Buffer.from(text));
  const roots = decodePem(Buffer.from(texts.get('ca.crt') ?? ''), ROOTS_FORM);
  if (lists === undefined || (lists.length > 0 && roots.kind === 'problem')) return undefined;
  const revoked = new RevokedCertificates(lists);
  return roots.kind === 'problem' || revoked.agreesWith(roots.blocks) ? revoked : undefined;
}

function partsOf(texts: ReadonlyMap<string, string>, name: RegExp): readonly string[] {
  return [...texts].filter(([file]) => name.test(file)).map(([, text]) => text);
}

/** Undefined when there is no part, one has not its form, or an issuer stands in two of them. */
function mergeIssuers(parts: readonly (Issuers | undefined)[]): Issuers | undefined {
  if (parts.length === 0 || !isWhole(parts)) return undefined;
  const merged = new Map<string, ReadonlyMap<string, VerifyingKey>>(parts.flatMap((part) => [...part]));
  return merged.size === parts.reduce((sum, part) => sum + part.size, 0) ? merged : undefined;
}

function isWhole<T>(parts: readonly (T | undefined)[]): parts is readonly T[] {
  return parts.every((part) => part !== undefined);
}

function wrong(code: FileProblemCode, what: string): FileProblem {
  return fileProblem(code, SIGNATURE, `${SIGNATURE} ${what}.`);
}

function invalid(name: string): FileProblem {
  return fileProblem('bundle_invalid', `bundle/${name}`, `bundle/${name} has a form that is not known here.`);
}
