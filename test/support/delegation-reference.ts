/**
 * What may be delegated, said as plainly and slowly as possible: for one concrete resource at a time, from the raw facts,
 * by membership alone. Nothing of src/domain/capability or of the graph is used.
 */

import type {
  AgentFacts,
  AgentId,
  BoundaryFacts,
  PolicyFacts,
  RuleFacts,
} from '../../src/domain/delegation/facts.ts';

/** A world: all objects that say who may delegate what. */
export interface World {
  readonly agents: readonly AgentFacts[];
  readonly policies: readonly PolicyFacts[];
  readonly boundaries: readonly BoundaryFacts[];
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

type Use = 'Invoke' | 'Delegate';
interface Listed {
  readonly name: string;
  readonly resources?: readonly string[];
  readonly use?: Use;
}

/** Whether the segments of a concrete resource begin with those of a pattern, or are they. */
export function matches(pattern: string, resource: string): boolean {
  if (pattern === '*') return true;
  const [want, have] = [segments(pattern), segments(resource)];
  if (want.root !== have.root) return false;
  if (want.path.at(-1) !== '*') return want.path.join('\n') === have.path.join('\n');
  const above = want.path.slice(0, -1);
  return have.path.length > above.length && above.every((segment, index) => segment === have.path[index]);
}

function segments(text: string): { readonly root: string; readonly path: readonly string[] } {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\/\/?/.exec(text)?.[0];
  const root = scheme ?? (text.startsWith('/') ? '/' : '');
  return { root, path: text.slice(root.length).split('/') };
}

function lists(entries: readonly Listed[], name: string, resource: string, use?: Use): boolean {
  const ofName = entries.filter((entry) => entry.name === name);
  return (
    ofName.length > 0 &&
    ofName.every(
      (entry) =>
        (entry.resources === undefined || entry.resources.some((pattern) => matches(pattern, resource))) &&
        (use === undefined || entry.use === undefined || entry.use === use),
    )
  );
}

function boundariesOf(world: World, namespace: string): readonly BoundaryFacts[] {
  const labels = world.namespaces.get(namespace);
  return world.boundaries.filter(
    ({ namespaceSelector: { matchLabels = {} } }) =>
      labels === undefined || Object.entries(matchLabels).every(([key, value]) => labels[key] === value),
  );
}

function agentOf(world: World, id: AgentId): AgentFacts | undefined {
  return world.agents.find(({ namespace, name }) => `${namespace}/${name}` === id);
}

/** Whether an agent holds a capability for a use on a concrete resource, boundaries included. */
export function holds(
  world: World,
  id: AgentId,
  asked: { readonly name: string; readonly resource: string; readonly use?: Use },
): boolean {
  const agent = agentOf(world, id);
  return (
    agent?.isServed === true &&
    lists(agent.capabilities, asked.name, asked.resource, asked.use) &&
    boundariesOf(world, agent.namespace).every(
      ({ capabilities }) => capabilities === undefined || lists(capabilities, asked.name, asked.resource),
    )
  );
}

/** Whether one rule lets `from` hand the capability on a concrete resource to `to`, to be used there so. */
function ruleAllows(
  world: World,
  { policy, rule }: { readonly policy: PolicyFacts; readonly rule: RuleFacts },
  asked: {
    readonly from: AgentId;
    readonly to: AgentId;
    readonly name: string;
    readonly resource: string;
    readonly use?: Use;
  },
): boolean {
  const { from, to, name, resource, use } = asked;
  const [source, target] = [agentOf(world, from), agentOf(world, to)];
  if (source === undefined || target === undefined || from === to) return false;
  if (`${policy.namespace}/${rule.from}` !== from || !rule.to.includes(to)) return false;
  const consented =
    source.namespace === target.namespace ||
    target.acceptFrom.some(
      (consent) =>
        consent.namespace === source.namespace &&
        (consent.agents === undefined || consent.agents.includes(source.name)),
    );
  return (
    consented &&
    lists(rule.capabilities, name, resource) &&
    holds(world, from, { name, resource, use: 'Delegate' }) &&
    holds(world, to, { name, resource, ...(use === undefined ? {} : { use }) })
  );
}

/** Whether any rule lets `from` hand the capability on a concrete resource to `to`. */
export function referenceAllows(
  world: World,
  from: AgentId,
  to: AgentId,
  asked: { readonly name: string; readonly resource: string; readonly use?: Use },
): boolean {
  return world.policies.some((policy) =>
    policy.rules.some((rule) => ruleAllows(world, { policy, rule }, { from, to, ...asked })),
  );
}

/** Whether a chain grants the capability on a concrete resource to its last agent, to invoke it. */
export function referenceChainAllows(
  world: World,
  agents: readonly AgentId[],
  asked: { readonly name: string; readonly resource: string },
): boolean {
  const length = agents.length - 1;
  return (
    length >= 1 &&
    agents.slice(1).every((to, link) => {
      const from = agents[link] ?? to;
      const use = link === length - 1 ? 'Invoke' : 'Delegate';
      return world.policies.some((policy) =>
        policy.rules.some(
          (rule) =>
            depthOf(world, policy, from, to) >= length &&
            ruleAllows(world, { policy, rule }, { from, to, use, ...asked }),
        ),
      );
    })
  );
}

function depthOf(world: World, policy: PolicyFacts, from: AgentId, to: AgentId): number {
  const limits = [from, to]
    .flatMap((id) => boundariesOf(world, id.slice(0, id.indexOf('/'))))
    .map(({ maxDepth = 8 }) => maxDepth);
  return Math.min(policy.maxDepth, ...limits);
}
