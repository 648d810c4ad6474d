/** Authorities, leaves and forgeries for the tests of crypto. */

import { execFile } from 'node:child_process';
import { sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type AuthorityRequest, createAuthority } from '../../../src/crypto/authority.ts';
import { type Authority, readAuthority } from '../../../src/crypto/authority-reader.ts';
import { contextTag, DerWriter, der, TAG } from '../../../src/crypto/der.ts';
import { generateKeyPair, type KeyPair } from '../../../src/crypto/key-pair.ts';
import { type IssuedLeaf, LeafSigner, type SigningAuthority } from '../../../src/crypto/leaf.ts';
import { combinedPem, encodePem } from '../../../src/crypto/pem.ts';
import {
  AUTHORITY_SIGNATURE,
  bitString,
  distinguishedName,
  extension,
  extensionsField,
  OID,
  VERSION_3,
  writeValidity,
} from '../../../src/crypto/x509-encoding.ts';
import type { LeafProfile, Validity } from '../../../src/domain/certificate/profile.ts';

export const T0: number = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

export const profile: LeafProfile = {
  spiffeId: 'spiffe://example.org/ns/ai-agents/sa/agent-deployer',
  dnsNames: ['agent-deployer.ai-agents.svc', 'agent-deployer.ai-agents.svc.cluster.local'],
  commonName: 'agent-deployer.ai-agents',
  organization: 'ai-agents',
  extendedKeyUsages: ['clientAuth', 'serverAuth'],
  key: { algorithm: 'ECDSA', size: 256 },
  durationMs: DAY_MS,
};

export const validity: Validity = { notBeforeMs: T0 - 120_000, notAfterMs: T0 + DAY_MS };

/** An authority and its certificate as stored. */
export interface StoredAuthority extends Authority {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A new authority that was read back; at {@link T0} unless said otherwise. */
export function storedAuthority(request: Partial<AuthorityRequest> = {}): StoredAuthority {
  const created = createAuthority({ trustDomain: 'example.org', nowMs: T0, ...request });
  const read = readAuthority({
    certificatePem: Buffer.from(created.certificatePem),
    privateKeyPem: Buffer.from(created.privateKeyPem),
  });
  if (read.kind === 'refuse') throw new Error(read.message);
  return { ...read.authority, certificatePem: created.certificatePem, privateKeyPem: created.privateKeyPem };
}

/** A leaf of {@link profile} with some of it changed. */
export async function issuedLeaf(
  authority: Authority,
  changes: Partial<LeafProfile> = {},
): Promise<IssuedLeaf> {
  const changed = { ...profile, ...changes };
  return new LeafSigner(authority).issueLeaf(changed, validity, await generateKeyPair(changed.key));
}

/** The data of the Secret of a leaf. */
export function secretData(leaf: IssuedLeaf, trustBundle: string): Record<string, Buffer> {
  const { certificatePem, privateKeyPem } = leaf;
  return {
    'tls.crt': Buffer.from(certificatePem),
    'tls.key': Buffer.from(privateKeyPem),
    'ca.crt': Buffer.from(trustBundle),
    'tls-combined.pem': Buffer.from(combinedPem(certificatePem, privateKeyPem)),
  };
}

/** What a certificate of {@link forgedCertificate} says; the defaults are those of a good leaf. */
export interface Forgery {
  readonly issuer: SigningAuthority;
  readonly keyPair: KeyPair;
  readonly subject?: readonly (readonly [oid: string, value: string])[];
  /** GeneralNames in their order: number of the choice, and content. */
  readonly names?: readonly (readonly [choice: number, content: Uint8Array])[];
  readonly isAuthority?: boolean;
  /** The octets of the KeyUsage bit string, the count of unused bits first. */
  readonly keyUsage?: Uint8Array;
  readonly more?: readonly Uint8Array[];
}

/** A certificate that the signer would never make, properly signed by an authority. PEM. */
export function forgedCertificate({ issuer, keyPair, ...wanted }: Forgery): string {
  const { hash, algorithm } = AUTHORITY_SIGNATURE[issuer.keySize];
  const writer = new DerWriter();
  writeValidity(writer, validity.notBeforeMs, validity.notAfterMs);
  const names = wanted.names ?? [
    [6, Buffer.from(profile.spiffeId)],
    ...profile.dnsNames.map((name) => [2, Buffer.from(name)] as const),
  ];
  const constraints = wanted.isAuthority ? [der(TAG.boolean, Buffer.of(0xff))] : [];
  const keyId = der(contextTag(0, 'primitive'), issuer.keyIdentifier);
  const toBeSigned = der(
    TAG.sequence,
    VERSION_3,
    der(TAG.integer, Buffer.of(0x42)),
    algorithm,
    issuer.subjectDer,
    writer.copy(),
    distinguishedName(
      wanted.subject ?? [
        [OID.organization, 'ai-agents'],
        [OID.commonName, 'agent-deployer.ai-agents'],
      ],
    ),
    keyPair.spkiDer,
    extensionsField([
      extension(OID.keyUsage, der(TAG.bitString, wanted.keyUsage ?? Buffer.of(7, 0x80)), 'critical'),
      extension(OID.basicConstraints, der(TAG.sequence, ...constraints), 'critical'),
      extension(OID.authorityKeyIdentifier, der(TAG.sequence, keyId)),
      extension(
        OID.subjectAltName,
        der(TAG.sequence, ...names.map(([choice, content]) => der(contextTag(choice, 'primitive'), content))),
      ),
      ...(wanted.more ?? []),
    ]),
  );
  const signature = bitString(sign(hash, toBeSigned, issuer.privateKey));
  return encodePem('CERTIFICATE', der(TAG.sequence, toBeSigned, algorithm, signature));
}

/** What `openssl verify` is asked. */
export interface OpensslQuestion {
  readonly trustBundle: string;
  readonly certificate: string;
  readonly purpose: 'sslserver' | 'sslclient';
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/** Whether `openssl verify -x509_strict` accepts a certificate: `OK`, or what it says instead. */
export async function opensslVerify({
  trustBundle,
  certificate,
  purpose,
  atMs,
}: OpensslQuestion): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'agent-trust-openssl-'));
  try {
    const bundleFile = join(directory, 'ca.crt');
    const certificateFile = join(directory, 'tls.crt');
    await writeFile(bundleFile, trustBundle);
    await writeFile(certificateFile, certificate);
    const atSeconds = String(Math.floor(atMs / 1000));
    const { stdout } = await promisify(execFile)('openssl', [
      ...['verify', '-x509_strict', '-check_ss_sig', '-purpose', purpose, '-attime', atSeconds],
      ...['-no-CApath', '-no-CAstore', '-CAfile', bundleFile, certificateFile],
    ]);
    return stdout.trim() === `${certificateFile}: OK` ? 'OK' : stdout;
  } catch (error) {
    return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
