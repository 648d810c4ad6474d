/** How fast leaves are issued, against the least that any issuer on this runtime must do. */

import { createECDH, type KeyObject, sign } from 'node:crypto';
import { createAuthority } from '../../src/crypto/authority.ts';
import { type Authority, readAuthority } from '../../src/crypto/authority-reader.ts';
import { generateEcKeyPair } from '../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../src/crypto/leaf.ts';
import { type LeafProfile, leafProfile, type Validity } from '../../src/domain/certificate/profile.ts';
import { percentile } from './row.ts';

/**
 * What {@link benchLeafIssuance} measured, in CPU time of this process, the collection of garbage included. Each number is
 * the median over the rounds.
 */
export interface LeafIssuanceResult {
  /** Whole leaves: key, certificate, both as PEM. */
  readonly perSecond: number;
  /** Keys as bytes and one signature each, nothing else. */
  readonly floorPerSecond: number;
  /** Cost of the floor in each round over that of a leaf; 1 would be a leaf that costs no more than its key and signature. */
  readonly ratio: number;
  readonly leafMicroseconds: number;
  readonly floorMicroseconds: number;
}

// Until the compiler is done and the heap has its size.
const WARM_UP_ROUNDS = 40;
// Garbage is collected at least once in each round of leaves, and a round is over before the machine's load changes.
const ROUND_SIZE = 500;
const TO_BE_SIGNED_BYTES = 520;

/**
 * Measures P-256 leaves under a P-256 authority, each for another identity with nothing remembered between them.
 *
 * The floor is the cheapest sequence of node:crypto calls that yields the bytes of a new key pair and a signature over as
 * many octets as a certificate has: `createECDH()`, `generateKeys()`, `getPrivateKey()`, `sign()`. (Issuing keeps its ECDH
 * object, which wins back part of what the certificate costs.) Both are measured in turns within one run.
 *
 * @param count How many of each; rounded up to whole rounds of 500. Twenty thousand more come before, unmeasured.
 */
export async function benchLeafIssuance({ count }: { readonly count: number }): Promise<LeafIssuanceResult> {
  const authority = newAuthority();
  const signer = new LeafSigner(authority);
  const rounds = Math.max(1, Math.ceil(count / ROUND_SIZE));
  const all = Array.from({ length: WARM_UP_ROUNDS + rounds }, () =>
    measureRound(signer, authority.privateKey),
  );
  const measured = all.slice(WARM_UP_ROUNDS);
  const leafMicroseconds = median(measured.map(({ leaf }) => leaf));
  const floorMicroseconds = median(measured.map(({ floor }) => floor));
  return {
    perSecond: Math.round(1e6 / leafMicroseconds),
    floorPerSecond: Math.round(1e6 / floorMicroseconds),
    ratio: median(measured.map(({ leaf, floor }) => floor / leaf)),
    leafMicroseconds,
    floorMicroseconds,
  };
}

/** Microseconds for one of each. */
function measureRound(
  signer: LeafSigner,
  authorityKey: KeyObject,
): { readonly leaf: number; readonly floor: number } {
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  const validity: Validity = { notBeforeMs: nowMs - 120_000, notAfterMs: nowMs + 86_400_000 };
  const profiles = Array.from({ length: ROUND_SIZE }, (_, at) => profileOf(`agent-${nowMs % 1e9}-${at}`));
  const floor = cpuMicroseconds(() => {
    for (let at = 0; at < ROUND_SIZE; at++) floorSequence(authorityKey);
  });
  const leaf = cpuMicroseconds(() => {
    for (const profile of profiles) signer.issueLeaf(profile, validity, generateEcKeyPair(256));
  });
  return { leaf: leaf / ROUND_SIZE, floor: floor / ROUND_SIZE };
}

const toBeSigned = Buffer.alloc(TO_BE_SIGNED_BYTES, 1);

function floorSequence(authorityKey: KeyObject): void {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  ecdh.getPrivateKey();
  sign('sha256', toBeSigned, authorityKey);
}

function newAuthority(): Authority {
  const created = createAuthority({ trustDomain: 'cluster.local', nowMs: Date.now() });
  const read = readAuthority({
    certificatePem: Buffer.from(created.certificatePem),
    privateKeyPem: Buffer.from(created.privateKeyPem),
  });
  if (read.kind === 'refuse') throw new Error(`the new authority was refused: ${read.message}`);
  return read.authority;
}

function profileOf(name: string): LeafProfile {
  const result = leafProfile(
    {
      name,
      namespace: 'ai-agents',
      serviceAccountName: name,
      durationMs: 86_400_000,
      keyAlgorithm: 'ECDSA',
      keySize: 256,
      extraDnsNames: [],
    },
    { trustDomain: 'cluster.local', clusterDomain: 'cluster.local' },
  );
  if (result.kind === 'refuse') throw new Error(result.message);
  return result.profile;
}

function cpuMicroseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
