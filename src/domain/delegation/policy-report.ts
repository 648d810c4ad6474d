/** What became of a policy: how many edges grant something, how far a chain goes, and what no target gets. */

import type { Capability } from '../capability/capability.ts';
import { makeCapability } from '../capability/capability-set.ts';
import type { Holder, PlacedRule } from './edge.ts';
import type { AgentId, EdgeGrant, EffectiveEdge, WithheldReason } from './facts.ts';
import { type Link, longestChain } from './longest-chain.ts';
import { pairsOfRule } from './rule-index.ts';
import { edgeWithheld, lackingAtSource, lackingAtTarget, type Withheld } from './withheld.ts';

/** Something of a rule that no target of it gets. */
export interface PolicyProblem {
  /** Index of the rule. */
  readonly rule: number;
  /** The target it is about, as an id; absent when it is about all of them. */
  readonly to?: string;
  readonly capability?: string;
  readonly reason: WithheldReason;
  /** One sentence without its full stop. */
  readonly message: string;
}

/** See the file. */
export interface PolicyReport {
  /** Pairs of agents that this policy grants something. */
  readonly edgeCount: number;
  /** Pairs of agents that its rules name and that it grants nothing. */
  readonly emptyEdges: number;
  /** Links of the longest chain by rules of this policy alone that carries something. */
  readonly longestChain: number;
  /** By rule, then by what is wrong; the same graph gives the same list. */
  readonly problems: readonly PolicyProblem[];
}

/** Where agents and edges are looked up. */
export interface Edges {
  holder(id: AgentId): Holder | undefined;
  edge(from: AgentId, to: AgentId): EffectiveEdge | undefined;
}

interface Ends {
  readonly from: AgentId;
  readonly to: AgentId;
  readonly source: Holder | undefined;
  readonly target: Holder | undefined;
  /** What the rule grants over this edge. */
  readonly grant: EdgeGrant | undefined;
}

/** Looks at every rule of one policy. */
export function reportPolicy(rules: readonly PlacedRule[], edges: Edges): PolicyReport {
  const named = new Set<string>();
  const granted = new Set<string>();
  const links: Link[] = [];
  const problems: PolicyProblem[] = [];
  const firstOf = new Map<string, PlacedRule>();
  for (const rule of rules) {
    problems.push(...repetitionOf(rule, firstOf));
    const ends = endsOf(rule, edges);
    for (const each of ends) {
      const pair = `${each.from}>${each.to}`;
      named.add(pair);
      if (each.grant === undefined) continue;
      granted.add(pair);
      links.push({ from: each.from, to: each.to, grant: each.grant });
    }
    problems.push(...problemsOf(rule, ends));
  }
  return {
    edgeCount: granted.size,
    emptyEdges: named.size - granted.size,
    longestChain: longestChain(links),
    problems,
  };
}

/** What of one rule no target gets, as it stands in the report of its policy. */
export function problemsOfRule(rule: PlacedRule, edges: Edges): readonly PolicyProblem[] {
  return problemsOf(rule, endsOf(rule, edges));
}

/**
 * A rule that says what an earlier one says, but for its name: it grants nothing that is not granted without it.
 *
 * @param firstOf The rules before it by what they say; this one joins them.
 */
export function repetitionOf(rule: PlacedRule, firstOf: Map<string, PlacedRule>): readonly PolicyProblem[] {
  const { name: _, to, ...facts } = rule.facts;
  const key = JSON.stringify([[...to].sort(), facts]);
  const first = firstOf.get(key);
  if (first === undefined) {
    firstOf.set(key, rule);
    return [];
  }
  const message = `it says the same as ${nameOf(first)}: take one of them out`;
  return problem(rule, { reason: 'GrantsNothing', message });
}

function endsOf(rule: PlacedRule, edges: Edges): readonly Ends[] {
  const { policy, index } = rule;
  return pairsOfRule(rule).map(({ from, to }) => ({
    from,
    to,
    source: edges.holder(from),
    target: edges.holder(to),
    grant: edges.edge(from, to)?.grants.find((grant) => grant.rule === index && grant.policy === policy),
  }));
}

function problemsOf(rule: PlacedRule, ends: readonly Ends[]): readonly PolicyProblem[] {
  const [first] = ends;
  if (first === undefined) return [];
  const { source } = first;
  if (source?.facts.isServed !== true) return problem(rule, edgeWithheld(first));
  const unusable: PolicyProblem[] = [];
  const usable: Ends[] = [];
  for (const each of ends) {
    const withheld = edgeWithheld(each);
    if (withheld === undefined) usable.push(each);
    else unusable.push(...problem(rule, withheld, { to: each.to }));
  }
  const lost = [...rule.capabilities.values()].flatMap((wanted) => {
    const what = lostCapability(wanted, source, usable);
    return what === undefined ? [] : problem(rule, what, { capability: wanted.name });
  });
  return [...unusable, ...lost];
}

function problem(
  rule: PlacedRule,
  withheld: Withheld | undefined,
  about: { readonly to?: AgentId; readonly capability?: string } = {},
): readonly PolicyProblem[] {
  if (withheld === undefined) return [];
  const { reason, message } = withheld;
  return [{ rule: rule.index, ...about, reason, message: `${nameOf(rule)}: ${message}` }];
}

function nameOf({ index, facts }: PlacedRule): string {
  return facts.name === undefined ? `rules[${index}]` : `rule "${facts.name}"`;
}

/** What of one capability no target gets. Without any target that could take it there is nothing more to say. */
function lostCapability(wanted: Capability, source: Holder, ends: readonly Ends[]): Withheld | undefined {
  const atSource = lackingAtSource(source, wanted);
  if (atSource !== undefined) return atSource;
  if (ends.length === 0) return undefined;
  const granted = ends.map(({ grant }) => grant?.capabilities.find(({ name }) => name === wanted.name));
  const gets = [...new Set(granted)].filter((each) => each !== undefined);
  const targets = ends.map(({ target }) => target).filter((target) => target !== undefined);
  const lost = firstLost(wanted, gets);
  return lost && lostAtTargets(lost, targets);
}

/** The first resource that none of them grants in full; without resources it is all or nothing. */
function firstLost({ name, resources }: Capability, gets: readonly Capability[]): Capability | undefined {
  if (resources === undefined) return gets.length === 0 ? makeCapability(name, undefined) : undefined;
  // No pattern of a rule lies below another of it: what is granted in full is granted as it stands there.
  const [first] = gets.reduce(
    (lost, granted) => lost.filter((pattern) => granted.resources?.includes(pattern) === false),
    resources,
  );
  return first === undefined ? undefined : makeCapability(name, [first]);
}

function lostAtTargets(wanted: Capability, targets: readonly Holder[]): Withheld {
  const what = lackingAtAny(wanted, targets);
  if (what !== undefined) {
    const more = targets.length === 1 ? '' : ' (no other target of the rule takes it either)';
    return { ...what, message: `${what.message}${more}` };
  }
  const message = `the resources that the agents hold ${wanted.name} on have nothing in common: let them overlap`;
  return { reason: 'GrantsNothing', message };
}

/** What the first target lacks in its ceiling; a boundary is named only when it alone is in the way. */
function lackingAtAny(wanted: Capability, targets: readonly Holder[]): Withheld | undefined {
  let outside: Withheld | undefined;
  for (const target of targets) {
    const what = lackingAtTarget(target, wanted);
    if (what !== undefined && what.reason !== 'OutsideBoundary') return what;
    outside ??= what;
  }
  return outside;
}
