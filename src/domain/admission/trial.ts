/**
 * The delegation graph as one edit would leave it. Nothing of the real graph is touched: each edge that the edit concerns
 * is worked out when it is asked for, so that an edit costs as much as is asked.
 */

import { patternsOf } from '../capability/capability-set.ts';
import { Grants, type Holder, type PlacedRule } from '../delegation/edge.ts';
import type { AgentId, EdgeGrant, EffectiveEdge, PolicyId } from '../delegation/facts.ts';
import { getOrInsert } from '../delegation/get-or-insert.ts';
import type { DelegationGraph } from '../delegation/graph.ts';
import { type Pair, RuleIndex } from '../delegation/rule-index.ts';

/** So many resource patterns make as much work as an edge without any. */
const PATTERNS_PER_EDGE = 32;

/** What would be otherwise. */
export interface Edit {
  /** An agent that would hold something else; undefined for all others. */
  readonly holder?: (id: AgentId) => Holder | undefined;
  /** A policy that would have these rules. */
  readonly policy?: { readonly id: PolicyId; readonly rules: readonly PlacedRule[] };
}

/** See the file. Good for one answer: it does not follow the graph. */
export class Trial {
  readonly #graph: DelegationGraph;
  readonly #edit: Edit;
  /** Indexes of the rules that the policy has as the graph has them: they grant what they do. */
  readonly #kept = new Set<number>();
  /** Its other rules. */
  readonly #rules = new RuleIndex();
  readonly #grants = new Grants();
  /** Those that were worked out, by source, then by target. */
  readonly #edges = new Map<AgentId, Map<AgentId, { readonly edge: EffectiveEdge | undefined }>>();

  constructor(graph: DelegationGraph, edit: Edit) {
    this.#graph = graph;
    this.#edit = edit;
    if (edit.policy === undefined) return;
    const before = graph.policyRules(edit.policy.id);
    for (const rule of edit.policy.rules) {
      if (isSameRule(rule, before[rule.index])) this.#kept.add(rule.index);
      else this.#rules.add(rule);
    }
  }

  /** An agent as it would be. */
  holder(id: AgentId): Holder | undefined {
    return this.#edit.holder?.(id) ?? this.#graph.holder(id);
  }

  /** What `from` could delegate to `to`; undefined for nothing. */
  edge(from: AgentId, to: AgentId): EffectiveEdge | undefined {
    const before = this.#graph.edge(from, to);
    const isOther = this.#isOther(from) || this.#isOther(to);
    return isOther || this.#isOfPolicy(from, to, before) ? this.#other(from, to, isOther) : before;
  }

  /** What it costs to work an edge out, in edges by one rule without any resources. */
  workOf({ from, to }: Pair): number {
    let work = 0;
    for (const rules of [this.#graph.rules(from, to), this.#rules.of(from, to)]) {
      for (const { facts } of rules) work += 1 + patternsOf(facts.capabilities) / PATTERNS_PER_EDGE;
    }
    return work;
  }

  /** Agents that rules would let delegate to `to`, whether anything is granted or not. */
  sourcesOf(to: AgentId): Iterable<AgentId> {
    const [known, added] = [this.#graph.sourcesOf(to), [...this.#rules.sourcesOf(to)]];
    return added.length === 0 ? known : new Set([...known, ...added]);
  }

  /** Whether any edge would begin at `from`. */
  delegates(from: AgentId): boolean {
    for (const rules of [this.#graph, this.#rules]) {
      for (const to of rules.targetsOf(from)) if (this.edge(from, to) !== undefined) return true;
    }
    return false;
  }

  #isOther(id: AgentId): boolean {
    return this.#edit.holder?.(id) !== undefined;
  }

  /** Whether the policy has anything to do with an edge, before or after. */
  #isOfPolicy(from: AgentId, to: AgentId, before: EffectiveEdge | undefined): boolean {
    const { policy } = this.#edit;
    if (policy === undefined) return false;
    return (
      this.#rules.of(from, to).length > 0 || before?.grants.some((grant) => isOf(grant, policy.id)) === true
    );
  }

  #other(from: AgentId, to: AgentId, isOther: boolean): EffectiveEdge | undefined {
    const edges = getOrInsert(this.#edges, from, () => new Map());
    return getOrInsert(edges, to, () => ({ edge: this.#work(from, to, isOther) })).edge;
  }

  #work(from: AgentId, to: AgentId, isOther: boolean): EffectiveEdge | undefined {
    const [source, target] = [this.holder(from), this.holder(to)];
    if (source === undefined || target === undefined) return undefined;
    const grantOf = (rule: PlacedRule) => this.#grants.over(rule, source, target) ?? [];
    const before = isOther
      ? this.#graph.rules(from, to).flatMap(grantOf)
      : (this.#graph.edge(from, to)?.grants ?? []);
    const id = this.#edit.policy?.id;
    const own = before.filter((grant) => isOf(grant, id) && this.#kept.has(grant.rule));
    own.push(...this.#rules.of(from, to).flatMap(grantOf));
    const grants = [...before.filter((grant) => !isOf(grant, id)), ...own.sort((a, b) => a.rule - b.rule)];
    return grants.length === 0 ? undefined : { from, to, grants };
  }
}

function isOf({ policy }: EdgeGrant, id: PolicyId | undefined): boolean {
  return policy === id;
}

/** Facts are plain data, and those that were read by the same code have their fields in the same order. */
function isSameRule(a: PlacedRule, b: PlacedRule | undefined): boolean {
  if (a.maxDepth !== b?.maxDepth) return false;
  return a.facts === b.facts || JSON.stringify(a.facts) === JSON.stringify(b.facts);
}
