/**
 * What an issuer handed back, read into facts. An issuer decides what these bytes are, so sizes are looked at first and
 * nothing throws; what the facts are worth is judged by `domain/issuance/verify.ts`.
 */

import type { KeyObject, X509Certificate } from 'node:crypto';
import type { CertificateFacts, CertificateProblem } from '../domain/certificate/facts.ts';
import type { AnchorProblem, AnswerFacts, LinkFacts } from '../domain/issuance/facts.ts';
import type { AuthorityCertificate } from './authority-reader.ts';
import { type CertificateFields, readCertificateFields, readX509 } from './certificate-fields.ts';
import { leafFacts } from './inspect.ts';
import { readIssuerCertificate, readIssuerCertificates } from './issuer-certificates.ts';
import { CHAIN_FORM, decodePem, encodePem } from './pem.ts';
import { OID } from './x509-encoding.ts';

/** An answer, and what it is compared with. */
export interface IssuerAnswer {
  /** `status.certificate`, decoded from base64. */
  readonly certificatePem: Uint8Array;
  /** `status.ca`, decoded from base64; empty when absent. */
  readonly caPem: Uint8Array;
  /** SubjectPublicKeyInfo of the request. */
  readonly spkiDer: Buffer;
  /** The CAs of this issuer; none: whatever self-signed CA comes with the answer is looked at. */
  readonly known: readonly AuthorityCertificate[];
}

/** The facts, and what is used when they are good. */
export interface ReadAnswer {
  readonly facts: AnswerFacts;
  /** The leaf, then what leads to the CA, written as we write it; without the CA. */
  readonly chainPem: string;
  /** The CA that ends the chain. */
  readonly anchor: AuthorityCertificate | undefined;
}

interface Certificate {
  readonly x509: X509Certificate;
  readonly fields: CertificateFields;
}

interface Chain {
  /** Without the leaf and without the anchor. */
  readonly links: readonly Certificate[];
  readonly anchor: AuthorityCertificate | undefined;
}

const MIN_RSA_BITS = 2048;
/** Hash functions of SHA-2, RSASSA-PSS, EdDSA. */
const STRONG_SIGNATURES: ReadonlySet<string> = new Set([
  OID.ecdsaWithSha256,
  OID.ecdsaWithSha384,
  '1.2.840.10045.4.3.4',
  OID.sha256WithRsa,
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.113549.1.1.10',
  '1.3.101.112',
  '1.3.101.113',
]);

/** Reads an answer. Errors: none. */
export function readIssuerAnswer(answer: IssuerAnswer): ReadAnswer {
  const pem = decodePem(answer.certificatePem, CHAIN_FORM);
  if (pem.kind === 'problem') return unreadable(pem);
  const [leaf, ...rest] = pem.blocks.map(readCertificate);
  if (leaf === undefined) return unreadable({ kind: 'problem', problem: 'was not a certificate' });
  const candidates = candidatesOf(answer, pem.blocks.slice(1));
  const chain = chainOf(leaf, rest, candidates.certificates);
  const { links, anchor } = chain;
  const used = [leaf, ...links];
  const end = anchor && {
    authorityId: anchor.id,
    ...(links.length === 0 ? {} : { intermediateCount: links.length }),
  };
  const problem: AnchorProblem = candidates.problem ?? {
    kind: 'problem',
    reason: 'NotSignedByCA',
    message: 'status.certificate is not signed by the CA of the issuer',
  };
  return {
    facts: {
      leaf: leafFacts(leaf.fields, end, used.length),
      keyMatches: isKeyOf(leaf.x509, answer.spkiDer),
      links: links.map((link, at) => linkFacts(link.fields, used[at]?.x509.checkIssued(link.x509) === true)),
      anchor:
        anchor === undefined
          ? problem
          : { kind: 'ca', id: anchor.id, ...linkFacts(fieldsOf(anchor), isNamedBy(used.at(-1), anchor)) },
      isStrong: isStrongChain(used, anchor),
    },
    chainPem: used.map(({ x509 }) => encodePem('CERTIFICATE', x509.raw)).join(''),
    anchor,
  };
}

