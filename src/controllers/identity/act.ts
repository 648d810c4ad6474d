/** The writes of one identity: its Secret made, mended or wiped, always through the fence. */

import { issuedContent } from '../../crypto/issued-content.ts';
import type { IssuedLeaf } from '../../crypto/leaf.ts';
import { decodePem, encodePem, PEM_LIMIT_BYTES } from '../../crypto/pem.ts';
import { SECRET_KEYS } from '../../domain/certificate/facts.ts';
import type { CertificatePlan, CertificateWish, Replacement } from '../../domain/certificate/plan.ts';
import type { SecretFrame } from '../../domain/certificate/secret-frame.ts';
import { formerKeys } from '../../domain/certificate/secret-template.ts';
import type { KubeClient } from '../../kube/client.ts';
import { SECRET } from '../../kube/core-types.ts';
import { isUnanswered, KubeError } from '../../kube/errors.ts';
import type { FencedWriter, WipeResult } from '../../kube/fenced-writer.ts';
import { keyOf, type ObjectMeta } from '../../kube/object.ts';
import type { ReadyAuthority } from '../authority/authority-state.ts';
import type { KnownContents } from './known-contents.ts';
import type { LeafSupply } from './leaf-supply.ts';
import type { Secret } from './secret.ts';
import { emptiedSecret, secretObject } from './secret-object.ts';
import { type SecretJudge, type SecretRecord, secretRecord } from './secret-record.ts';

/** What the writes need. */
export interface ActPorts {
  readonly client: Pick<KubeClient, 'get'>;
  readonly writer: FencedWriter;
  readonly leaves: LeafSupply;
  readonly judge: SecretJudge;
  readonly known: KnownContents;
  /** Takes the answer of a write into the cache. */
  readonly observe: (secret: Secret) => void;
  readonly observeDeleted: (record: SecretRecord) => void;
}

/** What is needed to mend a Secret. */
export type RepairPorts = Pick<ActPorts, 'client' | 'writer' | 'judge' | 'observe'>;

/** What a leaf is written with. */
export interface LeafWrite {
  readonly plan: Extract<CertificatePlan, { kind: 'issue' }>;
  readonly wish: CertificateWish;
  readonly authority: ReadyAuthority;
  readonly secret: SecretRecord | undefined;
  /** One of another issuer, already in the ledger; undefined: the built-in authority signs one. */
  readonly leaf?: IssuedLeaf | undefined;
}

/** What a Secret is mended with. */
export interface SecretRepair {
  /** What it must be around its leaf. */
  readonly frame: SecretFrame;
  readonly replace: Exclude<Replacement, 'create'>;
  readonly authority: ReadyAuthority;
  readonly secret: SecretRecord;
}

