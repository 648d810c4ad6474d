/** An authority on this machine, with all generations that are trusted: certificates of agents, and signers of bundles. */

import { generateKeyPairSync } from 'node:crypto';
import { createAuthority } from '../../../src/crypto/authority.ts';
import { type Authority, readAuthority } from '../../../src/crypto/authority-reader.ts';
import type { BundleSigner } from '../../../src/crypto/jose/bundle-signature.ts';
import { generateEcKeyPair } from '../../../src/crypto/key-pair.ts';
import { type IssuedLeaf, LeafSigner } from '../../../src/crypto/leaf.ts';
import { bundleLeafProfile } from '../../../src/domain/bundle/leaf.ts';
import { leafProfile, leafValidity, type Validity } from '../../../src/domain/certificate/profile.ts';

export const TRUST_DOMAIN = 'cluster.local';
const DAY_MS = 86_400_000;

/** The authority. What it issues is of its newest generation. */
export class LocalAuthority {
  readonly #nowMs: () => number;
  #authority: Authority;
  #signer: LeafSigner;
  #trustedPems: readonly string[];

  /** @param nowMs Milliseconds since the Unix epoch. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    const { authority, certificatePem } = newGeneration(nowMs());
    this.#authority = authority;
    this.#signer = new LeafSigner(authority);
    this.#trustedPems = [certificatePem];
  }

  /** All generations that are trusted. */
  get rootsPem(): string {
    return this.#trustedPems.join('');
  }

  /** Makes another generation, trusted beside the others. */
  addGeneration(): void {
    const { authority, certificatePem } = newGeneration(this.#nowMs());
    this.#authority = authority;
    this.#signer = new LeafSigner(authority);
    this.#trustedPems = [...this.#trustedPems, certificatePem];
  }

  /** Trusts the newest generation alone. */
  dropOldGenerations(): void {
    this.#trustedPems = this.#trustedPems.slice(-1);
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
    return { key: privateKey, chainDer: [certificateDer] };
  }

  #validity(profile: { readonly durationMs: number }): Validity {
    const authorityNotAfterMs = this.#authority.notAfterMs;
    const input = { profile, nowMs: this.#nowMs(), authorityNotAfterMs, notBeforeFloorMs: undefined };
    const result = leafValidity(input);
    if (result.kind === 'refuse') throw new Error(result.message);
    return result.validity;
  }
}

function newGeneration(nowMs: number): { readonly authority: Authority; readonly certificatePem: string } {
  const created = createAuthority({ trustDomain: TRUST_DOMAIN, nowMs });
  const read = readAuthority({
    certificatePem: Buffer.from(created.certificatePem),
    privateKeyPem: Buffer.from(created.privateKeyPem),
  });
  if (read.kind === 'refuse') throw new Error(read.message);
  return { authority: read.authority, certificatePem: created.certificatePem };
}
