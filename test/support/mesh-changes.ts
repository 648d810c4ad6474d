/** Random worlds on a server, and random changes of them, each of one object and one write. */

import { AGENT_IDENTITY, CAPABILITY_BOUNDARY, DELEGATION_POLICY } from '../../src/api/group.ts';
import type {
  AgentFacts,
  AgentId,
  BoundaryFacts,
  PolicyFacts,
  RuleFacts,
} from '../../src/domain/delegation/facts.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import type { World } from './delegation-reference.ts';
import { accountOf, type MeshWorld, randomMeshWorld } from './mesh/mesh-world.ts';
import { agentIds, type Dice, randomBoundary, randomPolicy } from './random-world.ts';

/** What is written of a world, and in which order it does not matter. */
interface Written {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name: string;
  /** Undefined: it is not there. */
  readonly spec: object | undefined;
}

/** A world after a change, and the object that differs. */
export interface Change {
  readonly world: MeshWorld;
  readonly what: string;
  readonly written: Written;
}

const POLICIES = ['first', 'second'];
const NAMESPACES = ['north', 'south'];

/** A world without objects. */
export const EMPTY_WORLD: MeshWorld = {
  world: {
    agents: [],
    policies: [],
    boundaries: [],
    namespaces: new Map(NAMESPACES.map((name) => [name, { zone: name }])),
  },
  servers: new Map(),
};

/** Changes one object, of an agent, a policy or a boundary: it comes, becomes another, or goes. */
export function randomChange(dice: Dice, before: MeshWorld, maxAgents: number): Change {
  const roll = dice.below(10);
  if (roll < 4) return changeAgent(dice, before, dice.one(agentIds(maxAgents)));
  return roll < 9 ? changePolicy(dice, before, maxAgents) : changeBoundary(dice, before);
}

/** Brings an agent into a world, or changes or removes it. */
export function changeAgent(dice: Dice, { world, servers }: MeshWorld, id: AgentId): Change {
  const others = world.agents.filter(({ namespace, name }) => `${namespace}/${name}` !== id);
  const [namespace = '', name = ''] = id.split('/');
  const place = { type: AGENT_IDENTITY, namespace, name };
  const isThere = others.length < world.agents.length;
  if (isThere && dice.chance(0.25)) {
    const left = new Map([...servers].filter(([key]) => key !== id));
    return {
      world: { world: { ...world, agents: others }, servers: left },
      what: `${id} goes`,
      written: { ...place, spec: undefined },
    };
  }
  const { agent, server } = randomServingAgent(dice, id);
  const changed = {
    world: { ...world, agents: [...others, agent] },
    servers: new Map(servers).set(id, server),
  };
  const what = `${id} ${isThere ? 'changes' : 'comes'}`;
  return { world: changed, what, written: { ...place, spec: agentSpec(agent, server) } };
}

/** Creates an object, replaces its spec, or deletes it: one write. */
export async function write(client: KubeClient, { type, name, spec, ...place }: Written): Promise<void> {
  const target = { name, ...place };
  const current = await client.find<KubeObject & { spec?: object }>(type, target);
  if (spec === undefined) await deleteIfThere(client, type, target);
  else if (current === undefined) {
    await client.create<KubeObject & { spec: object }>(type, { metadata: target, spec });
  } else await replaceSpec(client, type, { target, spec });
}

/** Deletes an object, if there is one. */
async function deleteIfThere(
  client: KubeClient,
  type: ResourceType,
  target: { readonly name: string; readonly namespace?: string },
): Promise<void> {
  try {
    await client.delete(type, target);
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
  }
}

/** The operator writes the status meanwhile. */
async function replaceSpec(
  client: KubeClient,
  type: ResourceType,
  { target, spec }: { readonly target: { readonly name: string }; readonly spec: object },
): Promise<void> {
  for (;;) {
    const current = await client.get<KubeObject>(type, target);
    try {
      await client.replace<KubeObject>(type, { ...current, spec } as KubeObject);
      return;
    } catch (error) {
      if (!isKubeError(error, 'KUBE_CONFLICT')) throw error;
    }
  }
}

