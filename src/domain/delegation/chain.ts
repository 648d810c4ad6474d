/**
 * What a chain of delegations grants. Each link is authorised by exactly one rule, with all limits of that rule: the first
 * in order that allows what is asked in a chain of this length. Agents may come twice; a chain is never longer than the
 * least depth of the rules it uses.
 */

import type { Capability, CapabilityUse } from '../capability/capability.ts';
import { allowsUse, makeCapability } from '../capability/capability-set.ts';
import {
  intersectResources,
  type Resources,
  resourcesContain,
  unionResources,
} from '../capability/resource.ts';
import { leastLimits } from './boundary.ts';
import type { AgentId, EdgeGrant, EffectiveEdge, TokenLimits } from './facts.ts';

/** The longest chain that any policy can allow. */
const MAX_LINKS = 8;

/** What is asked of a chain. Without a resource: the capability without a limit on resources. */
export interface Asked {
  readonly name: string;
  readonly resource?: string;
}

/** Why a chain does not grant what is asked. */
export type ChainRefusal =
  | 'too_short'
  | 'too_long'
  | 'not_delegable'
  | 'not_granted'
  | 'depth_exceeded'
  | 'not_invocable';

/** The decision. */
export type ChainResult =
  | {
      readonly kind: 'granted';
      /** The grant of each link, first link first. */
      readonly links: readonly EdgeGrant[];
      /** The least of the rules used. */
      readonly maxDepth: number;
      /** The least of the rules used. */
      readonly tokens: TokenLimits;
    }
  | {
      readonly kind: 'withheld';
      /** Index of the link that fails; 0 for the chain as a whole. */
      readonly link: number;
      readonly reason: ChainRefusal;
      /** One sentence. */
      readonly message: string;
    };

/** Where edges are looked up. */
export interface Edges {
  edge(from: AgentId, to: AgentId): EffectiveEdge | undefined;
}

/**
 * Decides whether the chain `agents`, root first, grants what is asked to its last agent.
 *
 * Errors: none.
 */
export function evaluateChain(graph: Edges, agents: readonly AgentId[], asked: Asked): ChainResult {
  const length = agents.length - 1;
  if (length < 1) return withheld(0, 'too_short', 'A chain has at least two agents.');
  if (length > MAX_LINKS) {
    return withheld(
      0,
      'too_long',
      `A chain of ${length} delegations is longer than any policy allows (${MAX_LINKS}).`,
    );
  }
  const links: EdgeGrant[] = [];
  for (let link = 0; link < length; link++) {
    const ends = {
      from: agents[link] ?? '/',
      to: agents[link + 1] ?? '/',
      isLast: link === length - 1,
    } as const;
    const grants = graph.edge(ends.from, ends.to)?.grants ?? [];
    const grant = grants.find((each) => each.maxDepth >= length && allows(each, asked, ends.isLast));
    if (grant === undefined) return refuse(grants, { ...ends, asked, link, length });
    links.push(grant);
  }
  const [first] = links;
  if (first === undefined) return withheld(0, 'too_short', 'A chain has at least two agents.');
  return {
    kind: 'granted',
    links,
    maxDepth: Math.min(...links.map(({ maxDepth }) => maxDepth)),
    tokens: leastLimits(first.tokens, ...links.map(({ tokens }) => tokens)),
  };
}

/**
 * All that a chain can grant to its last agent: on each link the union of the rules that are deep enough, over the links
 * the intersection. Sorted by name; empty for a chain that grants nothing.
 */
export function chainCapabilities(graph: Edges, agents: readonly AgentId[]): readonly Capability[] {
  const length = agents.length - 1;
  if (length < 1 || length > MAX_LINKS) return [];
  let carried: ReadonlyMap<string, Resources> | undefined;
  for (let link = 0; link < length; link++) {
    const grants = graph.edge(agents[link] ?? '/', agents[link + 1] ?? '/')?.grants ?? [];
    const usable = grantedFor(
      grants.filter(({ maxDepth }) => maxDepth >= length),
      link === length - 1 ? 'Invoke' : 'Delegate',
    );
    carried = carried === undefined ? usable : common(carried, usable);
  }
  return [...(carried ?? [])]
    .map(([name, resources]) => makeCapability(name, resources))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** All that grants together let an agent do: by name of the capability, the resources for this use of it. */
export function grantedFor(grants: readonly EdgeGrant[], use: CapabilityUse): ReadonlyMap<string, Resources> {
  const union = new Map<string, Resources>();
  for (const capability of grants.flatMap(({ capabilities }) => capabilities)) {
    const { name, resources } = capability;
    if (!allowsUse(capability.use, use)) continue;
    union.set(name, union.has(name) ? unionResources(union.get(name), resources) : resources);
  }
  return union;
}

function common(
  a: ReadonlyMap<string, Resources>,
  b: ReadonlyMap<string, Resources>,
): ReadonlyMap<string, Resources> {
  const both = new Map<string, Resources>();
  for (const [name, resources] of a) {
    const shared = b.has(name) ? intersectResources(resources, b.get(name)) : [];
    if (shared?.length !== 0) both.set(name, shared);
  }
  return both;
}

function allows({ capabilities }: EdgeGrant, asked: Asked, isLast: boolean): boolean {
  return capabilities.some(
    (held) => covers(held, asked) && allowsUse(held.use, isLast ? 'Invoke' : 'Delegate'),
  );
}

function covers({ name, resources }: Capability, asked: Asked): boolean {
  if (name !== asked.name) return false;
  return asked.resource === undefined ? resources === undefined : resourcesContain(resources, asked.resource);
}

interface FailedLink {
  readonly from: AgentId;
  readonly to: AgentId;
  readonly isLast: boolean;
  readonly asked: Asked;
  readonly link: number;
  readonly length: number;
}

function refuse(
  grants: readonly EdgeGrant[],
  { from, to, isLast, asked, link, length }: FailedLink,
): ChainResult {
  if (grants.length === 0) return withheld(link, 'not_delegable', `No rule lets ${from} delegate to ${to}.`);
  const covering = grants.filter(({ capabilities }) => capabilities.some((held) => covers(held, asked)));
  const what = asked.resource === undefined ? asked.name : `${asked.name} on ${asked.resource}`;
  if (covering.length === 0)
    return withheld(link, 'not_granted', `No rule grants ${what} from ${from} to ${to}.`);
  const usable = covering.filter((grant) => allows(grant, asked, isLast));
  if (usable.length === 0) {
    const use = isLast ? 'used by' : 'passed on by';
    return withheld(link, 'not_invocable', `${what} may not be ${use} ${to}.`);
  }
  const deepest = usable.reduce((best, grant) => (grant.maxDepth > best.maxDepth ? grant : best));
  return withheld(
    link,
    'depth_exceeded',
    `This would be a chain of ${length} delegations of at most ${deepest.maxDepth} (policy ${deepest.policy}).`,
  );
}

function withheld(link: number, reason: ChainRefusal, message: string): ChainResult {
  return { kind: 'withheld', link, reason, message };
}
