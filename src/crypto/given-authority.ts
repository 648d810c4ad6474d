/**
 * Reading an authority that somebody gives: a certificate, its key, and everything up to a root. Sizes are looked at before
 * anything is parsed; what it must say is decided in domain/authority/given.ts.
 */

import { createHash, createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { type GivenCertificate, judgeGivenForm } from '../domain/authority/given.ts';
import { type GivenRefusal, refuseGiven } from '../domain/authority/given-refusal.ts';
import { AUTHORITY_COMMON_NAME } from './authority.ts';
import type { Authority } from './authority-reader.ts';
import { type CertificateForm, readCertificateForm, readSubjectDer, readX509 } from './certificate-fields.ts';
import { decodePem, PEM_LIMIT_BYTES } from './pem.ts';
import { isKeyOf } from './private-key.ts';
import { type AuthorityKeySize, OID } from './x509-encoding.ts';

/** The data of the Secret. */
export interface GivenData {
  /** `tls.crt`. */
  readonly certificatePem: Uint8Array | undefined;
  /** `tls.key`. */
  readonly privateKeyPem: Uint8Array | undefined;
  /** `ca.crt`; looked at only when `tls.crt` does not end at a root. */
  readonly rootsPem: Uint8Array | undefined;
}

/** Something that could sign, and what it says; or why it may not. */
export type GivenReading =
  | {
      readonly kind: 'authority';
      readonly authority: Authority;
      /** The certificate that signs first, the root last. */
      readonly chain: readonly GivenCertificate[];
    }
  | GivenRefusal;

interface Link {
  readonly place: string;
  readonly der: Buffer;
  readonly x509: X509Certificate;
  readonly form: CertificateForm;
  readonly subjectDer: Buffer;
}

/** As many as the header of a signed bundle has room for, the root aside and a leaf before them. */
const MAX_CHAIN = 4;
const MAX_ROOTS = 16;
const MAX_CERTIFICATE_BYTES = 8_192;
/** PEM label and how node:crypto calls what is in it. `kubectl create secret tls` takes all of them. */
const KEY_FORMS = [
  ['PRIVATE KEY', 'pkcs8'],
  ['EC PRIVATE KEY', 'sec1'],
  ['RSA PRIVATE KEY', 'pkcs1'],
] as const;

/**
 * Reads it.
 *
 * @returns The authority, with what must stand behind its leaves and the root that agents trust; or the first thing that
 *   is wrong with its form, its chain, its key, or what it says. Whether it may sign here and now is not looked at.
 *
 * Errors: none.
 */
export function readGivenAuthority({ certificatePem, privateKeyPem, rootsPem }: GivenData): GivenReading {
  const links = readLinks('tls.crt', certificatePem, MAX_CHAIN);
  if (isRefusal(links)) return links;
  const found = completed(links, rootsPem);
  if (isRefusal(found)) return found;
  const chain = found.map(certificateOf);
  const refusal = judgeGivenForm(chain) ?? unlinked(found);
  if (refusal !== undefined) return refusal;
  const [signing] = found;
  const root = found.at(-1);
  if (signing === undefined || root === undefined) return missing('tls.crt');
  const privateKey = readKey(privateKeyPem, signing);
  if (isRefusal(privateKey)) return privateKey;
  return { kind: 'authority', authority: authorityOf(found, { signing, root, privateKey }), chain };
}

function isRefusal(value: readonly Link[] | KeyObject | GivenRefusal): value is GivenRefusal {
  return 'kind' in value;
}

function authorityOf(
  chain: readonly Link[],
  {
    signing,
    root,
    privateKey,
  }: { readonly signing: Link; readonly root: Link; readonly privateKey: KeyObject },
): Authority {
  const { fields } = signing.form;
  return {
    id: createHash('sha256')
      .update(Buffer.concat(chain.map(({ der }) => der)))
      .digest('hex')
      .slice(0, 16),
    certificate: signing.x509,
    publicKey: signing.x509.publicKey,
    keyAlgorithm: fields.keyAlgorithm,
    // No other is let through.
    keySize: fields.keySize as AuthorityKeySize,
    notBeforeMs: Math.max(...chain.map(({ form }) => form.fields.notBeforeMs)),
    notAfterMs: Math.min(...chain.map(({ form }) => form.fields.notAfterMs)),
    subjectDer: signing.subjectDer,
    keyIdentifier: fields.subjectKeyIdentifier ?? Buffer.alloc(0),
    privateKey,
    intermediates: chain.slice(0, -1).map(({ der }) => der),
    root: root.x509,
    isGiven: true,
  };
}

function certificateOf({ place, x509, form, subjectDer }: Link): GivenCertificate {
  const { fields, unknown, signatureAlgorithm } = form;
  const { isAuthority, pathLength, keyUsages, extendedKeyUsages, keyAlgorithm, keySize } = fields;
  const { uris, nameConstraints, notBeforeMs, notAfterMs } = fields;
  return {
    place,
    isSelfSigned: isSignedBy(x509, x509),
    isAuthority,
    pathLength,
    keyUsages,
    extendedKeyUsages,
    keyAlgorithm,
    keySize,
    signatureAlgorithm,
    uris,
    ...(nameConstraints === undefined ? {} : { nameConstraints }),
    unknownCritical: unknown,
    violation: violationOf(form, subjectDer, isSignedBy(x509, x509)),
    hasNameOfOurs: fields.subject.some(
      ([oid, text]) => oid === OID.commonName && text === AUTHORITY_COMMON_NAME,
    ),
    notBeforeMs,
    notAfterMs,
  };
}

/** What OpenSSL looks for with -x509_strict, RFC 5280 sections 4.1.2.6, 4.2.1.1, 4.2.1.2 and 4.2.1.9. */
function violationOf(
  { extensions, critical, fields }: CertificateForm,
  subjectDer: Buffer,
  isSelfSigned: boolean,
): string | undefined {
  const rules: readonly (readonly [boolean, string])[] = [
    [critical.includes(OID.basicConstraints), 'basicConstraints is not critical'],
    [fields.subject.length > 0 && subjectDer.length > 2, 'it has no subject'],
    [(fields.subjectKeyIdentifier?.length ?? 0) > 0, 'it has no subjectKeyIdentifier'],
    [isSelfSigned || extensions.includes(OID.authorityKeyIdentifier), 'it has no authorityKeyIdentifier'],
    [!critical.includes(OID.subjectKeyIdentifier), 'its subjectKeyIdentifier is critical'],
    [!critical.includes(OID.authorityKeyIdentifier), 'its authorityKeyIdentifier is critical'],
  ];
  return rules.find(([holds]) => !holds)?.[1];
}

/** The chain up to a root, which may be found among those of `ca.crt`. */
function completed(links: readonly Link[], rootsPem: Uint8Array | undefined): readonly Link[] | GivenRefusal {
  for (const [at, { x509, place }] of links.entries()) {
    const next = links[at + 1];
    if (next === undefined) break;
    if (isSignedBy(x509, x509))
      return refuseGiven('ChainBroken', next.place, 'it follows a self-signed certificate');
    if (!isSignedBy(x509, next.x509))
      return refuseGiven('ChainBroken', place, 'the next certificate has not signed it');
  }
  const last = links.at(-1);
  if (last === undefined || isSignedBy(last.x509, last.x509)) return links;
  const roots = rootsPem === undefined ? [] : readLinks('ca.crt', rootsPem, MAX_ROOTS);
  if (isRefusal(roots)) return roots;
  const root = roots.find(({ x509 }) => isSignedBy(last.x509, x509) && isSignedBy(x509, x509));
  if (root === undefined)
    return refuseGiven('ChainIncomplete', last.place, 'no root that has signed it was found');
  if (links.length === MAX_CHAIN)
    return refuseGiven('ChainTooLong', 'tls.crt', `it holds ${MAX_CHAIN} certificates without their root`);
  return [...links, root];
}

function readLinks(
  file: string,
  pem: Uint8Array | undefined,
  maxBlocks: number,
): readonly Link[] | GivenRefusal {
  if (pem === undefined || pem.length === 0) return missing(file);
  const limitBytes = PEM_LIMIT_BYTES.chain;
  if (pem.length > limitBytes)
    return refuseGiven('CertificateTooLarge', file, `it has more than ${limitBytes} bytes`);
  const read = decodePem(pem, { label: 'CERTIFICATE', limitBytes, maxBlocks: 2 * MAX_ROOTS });
  if (read.kind === 'problem') return refuseGiven('CertificateUnreadable', file, `it ${read.problem}`);
  if (read.blocks.length > maxBlocks)
    return refuseGiven('ChainTooLong', file, `it holds more than ${maxBlocks} certificates`);
  const links: Link[] = [];
  for (const [at, der] of read.blocks.entries()) {
    const place = at === 0 ? file : `${file} (certificate ${at + 1})`;
    if (der.length > MAX_CERTIFICATE_BYTES)
      return refuseGiven(
        'CertificateTooLarge',
        place,
        `it has more than ${MAX_CERTIFICATE_BYTES} bytes in DER`,
      );
    const [form, x509, subjectDer] = [readCertificateForm(der), readX509(der), readSubjectDer(der)];
    if (form === undefined || x509 === undefined || subjectDer === undefined)
      return refuseGiven('CertificateUnreadable', place, 'it is no X.509 certificate of version 3 in DER');
    links.push({ place, der, x509, form, subjectDer });
  }
  return links;
}

function readKey(pem: Uint8Array | undefined, { x509 }: Link): KeyObject | GivenRefusal {
  if (pem === undefined || pem.length === 0)
    return refuseGiven('KeyMissing', 'tls.key', 'it is missing or empty');
  const key = keyOf(pem);
  if (key === undefined)
    return refuseGiven('KeyUnreadable', 'tls.key', 'it is no private key that can be read');
  return isKeyOf(key, x509) ? key : refuseGiven('KeyMismatch', 'tls.key', 'it is not the key of tls.crt');
}

function keyOf(pem: Uint8Array): KeyObject | undefined {
  for (const [label, type] of KEY_FORMS) {
    const read = decodePem(pem, { label, limitBytes: PEM_LIMIT_BYTES.privateKey, maxBlocks: 1 });
    const key = read.kind === 'blocks' ? read.blocks[0] : undefined;
    if (key === undefined) continue;
    try {
      return createPrivateKey({ key, format: 'der', type });
    } catch {
      return undefined; // not what its label says
    } finally {
      key.fill(0);
    }
  }
  return undefined;
}

/** By name and signature; nothing else is looked at, so that what else is wrong can be told. */
function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.issuer === issuer.subject && certificate.verify(issuer.publicKey);
  } catch {
    return false; // an algorithm that OpenSSL does not know
  }
}

/** OpenSSL does not go from one certificate to the next when key identifiers differ. */
function unlinked(chain: readonly Link[]): GivenRefusal | undefined {
  const link = chain.find(({ x509 }, at) => !x509.checkIssued((chain[at + 1] ?? chain[at])?.x509 ?? x509));
  return (
    link && refuseGiven('ChainBroken', link.place, 'its authorityKeyIdentifier is of another certificate')
  );
}

function missing(file: string): GivenRefusal {
  return refuseGiven('CertificateMissing', file, 'it is missing or empty');
}
