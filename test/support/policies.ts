/** Policies, boundaries and the identities they name on a test's cluster: made, changed, and waited for. */

import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import type { CapabilityBoundary } from '../../src/api/capability-boundary.ts';
import type { DelegationPolicy } from '../../src/api/delegation-policy.ts';
import { AGENT_IDENTITY, CAPABILITY_BOUNDARY, DELEGATION_POLICY } from '../../src/api/group.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { NAMESPACE } from '../../src/kube/core-types.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import { eventually } from './eventually.ts';

/** One rule as people write it. */
export type Rule = NonNullable<DelegationPolicy['spec']['rules']>[number];

/** What a policy says of itself. */
export type PolicyStatus = NonNullable<DelegationPolicy['status']>;

/** An object that can be created in any namespace. */
export interface Manifest {
  readonly type: ResourceType;
  readonly name: string;
  readonly spec: object;
}

/** Has no limit of its own. */
export const GET: Rule['capabilities'][number] = { name: 'kubectl_get' };

/** Only for one namespace. */
export const APPLY: Rule['capabilities'][number] = {
  name: 'kubectl_apply',
  resources: ['namespaces/staging/*'],
};

/** Holds both capabilities unless `spec` says otherwise. */
export function identity(
  name: string,
  spec: AgentIdentity['spec'] = { capabilities: [GET, APPLY] },
): Manifest {
  return { type: AGENT_IDENTITY, name, spec };
}

/** Each rule lets the coordinator hand `GET` to the deployer, but for what it says itself. */
export function policy(name: string, ...rules: readonly Partial<Rule>[]): Manifest {
  const rule: Rule = { from: 'coordinator', to: ['deployer'], capabilities: [GET] };
  return { type: DELEGATION_POLICY, name, spec: { rules: rules.map((part) => ({ ...rule, ...part })) } };
}

/** A boundary. */
export function boundary(name: string, spec: CapabilityBoundary['spec']): Manifest {
  return { type: CAPABILITY_BOUNDARY, name, spec };
}

/** The message of a condition. */
export function messageOf({ conditions = [] }: PolicyStatus, type: string): string | undefined {
  return conditions.find((condition) => condition.type === type)?.message;
}

/** The objects on a cluster. */
export class PolicyCluster {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** Waits until the kinds are served. */
  served(): Promise<unknown> {
    const types = [AGENT_IDENTITY, DELEGATION_POLICY, CAPABILITY_BOUNDARY];
    return eventually('the kinds to be served', () =>
      Promise.all(types.map((type) => this.#client.list(type))),
    );
  }

  /** Creates a namespace and gives its name. */
  async namespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    await this.#client.create(NAMESPACE, { metadata: { name, labels } });
    return name;
  }

  /** Changes labels of a namespace. */
  async label(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
    await this.#client.mergePatch(NAMESPACE, { name, patch: { metadata: { labels } } });
  }

  /** Creates the objects one after the other. */
  async apply(namespace: string, ...manifests: readonly Manifest[]): Promise<void> {
    for (const { type, name, spec } of manifests) {
      const metadata = type.namespaced ? { name, namespace } : { name };
      await this.#client.create<KubeObject & { readonly spec: object }>(type, { metadata, spec });
    }
  }

  /** Changes fields of an identity's spec. */
  async change(namespace: string, name: string, spec: AgentIdentity['spec']): Promise<void> {
    await this.#client.mergePatch(AGENT_IDENTITY, { namespace, name, patch: { spec } });
  }

  /** The policy as it is on the server. */
  get(namespace: string, name: string): Promise<DelegationPolicy> {
    return this.#client.get<DelegationPolicy>(DELEGATION_POLICY, { namespace, name });
  }

  /**
   * Waits until the status of a policy is as `check` wants it, and gives it.
   *
   * @param check Gets `<status> <reason>` of each condition by type; falsy until it is satisfied.
   */
  settles(
    namespace: string,
    name: string,
    check: (status: PolicyStatus, conditions: Readonly<Record<string, string>>) => unknown,
  ): Promise<PolicyStatus> {
    return eventually(`${namespace}/${name} to settle`, async () => {
      const { status = {} } = await this.get(namespace, name);
      const { conditions = [] } = status;
      const said = conditions.map((each) => [each.type, `${each.status} ${each.reason}`] as const);
      if (!check(status, Object.fromEntries(said))) throw new Error(JSON.stringify(status));
      return status;
    });
  }
}
