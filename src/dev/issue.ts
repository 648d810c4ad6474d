/** Certificates and signing keys of the agents of an author, and the authority above them. */

import type { ReadyAuthority } from '../controllers/authority/authority-state.ts';
import { createAuthority } from '../crypto/authority.ts';
import { type Authority, readAuthority } from '../crypto/authority-reader.ts';
import { jwkThumbprint } from '../crypto/jose/jwk.ts';
import { generatePrivateJwk } from '../crypto/jose/private-jwk.ts';
import {
  inspectSigningKeys,
  readSigningKeyFiles,
  type StoredKey,
  signingKeyFiles,
} from '../crypto/jose/signing-key-files.ts';
import { generateKeyPair } from '../crypto/key-pair.ts';
import { type LeafProfile, leafProfile, leafValidity } from '../domain/certificate/profile.ts';
import { renewalTimeMs } from '../domain/certificate/renewal.ts';
import type { ResolvedIdentity } from '../domain/identity/resolve.ts';
import { type NewKey, planSigningKeys } from '../domain/signing/plan.ts';
import { DevFailure } from './dev-failure.ts';
import type { SigningFiles, StoredGeneration, StoredLeaf } from './state.ts';

/** An agent that gets files. */
export interface ServedAgent {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resolved: ResolvedIdentity;
  /** Under which it is called on this machine, beside the names of its Service: host names and IPv4 addresses. */
  readonly hosts: readonly string[];
}

/** Something that is good until an instant at which it has to be looked at again. */
export interface Kept<T> {
  readonly value: T;
  readonly recheckAtMs: number;
}

/** The settings of the certificates. */
export interface IssueSettings {
  readonly trustDomain: string;
  readonly clusterDomain: string;
}

const DAY_MS = 86_400_000;
const GENERATION_LIFE_MS = 365 * DAY_MS;
/** The longest certificate lives a week: before, the next generation has to sign. */
const SIGNS_UNTIL_MS = 8 * DAY_MS;
/** Agents trust it for a while before it signs. */
const TRUSTED_FROM_MS = 9 * DAY_MS;
/** Whatever runs on this machine reaches them there. */
const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1'];
const IPV4 = /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/;

/** The generations that count now, and a new one when the newest has not long to go. */
export function keepGenerations(
  stored: readonly StoredGeneration[],
  trustDomain: string,
  nowMs: number,
): readonly StoredGeneration[] {
  const alive = stored.filter((each) => authorityOf(each).notAfterMs > nowMs);
  const newest = alive.at(-1);
  const isEnding = newest === undefined || authorityOf(newest).notAfterMs - nowMs < TRUSTED_FROM_MS;
  if (!isEnding) return alive;
  const created = createAuthority({ trustDomain, nowMs, lifeMs: GENERATION_LIFE_MS });
  return [...alive, { certificatePem: created.certificatePem, privateKeyPem: created.privateKeyPem }];
}

/** The generations as they can be used, that which signs first. */
export function signingFirst(stored: readonly StoredGeneration[], nowMs: number): readonly Authority[] {
  const all = stored.map(authorityOf);
  const isOld = ({ notAfterMs }: Authority): boolean => notAfterMs - nowMs < SIGNS_UNTIL_MS;
  return [...all.filter((each) => !isOld(each)), ...all.filter(isOld).reverse()];
}

/** What the certificate of an agent has to say: what it says in a cluster, and the names of this machine. */
export function devProfile(
  { namespace, name, resolved, hosts }: ServedAgent,
  settings: IssueSettings,
): LeafProfile {
  const result = leafProfile({ name, namespace, ...resolved }, settings);
  if (result.kind === 'refuse')
    throw new DevFailure('data', `AgentIdentity ${namespace}/${name}: ${result.message}`);
  const names = [...new Set([name, `${name}.${namespace}`, ...LOOPBACK, ...hosts])];
  return {
    ...result.profile,
    dnsNames: [...result.profile.dnsNames, ...names.filter((each) => !IPV4.test(each))],
    ipAddresses: names.filter((each) => IPV4.test(each)),
  };
}

