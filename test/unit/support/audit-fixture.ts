/** A cluster where all is well, as the audit sees it. */

import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { AUTHORITY_SECRET_NAME, BUNDLE_NAME, LABEL_MANAGED } from '../../../src/api/group.ts';
import { readyAuthority } from '../../../src/controllers/authority/authority-record.ts';
import { BundleLeaf } from '../../../src/controllers/bundle/bundle-leaf.ts';
import { digestsOf } from '../../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { framedSecret, secretObject } from '../../../src/controllers/identity/secret-object.ts';
import { secretFrame } from '../../../src/controllers/identity/wish.ts';
import { createAuthority } from '../../../src/crypto/authority.ts';
import { readAuthority } from '../../../src/crypto/authority-reader.ts';
import { signBundle } from '../../../src/crypto/jose/bundle-signature.ts';
import { jwkThumbprint } from '../../../src/crypto/jose/jwk.ts';
import { generatePrivateJwk } from '../../../src/crypto/jose/private-jwk.ts';
import { type StoredKey, signingKeyFiles } from '../../../src/crypto/jose/signing-key-files.ts';
import { generateKeyPair } from '../../../src/crypto/key-pair.ts';
import { type IssuedLeaf, LeafSigner } from '../../../src/crypto/leaf.ts';
import { leafProfile } from '../../../src/domain/certificate/profile.ts';
import { formatLedgerLine } from '../../../src/domain/ledger/ledger-line.ts';
import { SIGNING_SECRET_TYPE } from '../../../src/domain/signing/facts.ts';
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
  const served = Object.entries(leaves).map(([name, leaf]) => {
    const key = newKey();
    return { identity: servedIdentity(name, leaf, key), leaf, key };
  });
  return {
    facts: {
      namespaces: [NAMESPACE],
      trustDomain: TRUST_DOMAIN,
      nowMs: NOW,
      identities: [...served.map(({ identity }) => identity), suspendedIdentity('three')],
      serviceAccounts: new Set(['one', 'two', 'three'].map((name) => `${NAMESPACE}/${name}`)),
      secrets: [
        ...served.map(({ identity, leaf }) => secretOf(authority, identity, leaf)),
        ...served.map(({ identity, key }) => signingSecretOf(identity, key)),
      ],
      bundles: [
        {
          metadata: { name: BUNDLE_NAME, namespace: NAMESPACE, labels: { [LABEL_MANAGED]: 'true' } },
          data: signedBundle(authority),
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

/** The files of a bundle, with their signature. */
function signedBundle(authority: Created): Readonly<Record<string, string>> {
  const read = readAuthority({
    certificatePem: Buffer.from(authority.certificatePem),
    privateKeyPem: Buffer.from(authority.privateKeyPem),
  });
  const ready = read.kind === 'authority' ? readyAuthority([read.authority]) : undefined;
  if (ready === undefined) throw new Error('the fixture is wrong');
  const files = { 'ca.crt': authority.certificatePem, 'policy.json': '{}' };
  const iat = NOW / 1000;
  const claims = { sequence: NOW, iat, exp: iat + 1800, aud: NAMESPACE, files: digestsOf(files) };
  return { ...files, 'bundle.jws': signBundle(claims, new BundleLeaf(TRUST_DOMAIN).signer(ready, NOW)) };
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

function servedIdentity(name: string, leaf: IssuedLeaf, { kid, state }: StoredKey): AgentIdentity {
  return {
    metadata: metadataOf(name),
    spec: {},
    status: {
      ...conditions('True', 'Issued'),
      spiffeID: `spiffe://${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/${name}`,
      certificate: { serialNumber: leaf.serialHex, notAfter: rfc3339(leaf.notAfterMs) },
      signingKeys: [{ kid, state }],
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

function secretOf(authority: Created, identity: AgentIdentity, leaf: IssuedLeaf): Secret {
  const frame = secretFrame(identity, `${identity.metadata.name}-tls`);
  return secretObject(frame, { ...leaf, bundlePem: authority.certificatePem });
}

function signingSecretOf(identity: AgentIdentity, key: StoredKey): Secret {
  const { name, uid } = identity.metadata;
  const files = signingKeyFiles(uid, [key]);
  return framedSecret(secretFrame(identity, `${name}-signing`), SIGNING_SECRET_TYPE, files);
}

function newKey(): StoredKey {
  const privateJwk = generatePrivateJwk('ES256');
  const { d: _, ...jwk } = privateJwk;
  return { kid: jwkThumbprint(jwk), state: 'Active', createdMs: NOW, since: NOW / 1000, jwk, privateJwk };
}

function rfc3339(instantMs: number): string {
  return new Date(instantMs).toISOString().replace('.000Z', 'Z');
}
