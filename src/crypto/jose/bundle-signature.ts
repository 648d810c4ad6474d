/**
 * bundle.jws: the signature over the files of a bundle, by a certificate that the authority gives to nobody else. Source: RFC
 * 7515; x5c in section 4.1.6.
 */

import { type KeyObject, verify, type X509Certificate } from 'node:crypto';
import {
  BUNDLE_SIGNATURE_LIMITS,
  type BundleClaims,
  readBundleClaims,
  readBundleHeader,
  writeBundleClaims,
} from '../../domain/bundle/claims.ts';
import { bundleSpiffeId } from '../../domain/bundle/leaf.ts';
import { permitsUris } from '../../domain/certificate/name-constraints.ts';
import { type CertificateFields, readCertificateFields, readX509 } from '../certificate-fields.ts';
import { decodePem, PEM_LIMIT_BYTES } from '../pem.ts';
import { derSignature } from './ecdsa-signature.ts';
import { createSigner, encodeHeader, signJws } from './signer.ts';
import { TOKEN_CRYPTO } from './token-crypto.ts';

export type { BundleClaims } from '../../domain/bundle/claims.ts';

/** What signs bundles. */
export interface BundleSigner {
  /** Private, on P-256; that of the first certificate. */
  readonly key: KeyObject;
  /** The leaf first, then whatever stands between it and a root; without the root. */
  readonly chainDer: readonly Uint8Array[];
}

/** What a signature is checked against. */
export interface BundleTrust {
  /** The roots, as they stand in `ca.crt` of the identity's own Secret: never those of the bundle. */
  readonly rootsPem: string;
  readonly trustDomain: string;
  /** Milliseconds since the Unix epoch; all certificates must be valid then. */
  readonly nowMs: number;
}

interface Certificate {
  readonly x509: X509Certificate;
  readonly fields: CertificateFields;
}

const ROOTS_FORM = { label: 'CERTIFICATE', limitBytes: PEM_LIMIT_BYTES.bundle, maxBlocks: 64 } as const;

/**
 * Signs claims.
 *
 * @returns A compact JWS.
 * @throws TypeError when the key is not on P-256.
 */
export function signBundle(claims: BundleClaims, { key, chainDer }: BundleSigner): string {
  const signer = createSigner(key);
  if (signer?.algorithm !== 'ES256') throw new TypeError('a bundle is signed with a private key on P-256');
  const x5c = chainDer.map((der) => Buffer.from(der).toString('base64'));
  const header = encodeHeader({ typ: 'agent-bundle+jwt', alg: 'ES256', x5c });
  return signJws(header, writeBundleClaims(claims), signer);
}

/**
 * Reads claims, if they are signed.
 *
 * @returns Undefined when anything is not as it must be: form, size, header, version; the leaf's one name, usages, key and
 *   time; its chain to a root; the signature. Whether the claims have ended, are for this namespace and are newer than
 *   those before is the caller's to decide.
 *
 * Errors: none.
 */
export function readBundleSignature(jws: string, trust: BundleTrust): BundleClaims | undefined {
  if (jws.length > BUNDLE_SIGNATURE_LIMITS.characters) return undefined;
  const decoded = TOKEN_CRYPTO.decodeJws(jws);
  const header = decoded && readBundleHeader(decoded.header);
  const claims = decoded && readBundleClaims(decoded.payload);
  if (decoded === undefined || header === undefined || claims === undefined) return undefined;
  const chain = header.x5c.map((base64) => readCertificate(decodeBase64(base64)));
  const [leaf] = chain;
  if (!isWhole(chain) || leaf === undefined) return undefined;
  const isTrusted = isBundleLeaf(leaf, trust) && reachesRoot(chain, trust);
  const signature = derSignature(decoded.signature);
  if (!isTrusted || signature === undefined) return undefined;
  const signed = Buffer.from(decoded.signingInput, 'latin1');
  return verify('sha256', signed, leaf.x509.publicKey, signature) ? claims : undefined;
}

/** Claims that nobody has checked: good for nothing but to know at which time to check them. */
export function peekBundleClaims(jws: string): BundleClaims | undefined {
  if (jws.length > BUNDLE_SIGNATURE_LIMITS.characters) return undefined;
  const decoded = TOKEN_CRYPTO.decodeJws(jws);
  return decoded && readBundleClaims(decoded.payload);
}

function isBundleLeaf({ fields }: Certificate, { trustDomain, nowMs }: BundleTrust): boolean {
  const { uris, dnsNames, otherNameCount, extendedKeyUsages, keyUsages } = fields;
  return (
    uris.length === 1 &&
    uris[0] === bundleSpiffeId(trustDomain) &&
    dnsNames.length === 0 &&
    otherNameCount === 0 &&
    !fields.isAuthority &&
    keyUsages.join() === 'digitalSignature' &&
    extendedKeyUsages.join() === 'documentSigning' &&
    fields.keyAlgorithm === 'ECDSA' &&
    fields.keySize === 256 &&
    isValidAt(fields, nowMs)
  );
}

/** Every certificate is issued by the next, and the last by a root; none is there for nothing. */
function reachesRoot(chain: readonly Certificate[], { rootsPem, trustDomain, nowMs }: BundleTrust): boolean {
  const pem = decodePem(Buffer.from(rootsPem, 'latin1'), ROOTS_FORM);
  if (pem.kind === 'problem') return false;
  const roots = pem.blocks.map(readCertificate).filter((root) => root !== undefined);
  return chain.every((certificate, index) => {
    const next = chain[index + 1];
    return (next === undefined ? roots : [next]).some((issuer) =>
      isIssuer(issuer, certificate, { trustDomain, nowMs, below: index }),
    );
  });
}

/** `below`: how many authorities stand between the issuer and the leaf. */
function isIssuer(
  { x509, fields }: Certificate,
  issued: Certificate,
  {
    trustDomain,
    nowMs,
    below,
  }: { readonly trustDomain: string; readonly nowMs: number; readonly below: number },
): boolean {
  if (!fields.isAuthority || !fields.keyUsages.includes('keyCertSign') || !isValidAt(fields, nowMs))
    return false;
  if (fields.pathLength !== undefined && fields.pathLength < below) return false;
  // The leaf has one name, a URI, and no subject.
  const { nameConstraints } = fields;
  if (nameConstraints?.hasDistances || (nameConstraints && !permitsUris(nameConstraints, trustDomain)))
    return false;
  try {
    return issued.x509.checkIssued(x509) && issued.x509.verify(x509.publicKey);
  } catch {
    return false; // an algorithm that OpenSSL does not know
  }
}

function isValidAt({ notBeforeMs, notAfterMs }: CertificateFields, nowMs: number): boolean {
  return notBeforeMs <= nowMs && nowMs <= notAfterMs;
}

function readCertificate(der: Buffer | undefined): Certificate | undefined {
  const fields = der && readCertificateFields(der);
  const x509 = der && readX509(der);
  return fields === undefined || x509 === undefined ? undefined : { x509, fields };
}

/** Undefined when the text is not exactly how its octets are written. */
function decodeBase64(base64: string): Buffer | undefined {
  const octets = Buffer.from(base64, 'base64');
  return octets.toString('base64') === base64 ? octets : undefined;
}

function isWhole(chain: readonly (Certificate | undefined)[]): chain is readonly Certificate[] {
  return chain.every((certificate) => certificate !== undefined);
}
