/**
 * An authority on this machine, with all generations that are trusted: certificates of agents, lists of those that are revoked,
 * and signers of bundles.
 */

import { generateKeyPairSync } from 'node:crypto';
import { createAuthority } from '../../../src/crypto/authority.ts';
import { type Authority, readAuthority } from '../../../src/crypto/authority-reader.ts';
import { readCertificateFields } from '../../../src/crypto/certificate-fields.ts';
import { signCrl } from '../../../src/crypto/crl.ts';
import { der, TAG } from '../../../src/crypto/der.ts';
import { readGivenAuthority } from '../../../src/crypto/given-authority.ts';
import type { BundleSigner } from '../../../src/crypto/jose/bundle-signature.ts';
import { generateEcKeyPair } from '../../../src/crypto/key-pair.ts';
import { type IssuedLeaf, LeafSigner } from '../../../src/crypto/leaf.ts';
import { extension, OID } from '../../../src/crypto/x509-encoding.ts';
import { bundleLeafProfile } from '../../../src/domain/bundle/leaf.ts';
import { leafProfile, leafValidity, type Validity } from '../../../src/domain/certificate/profile.ts';
import { forgedCertificate } from '../../unit/crypto/fixture.ts';
import { givenCa } from '../authority/given-ca.ts';

export const TRUST_DOMAIN = 'cluster.local';
const DAY_MS = 86_400_000;

interface Generation {
  readonly authority: Authority;
  /** Of its root. */
  readonly certificatePem: string;
  readonly revoked: Set<string>;
}

/** The authority. What it issues is of its newest generation. */
export class LocalAuthority {
  readonly #nowMs: () => number;
  #authority: Authority;
  #signer: LeafSigner;
  #trusted: readonly Generation[];

  /** @param nowMs Milliseconds since the Unix epoch. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    const generation = newGeneration(nowMs());
    this.#authority = generation.authority;
    this.#signer = new LeafSigner(this.#authority);
    this.#trusted = [generation];
  }

  /** All generations that are trusted. */
  get rootsPem(): string {
    return this.#trusted.map(({ certificatePem }) => certificatePem).join('');
  }

  /** The lists of all generations that are trusted. */
  get crlPem(): string {
    const thisUpdateMs = Math.floor(this.#nowMs() / 1000) * 1000;
    const dates = { thisUpdateMs, nextUpdateMs: thisUpdateMs + DAY_MS, number: thisUpdateMs };
    return this.#trusted
      .map(({ authority, revoked }) => {
        const entries = [...revoked].map((serialHex) => {
          return { serialHex, revokedAtMs: thisUpdateMs, reason: 'privilegeWithdrawn' } as const;
        });
        return signCrl({ ...dates, entries }, authority);
      })
      .join('');
  }

  /** Puts a leaf of the newest generation on its list. */
  revoke({ serialHex }: Pick<IssuedLeaf, 'serialHex'>): void {
    this.#trusted.at(-1)?.revoked.add(serialHex);
  }

  /**
   * A certificate with name and key identifier of the newest generation, as if that had issued it, and a key of its own: what
   * anybody can make. PEM.
   */
  get impostor(): string {
    const { certificate, keyIdentifier } = this.#authority;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return forgedCertificate({
      issuer: { ...this.#authority, privateKey },
      keyPair: generateEcKeyPair(256),
      subject: readCertificateFields(certificate.raw)?.subject ?? [],
      isAuthority: true,
      keyUsage: Buffer.of(1, 0x06),
      more: [extension(OID.subjectKeyIdentifier, der(TAG.octetString, keyIdentifier))],
    });
  }

  /** Makes another generation, trusted beside the others. */
  addGeneration(): void {
    this.#add(newGeneration(this.#nowMs()));
  }

  /** The same, one that stands below a root. */
  addIntermediate(): void {
    this.#add(newIntermediate(this.#nowMs()));
  }

  #add(generation: Generation): void {
    this.#authority = generation.authority;
    this.#signer = new LeafSigner(this.#authority);
    this.#trusted = [...this.#trusted, generation];
  }

  /** Trusts the newest generation alone. */
  dropOldGenerations(): void {
    this.#trusted = this.#trusted.slice(-1);
  }

  /** The certificate of an agent, with a new key. */
  newLeaf(name: string, namespace: string): IssuedLeaf {
    const request = { name, namespace, serviceAccountName: name, durationMs: DAY_MS } as const;
    const result = leafProfile(
      { ...request, keyAlgorithm: 'ECDSA', keySize: 256, extraDnsNames: [] },
      { trustDomain: TRUST_DOMAIN, clusterDomain: 'cluster.local' },
    );
    if (result.kind === 'refuse') throw new Error(result.message);
    return this.#signer.issueLeaf(result.profile, this.#validity(result.profile), generateEcKeyPair(256));
  }

  /** A key with a certificate to sign bundles with. */
  newBundleSigner(): BundleSigner {
    const profile = bundleLeafProfile(TRUST_DOMAIN);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spkiDer = publicKey.export({ type: 'spki', format: 'der' });
    const { certificateDer } = this.#signer.issue(profile, this.#validity(profile), spkiDer);
    return { key: privateKey, chainDer: [certificateDer, ...this.#authority.intermediates] };
  }

  #validity(profile: { readonly durationMs: number }): Validity {
    const authorityNotAfterMs = this.#authority.notAfterMs;
    const input = { profile, nowMs: this.#nowMs(), authorityNotAfterMs, notBeforeFloorMs: undefined };
    const result = leafValidity(input);
    if (result.kind === 'refuse') throw new Error(result.message);
    return result.validity;
  }
}

function newGeneration(nowMs: number): Generation {
  const created = createAuthority({ trustDomain: TRUST_DOMAIN, nowMs });
  const read = readAuthority({
    certificatePem: Buffer.from(created.certificatePem),
    privateKeyPem: Buffer.from(created.privateKeyPem),
  });
  if (read.kind === 'refuse') throw new Error(read.message);
  return { authority: read.authority, certificatePem: created.certificatePem, revoked: new Set() };
}

function newIntermediate(nowMs: number): Generation {
  const secondMs = Math.floor(nowMs / 1000) * 1000;
  const life = { notBeforeMs: secondMs - DAY_MS, notAfterMs: secondMs + 30 * DAY_MS };
  const root = givenCa({ name: 'Corporate root', life });
  const below = givenCa({ name: 'Agents', issuer: root, life });
  const read = readGivenAuthority({
    certificatePem: Buffer.from(below.pem + root.pem),
    privateKeyPem: Buffer.from(below.keyPem),
    rootsPem: undefined,
  });
  if (read.kind === 'refuse') throw new Error(read.message);
  return { authority: read.authority, certificatePem: root.pem, revoked: new Set() };
}
