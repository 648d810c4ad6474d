/** A cluster where all is well, as the audit sees it. */

import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import {
  ANNOTATION_OWNER_UID,
  AUTHORITY_SECRET_NAME,
  BUNDLE_NAME,
  GROUP,
  LABEL_AGENT,
  LABEL_MANAGED,
  VERSION,
} from '../../../src/api/group.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { secretObject } from '../../../src/controllers/identity/secret-object.ts';
import { createAuthority } from '../../../src/crypto/authority.ts';
import { readAuthority } from '../../../src/crypto/authority-reader.ts';
import { generateKeyPair } from '../../../src/crypto/key-pair.ts';
import { type IssuedLeaf, LeafSigner } from '../../../src/crypto/leaf.ts';
import { leafProfile } from '../../../src/domain/certificate/profile.ts';
import { formatLedgerLine } from '../../../src/domain/ledger/ledger-line.ts';
import type { ClusterFacts, ClusterHistory } from '../../support/audit.ts';

export const NOW: number = Date.UTC(2026, 0, 1);
export const HOUR = 3_600_000;
export const NAMESPACE = 'ai-agents';
const TRUST_DOMAIN = 'cluster.local';

/** What is and what has been. */
export interface Cluster {
  readonly facts: ClusterFacts;
  readonly history: ClusterHistory;
}

type Created = ReturnType<typeof createAuthority>;

/** Base64 of a text. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** An authority that nobody else has. */
export function newAuthority(): Created {
  return createAuthority({ trustDomain: TRUST_DOMAIN, nowMs: NOW });
}

/** Two identities that are served, and one that is suspended. */
export async function goodCluster(authority: Created): Promise<Cluster> {
  const leaves = { one: await issue(authority, 'one'), two: await issue(authority, 'two') };
  const lines = Object.entries(leaves).map(([name, { serialHex, notAfterMs }]) =>
    formatLedgerLine({
      identityUid: `uid-${name}`,
      namespace: NAMESPACE,
      serviceAccountName: name,
      serialHex,
      notAfterMs,
      generation: authority.id,
    }),
  );
  return {
    facts: {
      namespaces: [NAMESPACE],
      trustDomain: TRUST_DOMAIN,
      nowMs: NOW,
      identities: [
        ...Object.entries(leaves).map(([name, leaf]) => servedIdentity(name, leaf)),
        suspendedIdentity('three'),
      ],
      serviceAccounts: new Set(['one', 'two', 'three'].map((name) => `${NAMESPACE}/${name}`)),
      secrets: Object.entries(leaves).map(([name, leaf]) => secretOf(authority, name, leaf)),
      bundles: [
        {
          metadata: { name: BUNDLE_NAME, namespace: NAMESPACE, labels: { [LABEL_MANAGED]: 'true' } },
          data: { 'ca.crt': authority.certificatePem },
        },
      ],
      authority: {
        metadata: { name: AUTHORITY_SECRET_NAME },
        data: { [`${authority.id}.crt`]: base64(authority.certificatePem) },
      },
      ledgers: [
        {
          metadata: { name: 'agent-trust-ledger-1' },
          data: { ledger: lines.map((line) => `${line}\n`).join('') },
        },
      ],
    },
    history: {
      leaves: new Map(Object.entries(leaves).map(([name, { serialHex }]) => [serialHex, `uid-${name}`])),
      lost: new Map(),
      secrets: [],
    },
  };
}

async function issue(authority: Created, name: string): Promise<IssuedLeaf> {
  const read = readAuthority({
    certificatePem: Buffer.from(authority.certificatePem),
    privateKeyPem: Buffer.from(authority.privateKeyPem),
  });
  const result = leafProfile(
    {
      name,
      namespace: NAMESPACE,
      serviceAccountName: name,
      durationMs: 24 * HOUR,
      keyAlgorithm: 'ECDSA',
      keySize: 256,
      extraDnsNames: [],
    },
    { trustDomain: TRUST_DOMAIN, clusterDomain: TRUST_DOMAIN },
  );
  if (read.kind === 'refuse' || result.kind === 'refuse') throw new Error('the fixture is wrong');
  const validity = { notBeforeMs: NOW - 120_000, notAfterMs: NOW + 24 * HOUR };
  return new LeafSigner(read.authority).issueLeaf(
    result.profile,
    validity,
    await generateKeyPair(result.profile.key),
  );
}

function metadataOf(name: string): AgentIdentity['metadata'] {
  const creationTimestamp = rfc3339(NOW);
  return {
    name,
    namespace: NAMESPACE,
    uid: `uid-${name}`,
    resourceVersion: '1',
    generation: 2,
    creationTimestamp,
  };
}

function conditions(status: 'True' | 'False', reason: string): NonNullable<AgentIdentity['status']> {
  const lastTransitionTime = rfc3339(NOW);
  return {
    observedGeneration: 2,
    conditions: [{ type: 'Ready', status, reason, message: 'm', observedGeneration: 2, lastTransitionTime }],
  };
}

function servedIdentity(name: string, leaf: IssuedLeaf): AgentIdentity {
  return {
    metadata: metadataOf(name),
    spec: {},
    status: {
      ...conditions('True', 'Issued'),
      spiffeID: `spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/${name}`,
      certificate: { serialNumber: leaf.serialHex, notAfter: rfc3339(leaf.notAfterMs) },
    },
  };
}

function suspendedIdentity(name: string): AgentIdentity {
  return {
    metadata: metadataOf(name),
    spec: { suspended: true },
    status: conditions('False', 'Quarantined'),
  };
}

function secretOf(authority: Created, name: string, leaf: IssuedLeaf): Secret {
  const uid = `uid-${name}`;
  const wish = {
    namespace: NAMESPACE,
    name: `${name}-tls`,
    trustBundleSha256: '',
    labels: { [LABEL_MANAGED]: 'true', [LABEL_AGENT]: name },
    annotations: { [ANNOTATION_OWNER_UID]: uid },
    ownerReference: { apiVersion: `${GROUP}/${VERSION}`, kind: 'AgentIdentity', name, uid },
  };
  return secretObject(wish, { ...leaf, bundlePem: authority.certificatePem });
}

function rfc3339(instantMs: number): string {
  return new Date(instantMs).toISOString().replace('.000Z', 'Z');
}
