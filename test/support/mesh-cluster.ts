/** What tests of the mesh do in a cluster: Istio's kinds, pods without a kubelet, and a look at the policies of a namespace. */

import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { AGENT_IDENTITY, DELEGATION_POLICY } from '../../src/api/group.ts';
import type { PolicyObject } from '../../src/controllers/mesh/digest.ts';
import {
  AUTHORIZATION_POLICY,
  MESH_ROLES,
  NETWORK_POLICY,
  PEER_AUTHENTICATION,
  POD,
  typeOfRole,
} from '../../src/controllers/mesh/kinds.ts';
import type { Pod } from '../../src/controllers/mesh/pod-record.ts';
import type { MeshRole } from '../../src/domain/mesh/model.ts';
import { LABEL_IDENTITY, meshObjectName } from '../../src/domain/mesh/names.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { EVENT, NAMESPACE, SERVICE_ACCOUNT } from '../../src/kube/core-types.ts';
import { apiVersionOf, type KubeObject } from '../../src/kube/object.ts';
import { eventually } from './eventually.ts';
import type { PolicyObject as JudgedObject } from './mesh/policy-object.ts';
import { AGENTS, type Swarm } from './swarm.ts';

/** A condition of an AgentIdentity. */
export type Condition = NonNullable<NonNullable<AgentIdentity['status']>['conditions']>[number];

/** How a pod differs from one that stands behind the wall of its agent. */
export interface PodTraits {
  /** `false`: without the label that admission stamps. */
  readonly isLabelled?: boolean;
  readonly isMeshed?: boolean;
  readonly hostNetwork?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What tests do. */
export class MeshCluster {
  readonly #swarm: Swarm;

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
  }

  get client(): KubeClient {
    return this.#swarm.client;
  }

  /** Puts labels on a namespace, or takes them off with null. */
  async label(labels: Readonly<Record<string, string | null>>, name: string = AGENTS): Promise<void> {
    await this.client.mergePatch(NAMESPACE, { name, patch: { metadata: { labels } } });
  }

  /** Applies every object of a file of examples/. */
  async apply(path: string): Promise<void> {
    const text = await readFile(path, 'utf8');
    for (const document of text.split(/^---$/m)) {
      const object = parse(document) as KubeObject | null;
      const type = [SERVICE_ACCOUNT, AGENT_IDENTITY, DELEGATION_POLICY].find(
        ({ kind }) => kind === object?.kind,
      );
      if (object !== null && type !== undefined) await this.client.create(type, object);
    }
  }

  /** The objects under the names of an agent. */
  async objects(agent: string, namespace: string = AGENTS): Promise<Partial<Record<MeshRole, PolicyObject>>> {
    const found = await Promise.all(
      MESH_ROLES.map(async (role) => {
        const name = meshObjectName(role, { namespace, name: agent });
        return [role, await this.client.find<PolicyObject>(typeOfRole(role), { namespace, name })] as const;
      }),
    );
    return Object.fromEntries(found.filter(([, object]) => object !== undefined));
  }

  /** Waits until exactly these roles are there for an agent, and `check` does not throw and is not false. */
  objectsOf(
    agent: string,
    roles: readonly MeshRole[],
    check: (objects: Readonly<Record<string, PolicyObject>>) => unknown = () => true,
  ): Promise<Readonly<Record<string, PolicyObject>>> {
    return eventually(`${agent} to have ${roles.join(', ')} as they should be`, async () => {
      const objects = (await this.objects(agent)) as Record<string, PolicyObject>;
      const found = Object.keys(objects).sort().join();
      if (found !== [...roles].sort().join()) throw new Error(`it has ${found}`);
      return check(objects) !== false && objects;
    });
  }

  /** Every policy of some namespaces, for the evaluator. */
  async policies(namespaces: readonly string[] = [AGENTS]): Promise<readonly JudgedObject[]> {
    const lists = namespaces.flatMap((namespace) =>
      [AUTHORIZATION_POLICY, PEER_AUTHENTICATION, NETWORK_POLICY].map(async (type) => {
        const { items } = await this.client.list<PolicyObject>(type, { namespace });
        return items.map((item) => ({ ...item, apiVersion: apiVersionOf(type), kind: type.kind }));
      }),
    );
    return (await Promise.all(lists)).flat() as readonly JudgedObject[];
  }

  /** Waits until a condition of an agent has a reason and a message with a text. */
  condition(
    agent: string,
    type: string,
    [reason, text = '']: readonly [string, string?],
  ): Promise<Condition> {
    return eventually(`${type} of ${agent} to be ${reason} ${text}`, async () => {
      const { status } = await this.#swarm.identity(agent);
      const condition = status?.conditions?.find((each) => each.type === type);
      if (condition?.reason !== reason || !condition.message.includes(text)) {
        throw new Error(`it is ${condition?.reason}: ${condition?.message}`);
      }
      return condition;
    });
  }

  /** Creates a pod that runs as a ServiceAccount; no kubelet ever starts it. */
  async createPod(name: string, account: string, traits: PodTraits = {}): Promise<void> {
    const { isLabelled = true, isMeshed = true, hostNetwork = false, annotations = {} } = traits;
    const names = ['agent', ...(isMeshed ? ['istio-proxy'] : [])];
    const pod: Pod = {
      metadata: {
        name,
        namespace: AGENTS,
        annotations,
        labels: isLabelled ? { [LABEL_IDENTITY]: account } : {},
      },
      spec: {
        serviceAccountName: account,
        hostNetwork,
        containers: names.map((each) => ({ name: each, image: 'example.org/none' })),
      },
    };
    await this.client.create<Pod>(POD, pod);
  }

  /** Ends a pod at once. */
  async deletePod(name: string): Promise<void> {
    await this.client.delete(POD, { namespace: AGENTS, name });
  }

  /** Waits for an event about an agent. */
  event(agent: string, reason: string): Promise<{ readonly note?: string }> {
    return eventually(`event ${reason} of ${agent}`, async () => {
      const { items } = await this.client.list<
        KubeObject & { reason: string; note?: string; regarding: { name: string } }
      >(EVENT, { namespace: AGENTS });
      return items.find((event) => event.reason === reason && event.regarding.name === agent);
    });
  }
}