/** Issues a leaf and writes the whole Secret. Returns the Secret as it is on the server. */
export async function issueCertificate(
  ports: ActPorts,
  write: LeafWrite,
  options: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<SecretRecord> {
  const { wish, authority, secret } = write;
  const { replace } = write.plan;
  if (write.leaf !== undefined) {
    const desired = secretObject(wish.secret, { ...write.leaf, bundlePem: authority.bundlePem });
    return writeSecret(ports, { replace, desired, secret }, options.signal);
  }
  const leaf: IssuedLeaf = await ports.leaves.leafFor(wish, authority.signer, options.nowMs);
  const desired = secretObject(wish.secret, { ...leaf, bundlePem: authority.bundlePem });
  const content = issuedContent({
    profile: wish.profile,
    leaf,
    authorityId: authority.signing.id,
    trustBundleSha256: authority.bundleSha256,
  });
  try {
    return await ports.known.during(desired, content, () =>
      writeSecret(ports, { replace, desired, secret }, options.signal),
    );
  } catch (error) {
    // It may be in the Secret, and whoever deletes that before it is seen again wants another.
    if (isUnanswered(error)) ports.leaves.abandon(wish);
    throw error;
  }
}

/**
 * Writes the Secret again around the same leaf and key. They are read here, since no cache holds a key; the plan still
 * decides, because a Secret that changed since it was planned on is not touched.
 *
 * @throws KubeError KUBE_CONFLICT when it changed.
 */
export async function repairSecret(
  ports: RepairPorts,
  { frame, replace, authority, secret }: SecretRepair,
  signal: AbortSignal,
): Promise<SecretRecord> {
  const current = await sameSecret(ports.client, frame, secret, signal);
  const desired = secretObject(frame, {
    certificatePem: chainOf(bytesOf(current, SECRET_KEYS.certificate), secret, authority),
    privateKeyPem: bytesOf(current, SECRET_KEYS.privateKey).toString('latin1'),
    bundlePem: authority.bundlePem,
  });
  return writeSecret(ports, { replace, desired, secret }, signal);
}

/**
 * Reads a Secret with what is secret in it.
 *
 * @param seen What was decided on.
 * @throws KubeError KUBE_CONFLICT when it is not the same any more.
 */
export async function sameSecret(
  client: ActPorts['client'],
  target: { readonly namespace: string; readonly name: string },
  seen: SecretRecord | undefined,
  signal: AbortSignal,
): Promise<Secret> {
  const current = await client.get<Secret>(SECRET, target, { signal });
  if (current.metadata.resourceVersion !== seen?.metadata.resourceVersion) {
    throw new KubeError('KUBE_CONFLICT', `write secrets ${keyOf(target)}: it changed since it was looked at`);
  }
  return current;
}

/** Empties and deletes a Secret, so that neither a foreign finalizer nor a running pod keeps the key. */
export async function wipeSecret(
  ports: ActPorts,
  record: SecretRecord,
  signal: AbortSignal,
): Promise<WipeResult> {
  const result = await ports.writer.wipe<Secret>(
    SECRET,
    { observed: record.metadata, emptied: emptiedSecret },
    { signal },
  );
  if (result.kind === 'wiped' || result.kind === 'gone') ports.observeDeleted(record);
  return result;
}

async function writeSecret(
  ports: RepairPorts,
  sending: SecretSending,
  signal: AbortSignal,
): Promise<SecretRecord> {
  const written = await sendSecret(ports.writer, sending, signal);
  ports.observe(written);
  return secretRecord(written, ports.judge);
}

/** What is sent, and what it replaces. */
export interface SecretSending {
  readonly replace: Replacement;
  readonly desired: Secret;
  readonly secret: SecretRecord | undefined;
}

/** Sends a whole Secret through the fence; what the template had before is not carried over. @throws KubeError. */
export function sendSecret(
  writer: FencedWriter,
  { replace, desired, secret }: SecretSending,
  signal: AbortSignal,
): Promise<Secret> {
  if (secret === undefined) return writer.create(SECRET, desired, { signal });
  const replacement = { desired, observed: withoutFormer(secret, desired) };
  return replace === 'recreate'
    ? writer.recreate(SECRET, replacement, { signal })
    : writer.replace(SECRET, replacement, { signal });
}

function withoutFormer({ metadata, facts }: SecretRecord, desired: Secret): ObjectMeta {
  const { labels = {}, annotations = {} } = desired.metadata;
  const former = formerKeys({ labels, annotations }, facts);
  return {
    ...metadata,
    labels: without(metadata.labels, former.labels),
    annotations: without(metadata.annotations, former.annotations),
  };
}

function without(
  entries: Readonly<Record<string, string>> = {},
  names: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => !names.includes(name)));
}

function bytesOf({ data = {} }: Secret, key: string): Buffer {
  return Buffer.from(data[key] ?? '', 'base64');
}

/** The leaf and what leads to its root, written as we write it. */
function chainOf(
  pem: Buffer,
  secret: SecretRecord,
  { intermediatesPem }: Pick<ReadyAuthority, 'intermediatesPem'>,
): string {
  const read = decodePem(pem, { label: 'CERTIFICATE', limitBytes: PEM_LIMIT_BYTES.chain, maxBlocks: 10 });
  const leaf = secret.facts.content.certificate;
  if (read.kind !== 'blocks' || leaf.kind !== 'certificate')
    throw new TypeError('a Secret is repaired only around a certificate that can be read');
  const { authorityId, intermediateCount = 0 } = leaf;
  const needed = authorityId === undefined ? read.blocks : read.blocks.slice(0, 1 + intermediateCount);
  const chain = needed.map((block) => encodePem('CERTIFICATE', block)).join('');
  return leaf.lacksIntermediates ? chain + (intermediatesPem.get(authorityId ?? '') ?? '') : chain;
}