/** The certificate there is, or a new one when that is not as it has to be, or it is time. */
export async function keepLeaf(
  agent: ServedAgent,
  stored: StoredLeaf | undefined,
  { authority, profile, nowMs }: { authority: ReadyAuthority; profile: LeafProfile; nowMs: number },
): Promise<Kept<StoredLeaf>> {
  const isAsWanted =
    stored?.authorityId === authority.signing.id &&
    JSON.stringify(stored.profile) === JSON.stringify(profile);
  const dueMs = stored === undefined ? 0 : renewalOf(agent, stored);
  if (stored !== undefined && isAsWanted && dueMs > nowMs) return { value: stored, recheckAtMs: dueMs };
  const { notAfterMs, notBeforeMs } = authority.signing;
  const answer = leafValidity({
    profile,
    nowMs,
    authorityNotAfterMs: notAfterMs,
    notBeforeFloorMs: notBeforeMs,
  });
  if (answer.kind === 'refuse') throw new RangeError(answer.message);
  const issued = authority.signer.issueLeaf(profile, answer.validity, await generateKeyPair(profile.key));
  const value = { ...issued, profile, authorityId: authority.signing.id };
  return { value, recheckAtMs: renewalOf(agent, value) };
}

/** The files with the signing keys there are, rotated when it is time. */
export function keepSigningKeys(
  { uid, resolved: { signing } }: ServedAgent,
  stored: SigningFiles | undefined,
  nowMs: number,
): Kept<SigningFiles> {
  const wish = {
    algorithm: signing.algorithm,
    rotationSeconds: signing.rotationIntervalMs / 1000,
    refuseBeforeMs: [],
  };
  const data = octetsOf(stored ?? {});
  const found = inspectSigningKeys(data);
  const plan = planSigningKeys(found.identityUid === uid ? found.keys : [], wish, nowMs);
  if (plan.kind === 'keep' && stored !== undefined) return { value: stored, recheckAtMs: plan.recheckAtMs };
  const halves = new Map(readSigningKeyFiles(data).keys.map((key) => [key.kid, key.privateJwk]));
  const planned = plan.kind === 'write' ? plan.keys : [];
  const keys = planned.map((key) =>
    'kid' in key ? { ...key, privateJwk: halves.get(key.kid) } : madeKey(key),
  );
  const value = signingKeyFiles(uid, keys);
  const next = planSigningKeys(inspectSigningKeys(octetsOf(value)).keys, wish, nowMs);
  return { value, recheckAtMs: next.kind === 'keep' ? next.recheckAtMs : nowMs };
}

function madeKey({ algorithm, ...life }: NewKey): StoredKey {
  const privateJwk = generatePrivateJwk(algorithm);
  const { d: _, ...jwk } = privateJwk;
  return { ...life, kid: jwkThumbprint(jwk), jwk, privateJwk };
}

function octetsOf(files: Readonly<Record<string, string>>): Readonly<Record<string, Buffer>> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]));
}

function renewalOf(
  { uid, resolved }: ServedAgent,
  { serialHex, notBeforeMs, notAfterMs }: StoredLeaf,
): number {
  const { durationMs, renewBeforeMs } = resolved;
  return renewalTimeMs({
    identityUid: uid,
    serialHex,
    notBeforeMs,
    notAfterMs,
    durationMs,
    renewBeforeMs,
    lastIssuedAtMs: undefined,
  });
}

function authorityOf({ certificatePem, privateKeyPem }: StoredGeneration): Authority {
  const read = readAuthority({
    certificatePem: Buffer.from(certificatePem),
    privateKeyPem: Buffer.from(privateKeyPem),
  });
  if (read.kind === 'authority') return read.authority;
  throw new DevFailure(
    'data',
    `the stored authority cannot be used: ${read.message}. Delete the folder of --out.`,
  );
}