function unreadable(leaf: CertificateFacts | CertificateProblem): ReadAnswer {
  const anchor: AnchorProblem = { kind: 'problem', reason: 'NotSignedByCA', message: 'nothing was read' };
  return {
    facts: { leaf, keyMatches: false, links: [], anchor, isStrong: false },
    chainPem: '',
    anchor: undefined,
  };
}

interface Candidates {
  readonly certificates: readonly AuthorityCertificate[];
  /** Why there is none. */
  readonly problem: AnchorProblem | undefined;
}

function candidatesOf({ known, caPem }: IssuerAnswer, rest: readonly Buffer[]): Candidates {
  if (known.length > 0) return { certificates: known, problem: undefined };
  const inChain = rest.flatMap((block) => {
    const one = readIssuerCertificate(block);
    return one.kind === 'certificate' ? [one.certificate] : [];
  });
  const isMissing = Buffer.from(caPem).toString('latin1').trim() === '';
  const given = isMissing ? undefined : readIssuerCertificates(caPem);
  if (given?.kind === 'certificates')
    return { certificates: [...given.certificates, ...inChain], problem: undefined };
  if (inChain.length > 0) return { certificates: inChain, problem: undefined };
  return {
    certificates: [],
    problem:
      given === undefined
        ? { kind: 'problem', reason: 'CAMissing', message: 'status.ca is empty' }
        : { kind: 'problem', reason: 'CAUnusable', message: `status.ca ${given.message}` },
  };
}

/** From the leaf upwards, as far as signatures go. Names and rights are judged later, so that each can be told apart. */
function chainOf(
  leaf: Certificate,
  rest: readonly (Certificate | undefined)[],
  candidates: readonly AuthorityCertificate[],
): Chain {
  const links: Certificate[] = [];
  let last = leaf;
  for (const next of [...rest, undefined]) {
    const anchor = candidates.find(({ publicKey }) => isSignedBy(last.x509, publicKey));
    if (anchor !== undefined) return { links, anchor };
    if (next === undefined || !isSignedBy(last.x509, publicKeyOf(next.x509))) break;
    links.push(next);
    last = next;
  }
  return { links, anchor: undefined };
}

function linkFacts(fields: CertificateFields, isNamed: boolean): LinkFacts {
  const { pathLength, notBeforeMs, notAfterMs, nameConstraints, extendedKeyUsages } = fields;
  return {
    isAuthority: fields.isAuthority && fields.keyUsages.includes('keyCertSign'),
    pathLength,
    notBeforeMs,
    notAfterMs,
    constrainsNames: nameConstraints !== undefined,
    extendedKeyUsages,
    isNamed,
  };
}

function isNamedBy(below: Certificate | undefined, anchor: AuthorityCertificate): boolean {
  return below?.x509.checkIssued(anchor.certificate) === true;
}

function isStrongChain(used: readonly Certificate[], anchor: AuthorityCertificate | undefined): boolean {
  const authorities = [
    ...used.slice(1).map(({ fields }) => fields),
    ...(anchor === undefined ? [] : [anchor]),
  ];
  return (
    used.every(({ x509 }) => STRONG_SIGNATURES.has(x509.signatureAlgorithmOid ?? '')) &&
    authorities.every(({ keyAlgorithm, keySize }) => keyAlgorithm !== 'RSA' || keySize >= MIN_RSA_BITS)
  );
}

function fieldsOf({ certificate }: AuthorityCertificate): CertificateFields {
  const fields = readCertificateFields(certificate.raw);
  if (fields === undefined) throw new TypeError('a CA was read before');
  return fields;
}

/** Undefined for a key that OpenSSL does not know. */
function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined;
  }
}

function isKeyOf(certificate: X509Certificate, spkiDer: Buffer): boolean {
  return publicKeyOf(certificate)?.export({ type: 'spki', format: 'der' }).equals(spkiDer) === true;
}

function isSignedBy(certificate: X509Certificate, publicKey: KeyObject | undefined): boolean {
  try {
    return publicKey !== undefined && certificate.verify(publicKey);
  } catch {
    return false; // an algorithm that OpenSSL does not know, or another kind of key
  }
}

function readCertificate(block: Buffer): Certificate | undefined {
  const fields = readCertificateFields(block);
  const x509 = readX509(block);
  return fields === undefined || x509 === undefined ? undefined : { x509, fields };
}
