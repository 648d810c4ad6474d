/** The certificate of an agent, its private key and the roots it trusts, from the files that its pod mounts. */

import { hash, type X509Certificate } from 'node:crypto';
import { readCertificateFields, readX509 } from '../../crypto/certificate-fields.ts';
import { decodePem, encodePem, PEM_LIMIT_BYTES } from '../../crypto/pem.ts';
import { isKeyOf, readPrivateKey } from '../../crypto/private-key.ts';
import { parseAgentSpiffeId } from '../../domain/certificate/spiffe-id.ts';
import { type FileProblem, type FileProblemCode, fileProblem, isProblem } from './file-problem.ts';
import { type FolderFiles, fileOf } from './folder-reading.ts';

/** What connections are made from. */
export interface TlsFiles {
  /** The certificate, then whatever stands between it and a root. */
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly privateKeyPem: string;
  /** All roots that are trusted now. */
  readonly caPem: string;
  /** base64url of the SHA-256 of the certificate in DER. */
  readonly thumbprint: string;
  readonly notAfterSeconds: number;
}

/** Who the agent is. */
export interface AgentIdentity {
  /** SPIFFE ID. */
  readonly identity: string;
  readonly namespace: string;
  readonly trustDomain: string;
  readonly tls: TlsFiles;
}

const CERTIFICATE = 'tls/tls.crt';
const PRIVATE_KEY = 'tls/tls.key';
const ROOTS = 'tls/ca.crt';
const MAX_CHAIN = 10;
const MAX_ROOTS = 64;

/**
 * Reads `tls/`.
 *
 * @param nowMs Milliseconds since the Unix epoch; the certificate must not have ended then.
 * @returns Who the agent is; or what is wrong: no certificate of exactly one agent, a key that is not its key, roots of which
 *   one is none. Whether a root has signed the certificate is for whoever connects to find out. Errors: none.
 */
export function readIdentity(files: FolderFiles, nowMs: number): AgentIdentity | FileProblem {
  const chain = readPem(files, { path: CERTIFICATE, most: MAX_CHAIN, code: 'certificate_invalid' });
  if (isProblem(chain)) return chain;
  const roots = readPem(files, { path: ROOTS, most: MAX_ROOTS, code: 'roots_invalid' });
  if (isProblem(roots)) return roots;
  if (!roots.certificates.every(({ ca }) => ca))
    return fileProblem(
      'roots_invalid',
      ROOTS,
      `${ROOTS} holds a certificate that is not one of an authority.`,
    );
  const [certificate] = chain.certificates;
  const leaf = readLeaf(certificate.raw, nowMs);
  if (isProblem(leaf)) return leaf;
  const key = fileOf(files, PRIVATE_KEY);
  if (isProblem(key)) return key;
  const privateKey = readPrivateKey(key);
  if (privateKey === undefined || !isKeyOf(privateKey, certificate))
    return fileProblem('key_mismatch', PRIVATE_KEY, `${PRIVATE_KEY} is not the key of ${CERTIFICATE}.`);
  const { notAfterSeconds, ...who } = leaf;
  const thumbprint = hash('sha256', certificate.raw, 'base64url');
  const privateKeyPem = key.toString('latin1');
  const tls = { certificatePem: chain.text, privateKeyPem, caPem: roots.text, thumbprint, notAfterSeconds };
  return { ...who, tls };
}

/** Whether two readings of `tls/` have the same files. */
export function isSameTls(a: TlsFiles, b: TlsFiles): boolean {
  return a.certificatePem === b.certificatePem && a.privateKeyPem === b.privateKeyPem && a.caPem === b.caPem;
}

interface Leaf extends Pick<AgentIdentity, 'identity' | 'namespace' | 'trustDomain'> {
  readonly notAfterSeconds: number;
}

function readLeaf(der: Buffer, nowMs: number): Leaf | FileProblem {
  const fields = readCertificateFields(der);
  const [identity = '', ...more] = fields?.uris ?? [];
  const agent = parseAgentSpiffeId(identity);
  if (fields === undefined || agent === undefined || more.length > 0)
    return fileProblem(
      'certificate_invalid',
      CERTIFICATE,
      `${CERTIFICATE} is not the certificate of one agent.`,
    );
  if (fields.notAfterMs < nowMs)
    return fileProblem(
      'certificate_expired',
      CERTIFICATE,
      `${CERTIFICATE} ended at ${new Date(fields.notAfterMs).toISOString()}.`,
    );
  const { namespace, trustDomain } = agent;
  return { identity, namespace, trustDomain, notAfterSeconds: Math.floor(fields.notAfterMs / 1000) };
}

interface Pem {
  /** In the one spelling that every reader of PEM takes. */
  readonly text: string;
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
}

/** All or none: a block that OpenSSL does not take would fail only when somebody connects. */
function readPem(
  files: FolderFiles,
  { path, most, code }: { readonly path: string; readonly most: number; readonly code: FileProblemCode },
): Pem | FileProblem {
  const content = fileOf(files, path);
  if (isProblem(content)) return content;
  const pem = decodePem(content, {
    label: 'CERTIFICATE',
    limitBytes: PEM_LIMIT_BYTES.bundle,
    maxBlocks: most,
  });
  if (pem.kind === 'problem') return fileProblem(code, path, `${path} ${pem.problem}.`);
  const [first, ...rest] = pem.blocks.flatMap((der) => readWhole(der) ?? []);
  if (first === undefined || rest.length + 1 < pem.blocks.length)
    return fileProblem(code, path, `${path} holds something that is no certificate.`);
  const text = pem.blocks.map((der) => encodePem('CERTIFICATE', der)).join('');
  return { text, certificates: [first, ...rest] };
}

/** Undefined also when something stands behind the certificate. */
function readWhole(der: Buffer): X509Certificate | undefined {
  const certificate = readX509(der);
  return certificate?.raw.equals(der) === true ? certificate : undefined;
}
