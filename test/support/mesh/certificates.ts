/** An authority and the leaves of agents, made with the code that the operator makes them with. */

import { createAuthority } from '../../../src/crypto/authority.ts';
import { type Authority, readAuthority } from '../../../src/crypto/authority-reader.ts';
import { generateKeyPair } from '../../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../../src/crypto/leaf.ts';
import { leafProfile, leafValidity } from '../../../src/domain/certificate/profile.ts';
import type { Account } from '../../../src/domain/mesh/model.ts';

/** Certificate and key, PEM. */
export interface TlsIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const LIFE_MS = 3_600_000;

/** Issues for an hour. */
export class MeshAuthority {
  readonly trustDomain: string;
  /** The root, PEM. */
  readonly certificatePem: string;
  readonly #authority: Authority;

  constructor(trustDomain: string) {
    const created = createAuthority({ trustDomain, nowMs: Date.now() });
    const read = readAuthority({
      certificatePem: Buffer.from(created.certificatePem),
      privateKeyPem: Buffer.from(created.privateKeyPem),
    });
    if (read.kind === 'refuse') throw new Error(read.message);
    this.trustDomain = trustDomain;
    this.certificatePem = created.certificatePem;
    this.#authority = read.authority;
  }

  /** A new leaf for a ServiceAccount. `trustDomain`: default that of the authority; another one no operator would sign. */
  async issue(
    { namespace, serviceAccountName }: Account,
    trustDomain: string = this.trustDomain,
  ): Promise<TlsIdentity> {
    const wish = { name: serviceAccountName, namespace, serviceAccountName, durationMs: LIFE_MS };
    const request = { ...wish, keyAlgorithm: 'ECDSA', keySize: undefined, extraDnsNames: [] };
    const decided = leafProfile(request, { trustDomain, clusterDomain: 'cluster.local' });
    if (decided.kind === 'refuse') throw new Error(decided.message);
    const { profile } = decided;
    const valid = leafValidity({
      profile,
      nowMs: Date.now(),
      authorityNotAfterMs: this.#authority.notAfterMs,
      notBeforeFloorMs: undefined,
    });
    if (valid.kind === 'refuse') throw new Error(valid.message);
    const signer = new LeafSigner(this.#authority);
    return signer.issueLeaf(profile, valid.validity, await generateKeyPair(profile.key));
  }
}
