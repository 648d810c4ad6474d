/**
 * The delegation graph as one edit would leave it. Nothing of the real graph is touched: each edge that the edit concerns
 * is worked out when it is asked for, so that an edit costs as much as is asked.
 */

import { patternsOf } from '../capability/capability-set.ts';
import { Grants, type Holder, type PlacedRule } from '../delegation/edge.ts';
import type { AgentId, EffectiveEdge, PolicyId } from '../delegation/facts.ts';
import { getOrInsert } from '../delegation/get-or-insert.ts';
import type { DelegationGraph, EdgeId } from '../delegation/graph.ts';
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
  readonly #rules = new RuleIndex();
  readonly #grants = new Grants();
  readonly #edges = new Map<EdgeId, { readonly edge: EffectiveEdge | undefined }>();

  constructor(graph: DelegationGraph, edit: Edit) {
    this.#graph = graph;
    this.#edit = edit;
    for (const rule of edit.policy?.rules ?? []) this.#rules.add(rule);
  }

  /** An agent as it would be. */
  holder(id: AgentId): Holder | undefined {
    return this.#edit.holder?.(id) ?? this.#graph.holder(id);
  }

  /** What `from` could delegate to `to`; undefined for nothing. */
  edge(from: AgentId, to: AgentId): EffectiveEdge | undefined {
    return getOrInsert(this.#edges, `${from}>${to}`, () => ({ edge: this.#work(from, to) })).edge;
  }

  /** What it costs to work an edge out, in edges by one rule without any resources. */
  workOf({ from, to }: Pair): number {
    return [...this.#graph.rules(from, to), ...this.#rules.of(from, to)].reduce(
      (sum, { facts }) => sum + 1 + patternsOf(facts.capabilities) / PATTERNS_PER_EDGE,
      0,
    );
  }

  /** Agents that rules would let delegate to `to`, whether anything is granted or not. */
  sourcesOf(to: AgentId): Iterable<AgentId> {
    return new Set([...this.#graph.sourcesOf(to), ...this.#rules.sourcesOf(to)]);
  }

  /** Whether any edge would begin at `from`. */
  delegates(from: AgentId): boolean {
    for (const rules of [this.#graph, this.#rules]) {
      for (const to of rules.targetsOf(from)) if (this.edge(from, to) !== undefined) return true;
    }
    return false;
  }

  #work(from: AgentId, to: AgentId): EffectiveEdge | undefined {
    const isOther = [from, to].some((id) => this.#edit.holder?.(id) !== undefined);
    const before = this.#graph.edge(from, to);
    if (!isOther && this.#edit.policy === undefined) return before;
    const [source, target] = [this.holder(from), this.holder(to)];
    if (source === undefined || target === undefined) return undefined;
    const grantOf = (rule: PlacedRule) => this.#grants.over(rule, source, target) ?? [];
    const others = isOther ? this.#graph.rules(from, to).flatMap(grantOf) : (before?.grants ?? []);
    const grants = [
      ...others.filter(({ policy }) => policy !== this.#edit.policy?.id),
      ...this.#rules.of(from, to).flatMap(grantOf),
    ];
    return grants.length === 0 ? undefined : { from, to, grants };
  }
}