function randomServingAgent(
  dice: Dice,
  id: AgentId,
): { readonly agent: AgentFacts; readonly server: NonNullable<ReturnType<MeshWorld['servers']['get']>> } {
  for (;;) {
    const { world, servers } = randomMeshWorld(dice, 8);
    const [agent] = world.agents;
    const server = agent && servers.get(`${agent.namespace}/${agent.name}`);
    if (agent === undefined || server?.server?.routes?.length === 0 || server === undefined) continue;
    const [namespace = '', name = ''] = id.split('/');
    return { agent: { ...agent, namespace, name }, server };
  }
}

function changePolicy(dice: Dice, { world, servers }: MeshWorld, maxAgents: number): Change {
  const [namespace, name] = [dice.one(NAMESPACES), dice.one(POLICIES)];
  const others = world.policies.filter((each) => each.namespace !== namespace || each.name !== name);
  const isThere = others.length < world.policies.length;
  const policy = handingOn(randomPolicy(dice, { namespace, name }, agentIds(maxAgents)));
  const place = { type: DELEGATION_POLICY, namespace, name };
  const goes = policy.rules.length === 0 || (isThere && dice.chance(0.2));
  const policies = goes ? others : [...others, policy];
  return {
    world: { world: { ...world, policies }, servers },
    what: `policy ${namespace}/${name} ${goes ? 'goes' : 'changes'}`,
    written: { ...place, spec: goes ? undefined : policySpec(policy) },
  };
}

function changeBoundary(dice: Dice, { world, servers }: MeshWorld): Change {
  const drawn = randomBoundary(dice, 'limit');
  // A boundary of our kind limits nothing with an empty list: it is not accepted.
  const goes = drawn.capabilities?.length === 0 || dice.chance(0.4);
  const boundaries = goes ? [] : [drawn];
  return {
    world: { world: { ...world, boundaries }, servers },
    what: `boundary ${goes ? 'goes' : 'changes'}`,
    written: {
      type: CAPABILITY_BOUNDARY,
      name: 'limit',
      spec: goes ? undefined : boundarySpec(drawn),
    },
  };
}

/** Without rules to oneself, which make the whole policy count for nothing. */
function handingOn(policy: PolicyFacts): PolicyFacts {
  const rules = policy.rules
    .map((rule) => ({ ...rule, to: rule.to.filter((to) => to !== `${policy.namespace}/${rule.from}`) }))
    .filter(({ to }) => to.length > 0);
  return { ...policy, rules };
}

function agentSpec(
  { namespace, name, capabilities, acceptFrom, isServed }: AgentFacts,
  { server, callers = [] }: { readonly server?: unknown; readonly callers?: readonly unknown[] },
): object {
  return {
    serviceAccountName: accountOf(`${namespace}/${name}`).serviceAccountName,
    ...(capabilities.length === 0 ? {} : { capabilities }),
    acceptFrom,
    suspended: !isServed,
    server,
    callers,
  };
}

function policySpec({ maxDepth, rules }: PolicyFacts): object {
  return { maxDepth, rules: rules.map(ruleSpec) };
}

function ruleSpec({ from, to, capabilities }: RuleFacts): object {
  return { from, to, capabilities };
}

function boundarySpec({ namespaceSelector, capabilities, maxDepth }: BoundaryFacts): object {
  return {
    namespaceSelector,
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(maxDepth === undefined ? {} : { maxDepth }),
  };
}

/** Agents of a world by id. */
export function agentsOf({ agents }: World): ReadonlyMap<AgentId, AgentFacts> {
  return new Map(agents.map((agent) => [`${agent.namespace}/${agent.name}`, agent]));
}
