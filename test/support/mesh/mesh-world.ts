/**
 * Worlds of agents that serve: what our code makes of them, and beside it who may call what by the reference
 * implementation, which shares nothing with that code.
 */

import type { AgentId } from '../../../src/domain/delegation/facts.ts';
import { DelegationGraph } from '../../../src/domain/delegation/graph.ts';
import type { Account, MeshTarget } from '../../../src/domain/mesh/model.ts';
import { LABEL_IDENTITY } from '../../../src/domain/mesh/names.ts';
import { resolveServer, type ServerInput } from '../../../src/domain/mesh/resolve-server.ts';
import { resolveTarget } from '../../../src/domain/mesh/resolve-target.ts';
import { referenceAllows, type World } from '../delegation-reference.ts';
import { CAPABILITIES, type Dice, RESOURCES, randomWorld } from '../random-world.ts';

/** Agents, policies, and how each agent is called. */
export interface MeshWorld {
  readonly world: World;
  readonly servers: ReadonlyMap<AgentId, ServerInput>;
}

/** A call as the reference judges it. */
export interface WorldCall {
  readonly from: Account;
  readonly to: AgentId;
  readonly port: number;
  readonly method: string;
  /** Without template. */
  readonly path: string;
}

/** A caller that is no agent. */
export const SCRAPER: Account = { namespace: 'monitoring', serviceAccountName: 'prometheus' };

/** The ServiceAccount of an agent of these worlds. */
export function accountOf(id: AgentId): Account {
  const [namespace = '', name = ''] = id.split('/');
  return { namespace, serviceAccountName: `${name}-sa` };
}

/** Labels of the pods of a ServiceAccount. */
export function podLabels({ serviceAccountName }: Account): Readonly<Record<string, string>> {
  return { [LABEL_IDENTITY]: serviceAccountName };
}

/** A world of at most `maxAgents` with random routes and callers. */
export function randomMeshWorld(dice: Dice, maxAgents: number): MeshWorld {
  const world = randomWorld(dice, maxAgents);
  const servers = world.agents.map(({ namespace, name, capabilities }): [AgentId, ServerInput] => {
    const held = capabilities.map(({ name: capability }) => ({ name: capability }));
    return [`${namespace}/${name}`, { capabilities: held, ...randomServer(dice, held) }];
  });
  return { world, servers: new Map(servers) };
}

/** The targets of all agents, from the graph of all policies, as the operator makes them. */
export function targetsOf({ world, servers }: MeshWorld): readonly MeshTarget[] {
  const graph = new DelegationGraph();
  for (const [name, labels] of world.namespaces) graph.putNamespace(name, labels);
  for (const boundary of world.boundaries) graph.putBoundary(boundary);
  for (const agent of world.agents) graph.putAgent(agent);
  for (const policy of world.policies) graph.putPolicy(policy);
  return world.agents.map(({ namespace, name, isServed }) => {
    const id: AgentId = `${namespace}/${name}`;
    const server = resolveServer(servers.get(id) ?? {}, () => false);
    if (server.invalidFields.length > 0) throw new Error(server.invalidFields.join('; '));
    return resolveTarget({
      namespace,
      name,
      serviceAccountName: accountOf(id).serviceAccountName,
      labels: { 'agenttrust.dev/agent': name, 'agenttrust.dev/managed': 'true' },
      annotations: { 'agenttrust.dev/owner-uid': '7f3c1a52-0000-4000-8000-000000000000' },
      server,
      refusal: isServed ? undefined : 'NotServed',
      edges: graph.edgesInto(id),
      accountOf,
    });
  });
}

/** Who lets a call in: a route, for agents with an edge; or an entry of `callers`; or nobody. */
export function referenceAnswer(
  { world, servers }: MeshWorld,
  { from, to, port, method, path }: WorldCall,
): 'route' | 'callers' | 'nobody' {
  const { server = {}, callers = [] } = servers.get(to) ?? {};
  const isServed = world.agents.some((agent) => agent.isServed && `${agent.namespace}/${agent.name}` === to);
  if (!isServed) return 'nobody';
  const outside = callers.some(
    (caller) =>
      caller.serviceAccounts.includes(`${from.namespace}/${from.serviceAccountName}`) &&
      caller.ports.includes(port) &&
      (caller.methods === undefined || caller.methods.includes(method)) &&
      caller.paths?.includes(path) === true,
  );
  if (outside) return 'callers';
  const caller: AgentId = `${from.namespace}/${from.serviceAccountName.replace(/-sa$/, '')}`;
  const { routes = [{ method: 'POST', path: '/v1/delegate' }] } = server;
  const isOpen = routes.some(
    (route) =>
      port === 8443 &&
      route.method === method &&
      isPathOf(route.path, path) &&
      isEdge(world, caller, to, 'capability' in route ? route.capability : undefined),
  );
  return isOpen ? 'route' : 'nobody';
}

function isEdge(world: World, from: AgentId, to: AgentId, capability: string | undefined): boolean {
  const names = capability === undefined ? capabilitiesOf(world) : [capability];
  return names.some((name) =>
    RESOURCES.some((resource) => referenceAllows(world, from, to, { name, resource })),
  );
}

function capabilitiesOf({ policies }: World): readonly string[] {
  const rules = policies.flatMap((policy) => policy.rules);
  return [
    ...new Set([...CAPABILITIES, ...rules.flatMap((rule) => rule.capabilities.map(({ name }) => name))]),
  ];
}

function isPathOf(template: string, path: string): boolean {
  return new RegExp(`^${template.replace(/\{[a-z]+\}/g, '[^/]+')}$`).test(path);
}

function randomServer(dice: Dice, held: readonly { readonly name: string }[]): ServerInput {
  const needing = held.length === 0 ? {} : { capability: dice.one(held).name };
  const routes = [
    { method: 'POST', path: '/v1/delegate' },
    { method: 'POST', path: '/v1/reports/{name}', ...needing },
    { method: 'GET', path: '/v1/reports/{name}' },
    ...held.map(({ name }) => ({ method: 'POST', path: `/v1/tools/${name}`, capability: name })),
  ];
  const callers = [
    { serviceAccounts: ['monitoring/prometheus'], ports: [8443], methods: ['GET'], paths: ['/healthz'] },
    { serviceAccounts: ['monitoring/prometheus'], ports: [8443, 9090], paths: ['/metrics'] },
  ];
  return { server: { routes: dice.some(routes, 0.7) }, callers: dice.some(callers, 0.6) };
}
