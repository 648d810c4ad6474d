/**
 * Who may delegate what to whom, twice: by the objects on the server, with the slow reference; and by the walls that the
 * operator has rendered from them. Agents of these tests have one route for each capability that they hold.
 */

import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import type { CapabilityBoundary } from '../../../src/api/capability-boundary.ts';
import type { DelegationPolicy } from '../../../src/api/delegation-policy.ts';
import { AGENT_IDENTITY, CAPABILITY_BOUNDARY, DELEGATION_POLICY } from '../../../src/api/group.ts';
import type { AgentId } from '../../../src/domain/delegation/facts.ts';
import { resolveAgent } from '../../../src/domain/delegation/resolve-agent.ts';
import { resolveBoundary } from '../../../src/domain/delegation/resolve-boundary.ts';
import { resolvePolicy } from '../../../src/domain/delegation/resolve-policy.ts';
import { LABEL_IDENTITY } from '../../../src/domain/mesh/names.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { NAMESPACE } from '../../../src/kube/core-types.ts';
import { referenceAllows, type World } from '../delegation-reference.ts';
import { allows } from '../mesh/evaluate.ts';
import type { PolicyObject } from '../mesh/policy-object.ts';

/** `<from> > <to>: <capability>`: what one agent may have another do. */
export type Opening = string;

/** Concrete resources that tell the patterns of these tests apart. */
const RESOURCES: readonly string[] = [
  'namespaces/staging/web',
  'namespaces/prod/web',
  '/data/reports/q1',
  '/data/payroll/q1',
];

type Capabilities = NonNullable<AgentIdentity['spec']['capabilities']>;

/** A spec with these capabilities and a route for each. */
export function serving(capabilities: Capabilities, more: AgentIdentity['spec'] = {}): AgentIdentity['spec'] {
  const routes = capabilities.map(({ name }) => ({
    method: 'POST' as const,
    path: `/v1/${name}`,
    capability: name,
  }));
  return { ...more, capabilities, server: { routes } };
}

/** What the objects of the server say, as they are stored now. */
export async function worldOnServer(client: KubeClient, governed: readonly string[]): Promise<World> {
  const [identities, policies, boundaries, namespaces] = await Promise.all([
    client.list<AgentIdentity>(AGENT_IDENTITY),
    client.list<DelegationPolicy>(DELEGATION_POLICY),
    client.list<CapabilityBoundary>(CAPABILITY_BOUNDARY),
    client.list(NAMESPACE),
  ]);
  return {
    agents: identities.items.map((identity) => {
      const { facts, invalidFields } = resolveAgent(identity.metadata, identity.spec);
      const isGoverned = governed.includes(identity.metadata.namespace);
      const isServed =
        isGoverned &&
        invalidFields.length === 0 &&
        identity.spec.suspended !== true &&
        identity.metadata.deletionTimestamp === undefined &&
        !identities.items.some((other) => isOlderOnSameAccount(other, identity));
      return { ...facts, isServed };
    }),
    policies: policies.items
      .filter(({ metadata }) => governed.includes(metadata.namespace))
      .map(({ metadata, spec }) => resolvePolicy(metadata, spec))
      .filter(({ invalidFields }) => invalidFields.length === 0)
      .map(({ facts }) => facts),
    boundaries: boundaries.items.map(({ metadata, spec }) => resolveBoundary(metadata.name, spec).facts),
    namespaces: new Map(namespaces.items.map(({ metadata }) => [metadata.name, metadata.labels ?? {}])),
  };
}

/** What the reference lets agents have each other do. */
export function openInWorld(world: World): readonly Opening[] {
  return openings(world, (from, to, name) =>
    RESOURCES.some((resource) => referenceAllows(world, from, to, { name, resource })),
  );
}

/** What the walls let agents have each other do. */
export function openInMesh(
  world: World,
  policies: readonly PolicyObject[],
  accountOf: (id: AgentId) => string,
): readonly Opening[] {
  return openings(world, (from, to, name) => {
    const [namespace = ''] = from.split('/');
    const [called = ''] = to.split('/');
    const request = {
      principal: `cluster.local/ns/${namespace}/sa/${accountOf(from)}`,
      namespace,
      labels: { [LABEL_IDENTITY]: accountOf(from) },
      port: 8443,
      method: 'POST',
      path: `/v1/${name}`,
      tokenVerified: true,
    };
    const pod = { namespace: called, labels: { [LABEL_IDENTITY]: accountOf(to) } };
    return allows(policies, pod, request).allowed;
  });
}

function openings(
  { agents }: World,
  isOpen: (from: AgentId, to: AgentId, capability: string) => boolean,
): readonly Opening[] {
  const ids = agents.map(({ namespace, name }): AgentId => `${namespace}/${name}`);
  const names = [...new Set(agents.flatMap(({ capabilities }) => capabilities.map(({ name }) => name)))];
  return ids
    .flatMap((from) => ids.map((to) => [from, to] as const))
    .filter(([from, to]) => from !== to)
    .flatMap(([from, to]) =>
      names.filter((name) => isOpen(from, to, name)).map((name) => `${from} > ${to}: ${name}`),
    )
    .sort();
}

function isOlderOnSameAccount(other: AgentIdentity, identity: AgentIdentity): boolean {
  const age = ({ metadata }: AgentIdentity): string => `${metadata.creationTimestamp} ${metadata.uid}`;
  return (
    other.metadata.namespace === identity.metadata.namespace &&
    accountOfIdentity(other) === accountOfIdentity(identity) &&
    age(other) < age(identity)
  );
}

/** The ServiceAccount that an identity is. */
export function accountOfIdentity({ metadata, spec }: AgentIdentity): string {
  return spec.serviceAccountName ?? metadata.name;
}
