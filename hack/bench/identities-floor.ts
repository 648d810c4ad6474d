/** The write floor: the objects of an identity, written as fast as the API server takes them. */

import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { AGENT_IDENTITY } from '../../src/api/group.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import { framedSecret, secretObject } from '../../src/controllers/identity/secret-object.ts';
import { identityStatus } from '../../src/controllers/identity/status.ts';
import { secretFrame } from '../../src/controllers/identity/wish.ts';
import { NETWORK_POLICY } from '../../src/controllers/mesh/kinds.ts';
import type { MeshObject, MeshTarget } from '../../src/domain/mesh/model.ts';
import { planMesh } from '../../src/domain/mesh/plan.ts';
import { SIGNING_DATA, SIGNING_SECRET_TYPE } from '../../src/domain/signing/facts.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { SECRET } from '../../src/kube/core-types.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { concurrently } from './concurrently.ts';

/** What is written where. */
export interface FloorOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly count: number;
  readonly workers: number;
  readonly prefix: string;
}

/** As long as the real ones. */
const CERTIFICATE_PEM = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(900)}\n-----END CERTIFICATE-----\n`;
const PRIVATE_KEY_PEM = `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(187)}\n-----END PRIVATE KEY-----\n`;

/** Writes them, and says how long it took in seconds. */
export async function measureFloor({
  client,
  namespace,
  count,
  workers,
  prefix,
}: FloorOptions): Promise<number> {
  const startedMs = performance.now();
  await concurrently(count, workers, async (index) => {
    const name = `${prefix}-${index}`;
    const written: KubeObject & { readonly spec: object } = { metadata: { name, namespace }, spec: {} };
    const identity = (await client.create<KubeObject>(AGENT_IDENTITY, written)) as AgentIdentity;
    for (const wall of wallOf(identity)) await client.create<KubeObject>(NETWORK_POLICY, wall);
    await client.create(SECRET, signingSecretOf(identity));
    await client.create(SECRET, secretOf(identity));
    await client.applyStatus(AGENT_IDENTITY, {
      metadata: { name, namespace, uid: identity.metadata.uid },
      status: statusOf(identity),
    });
  });
  return (performance.now() - startedMs) / 1000;
}

/** What an agent that nobody may call has where there is no mesh. */
function wallOf({ metadata: { name, namespace, uid } }: AgentIdentity): readonly MeshObject[] {
  const target: MeshTarget = {
    namespace,
    name,
    serviceAccountName: name,
    labels: { 'agenttrust.dev/managed': 'true', 'agenttrust.dev/agent': name },
    annotations: { 'agenttrust.dev/owner-uid': uid },
    state: 'enforce',
    port: 8443,
    routes: [],
    callers: [],
    delegators: [],
  };
  const facts = { trustDomain: 'cluster.local', servesIstio: false, dataPlane: 'none' } as const;
  return Object.values(planMesh(target, facts).objects);
}

function secretOf(identity: AgentIdentity): Secret {
  return secretObject(secretFrame(identity, `${identity.metadata.name}-tls`), {
    certificatePem: CERTIFICATE_PEM,
    privateKeyPem: PRIVATE_KEY_PEM,
    bundlePem: CERTIFICATE_PEM,
  });
}

function signingSecretOf(identity: AgentIdentity): Secret {
  return framedSecret(secretFrame(identity, `${identity.metadata.name}-signing`), SIGNING_SECRET_TYPE, {
    [SIGNING_DATA.privateKey]: PRIVATE_KEY_PEM,
    [SIGNING_DATA.keyId]: 'A'.repeat(43),
    [SIGNING_DATA.keys]: 'A'.repeat(330),
    [SIGNING_DATA.published]: 'A'.repeat(440),
  });
}

/** A status as long as the real ones. */
export function statusOf(identity: AgentIdentity): ReturnType<typeof identityStatus> {
  const { name, namespace } = identity.metadata;
  const nowMs = Date.now();
  return identityStatus(
    identity,
    {
      reason: 'Issued',
      message: `Secret ${name}-tls holds the certificate of spiffe://cluster.local/ns/${namespace}/sa/${name}.`,
      spiffeId: `spiffe://cluster.local/ns/${namespace}/sa/${name}`,
      secretName: `${name}-tls`,
      quarantine: 'no',
      progress: 'done',
      certificate: {
        serialHex: '0'.repeat(32),
        notBeforeMs: nowMs,
        notAfterMs: nowMs + 86_400_000,
        renewalTimeMs: nowMs + 57_600_000,
        authorityId: '0'.repeat(16),
      },
      failure: undefined,
      files: 'none',
      signing: {
        kind: 'ready',
        message: `Secret ${name}-signing holds the signing keys.`,
        keys: [{ kid: '0'.repeat(43), state: 'Active', sinceMs: nowMs }],
      },
      mesh: {
        problem: undefined,
        coverage: { reason: 'NotInstalled', message: 'x'.repeat(230) },
        isDryRun: false,
      },
    },
    nowMs,
  );
}
