/** A governed namespace with agents, for tests of the operator. */

import { before } from 'mocha';
import type { ControlPlane } from '../../hack/control-plane/control-plane.ts';
import { installChart } from '../../hack/operator/install-chart.ts';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { AGENT_IDENTITY } from '../../src/api/group.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { NAMESPACE, SECRET, SERVICE_ACCOUNT } from '../../src/kube/core-types.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { type AdminClient, adminClient } from './admin-client.ts';
import { eventually } from './eventually.ts';

/** The namespace that the tests' operators govern. */
export const AGENTS = 'ai-agents';

/** What tests do with agents. */
export class Swarm {
  readonly admin: AdminClient;

  constructor(admin: AdminClient) {
    this.admin = admin;
  }

  get client(): KubeClient {
    return this.admin.client;
  }

  /** Creates a ServiceAccount and an AgentIdentity on it. */
  async createAgent(
    name: string,
    spec: AgentIdentity['spec'] = {},
    namespace: string = AGENTS,
  ): Promise<AgentIdentity> {
    const account = spec.serviceAccountName ?? name;
    await this.client.create(SERVICE_ACCOUNT, { metadata: { name: account, namespace } });
    return this.createIdentity(name, spec, namespace);
  }

  /** Creates an AgentIdentity alone. */
  async createIdentity(
    name: string,
    spec: AgentIdentity['spec'] = {},
    namespace: string = AGENTS,
  ): Promise<AgentIdentity> {
    const written: KubeObject & { readonly spec: object } = { metadata: { name, namespace }, spec };
    return (await this.client.create<KubeObject>(AGENT_IDENTITY, written)) as AgentIdentity;
  }

  /** The identity as it is on the server. */
  identity(name: string, namespace: string = AGENTS): Promise<AgentIdentity> {
    return this.client.get<AgentIdentity & KubeObject>(AGENT_IDENTITY, { namespace, name });
  }

  /** Waits until Ready has this reason for the stored generation. */
  ready(
    name: string,
    reason = 'Issued',
    { namespace = AGENTS }: { readonly namespace?: string } = {},
  ): Promise<AgentIdentity> {
    return eventually(`${namespace}/${name} to be ${reason}`, async () => {
      const identity = await this.identity(name, namespace);
      const condition = identity.status?.conditions?.find(({ type }) => type === 'Ready');
      if (condition?.reason !== reason)
        throw new Error(`Ready is ${condition?.reason}: ${condition?.message}`);
      return condition.observedGeneration === identity.metadata.generation && identity;
    });
  }

  /** A Secret as it is on the server, or undefined. */
  secret(name: string, namespace: string = AGENTS): Promise<Secret | undefined> {
    return this.client.find<Secret>(SECRET, { namespace, name });
  }
}

/** Installs the chart with the namespaces governed, and gives the swarm; its connections are to be closed. */
export async function startSwarm(controlPlane: ControlPlane, namespaces: readonly string[]): Promise<Swarm> {
  const admin = await adminClient(controlPlane);
  for (const name of namespaces) await admin.client.create(NAMESPACE, { metadata: { name } });
  await installChart({ kubeconfigPath: controlPlane.kubeconfigPath, namespaces });
  await eventually(
    'the kind to be served',
    async () => (await admin.client.list(AGENT_IDENTITY)) !== undefined,
  );
  return new Swarm(admin);
}

/** As {@link startSwarm}, before the tests of the suite it is called in, which has a control plane. */
export function useSwarm(
  controlPlane: () => ControlPlane,
  namespaces: readonly string[] = [AGENTS],
): () => Swarm {
  let swarm: Swarm | undefined;
  before(async () => {
    swarm = await startSwarm(controlPlane(), namespaces);
  });
  after(() => swarm?.admin.close());
  return () => {
    if (swarm === undefined) throw new Error('the swarm is there from the first test on, not earlier');
    return swarm;
  };
}
