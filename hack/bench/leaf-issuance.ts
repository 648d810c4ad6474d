/** How fast leaves are issued, against the least that any issuer on this runtime must do. */

import { createECDH, type KeyObject, sign } from 'node:crypto';
import { createAuthority } from '../../src/crypto/authority.ts';
import { readAuthority } from '../../src/crypto/authority-reader.ts';
import { generateEcKeyPair } from '../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../src/crypto/leaf.ts';
import { type LeafProfile, leafProfile, type Validity } from '../../src/domain/certificate/profile.ts';

/** What {@link benchLeafIssuance} measured: CPU time of this process, the lower quartile over the rounds. */
export interface LeafIssuanceResult {
  /** Whole leaves: key, certificate, both as PEM. */
  readonly perSecond: number;
  /** Keys as bytes and one signature each, nothing else. */
  readonly floorPerSecond: number;
  /** Leaves for each floor sequence; 1 would be a leaf that costs nothing beside its key and signature. */
  readonly ratio: number;
  readonly leafMicroseconds: number;
  readonly floorMicroseconds: number;
}

// Long enough for garbage to be collected in each round, not only in every other.
const ROUND_SIZE = 1_000;
const WARM_UP_ROUNDS = 3;
const TO_BE_SIGNED_BYTES = 520;

/**
 * Measures P-256 leaves under a P-256 authority, each for another identity with nothing remembered between them.
 *
 * The floor is the cheapest sequence of node:crypto calls that yields the bytes of a new key pair and a signature over as
 * many octets as a certificate has: `createECDH()`, `generateKeys()`, `getPrivateKey()`, `sign()`. (Issuing keeps its ECDH
 * object, which wins back part of what the certificate costs.) Both are measured in turns within one run, so that a
 * change of clock rate touches both.
 *
 * @param count How many of each; rounded up to whole rounds.
 */
export async function benchLeafIssuance({ count }: { readonly count: number }): Promise<LeafIssuanceResult> {
  const created = createAuthority({ trustDomain: 'cluster.local', nowMs: Date.now() });
  const read = readAuthority({
    certificatePem: Buffer.from(created.certificatePem),
    privateKeyPem: Buffer.from(created.privateKeyPem),
  });
  if (read.kind === 'refuse') throw new Error(`the new authority was refused: ${read.message}`);
  const signer = new LeafSigner(read.authority);
  const floor = floorSequence(read.authority.privateKey);
  const rounds = Math.max(1, Math.ceil(count / ROUND_SIZE));
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    measureFloor(floor);
    measureLeaves(signer, round);
  }
  const leafTimes: number[] = [];
  const floorTimes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    floorTimes.push(measureFloor(floor));
    leafTimes.push(measureLeaves(signer, round));
  }
  const leafMicroseconds = lowerQuartile(leafTimes);
  const floorMicroseconds = lowerQuartile(floorTimes);
  return {
    perSecond: Math.round(1e6 / leafMicroseconds),
    floorPerSecond: Math.round(1e6 / floorMicroseconds),
    ratio: floorMicroseconds / leafMicroseconds,
    leafMicroseconds,
    floorMicroseconds,
  };
}

function floorSequence(authorityKey: KeyObject): () => number {
  const toBeSigned = Buffer.alloc(TO_BE_SIGNED_BYTES, 1);
  return () => {
    const ecdh = createECDH('prime256v1');
    return (
      ecdh.generateKeys().length +
      ecdh.getPrivateKey().length +
      sign('sha256', toBeSigned, authorityKey).length
    );
  };
}

/** Microseconds of CPU time per sequence. */
function measureFloor(sequence: () => number): number {
  const before = process.cpuUsage();
  for (let at = 0; at < ROUND_SIZE; at++) sequence();
  return elapsedMicroseconds(before) / ROUND_SIZE;
}

/** Microseconds of CPU time per leaf. */
function measureLeaves(signer: LeafSigner, round: number): number {
  const profiles = Array.from({ length: ROUND_SIZE }, (_, at) => profileOf(`agent-${round}-${at}`));
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  const validity: Validity = { notBeforeMs: nowMs - 120_000, notAfterMs: nowMs + 86_400_000 };
  const before = process.cpuUsage();
  for (const profile of profiles) signer.issueLeaf(profile, validity, generateEcKeyPair(256));
  return elapsedMicroseconds(before) / ROUND_SIZE;
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

function elapsedMicroseconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Of what else runs on the machine the quieter rounds show least. */
function lowerQuartile(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 4)] ?? 0;
}
