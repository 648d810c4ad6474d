/**
 * The delegation graph: which agent may delegate what to which, computed from all objects that say so. Each change of
 * one object recomputes what it touches and tells exactly what differs then; the order of changes never matters.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Capability } from '../capability/capability.ts';
import { NO_CAPABILITIES } from '../capability/capability-set.ts';
import { type NamespaceLimits, namespaceLimits } from './boundary.ts';
import { Grants, type Holder, holderOf, isSameEdge, type PlacedRule } from './edge.ts';
import type { AgentFacts, AgentId, BoundaryFacts, EffectiveEdge, PolicyFacts, PolicyId } from './facts.ts';
import { getOrInsert } from './get-or-insert.ts';
import { type PolicyReport, reportPolicy } from './policy-report.ts';
import { type Pair, pairsOfRule, placeRule, RuleIndex } from './rule-index.ts';

/** An edge by its ends: `<from>><to>`. */
export type EdgeId = `${AgentId}>${AgentId}`;

/** What a change of one object changed. */
export interface GraphChange {
  /** Edges that grant something else than before, exactly. */
  readonly edges: ReadonlySet<EdgeId>;
  /** Their targets. */
  readonly targets: ReadonlySet<AgentId>;
  /** Policies whose report may differ. */
  readonly policies: ReadonlySet<PolicyId>;
}

/** How the graph is computed. */
export interface GraphOptions {
  /** A namespace that no boundary selects holds nothing. */
  readonly boundaryRequired?: boolean;
}

interface Policy {
  readonly facts: PolicyFacts;
  readonly rules: readonly PlacedRule[];
}

/** An edit of one policy: agents and boundaries are as before, and so are the grants of all other rules. */
interface PolicyEdit {
  readonly policy: PolicyId;
  /** The rules that are new. */
  readonly rules: ReadonlySet<PlacedRule>;
}

/** See the file. Agents, policies, boundaries and namespaces may come and go in any order. */
export class DelegationGraph {
  readonly #boundaryRequired: boolean;
  readonly #agents = new Map<AgentId, Holder>();
  readonly #agentsIn = new Map<string, Set<AgentId>>();
  readonly #policies = new Map<PolicyId, Policy>();
  readonly #boundaries = new Map<string, BoundaryFacts>();
  readonly #labels = new Map<string, Readonly<Record<string, string>>>();
  readonly #limits = new Map<string, NamespaceLimits>();
  readonly #rules = new RuleIndex();
  readonly #grants = new Grants();
  /** By source, then by target; only edges that grant something. */
  readonly #edges = new Map<AgentId, Map<AgentId, EffectiveEdge>>();
  #edgeCount = 0;
  readonly #reports = new Map<PolicyId, PolicyReport>();

  constructor({ boundaryRequired = false }: GraphOptions = {}) {
    this.#boundaryRequired = boundaryRequired;
  }

  /** Adds an agent, or replaces what was known of it. */
  putAgent(facts: AgentFacts): GraphChange {
    const id: AgentId = `${facts.namespace}/${facts.name}`;
    this.#agents.set(id, holderOf(facts, this.#keptLimits(facts.namespace)));
    getOrInsert(this.#agentsIn, facts.namespace, () => new Set()).add(id);
    return this.#recompute(this.#pairsOf(id));
  }

  /** Forgets an agent. */
  removeAgent(id: AgentId): GraphChange {
    const holder = this.#agents.get(id);
    if (holder === undefined) return this.#recompute([]);
    const { namespace } = holder.facts;
    this.#agents.delete(id);
    const neighbours = this.#agentsIn.get(namespace);
    neighbours?.delete(id);
    if (neighbours?.size === 0) {
      this.#agentsIn.delete(namespace);
      this.#limits.delete(namespace);
    }
    return this.#recompute(this.#pairsOf(id));
  }

  /** Adds a policy, or replaces it: only rules that are not as before are computed anew. */
  putPolicy(facts: PolicyFacts): GraphChange {
    const id: PolicyId = `${facts.namespace}/${facts.name}`;
    const before = this.#policies.get(id);
    const rules = facts.rules.map((rule, index) => {
      const old = before?.rules[index];
      return old?.maxDepth === facts.maxDepth && isDeepStrictEqual(old.facts, rule)
        ? old
        : placeRule(id, { index, facts: rule, maxDepth: facts.maxDepth });
    });
    this.#policies.set(id, { facts, rules });
    return this.#exchange(id, before?.rules ?? [], rules);
  }

  /** Forgets a policy and all that it grants. */
  removePolicy(id: PolicyId): GraphChange {
    const before = this.#policies.get(id);
    this.#policies.delete(id);
    return this.#exchange(id, before?.rules ?? [], []);
  }

  /** Adds a boundary, or replaces it. */
  putBoundary(facts: BoundaryFacts): GraphChange {
    this.#boundaries.set(facts.name, facts);
    return this.#relimit(this.#limits.keys());
  }

  /** Forgets a boundary. */
  removeBoundary(name: string): GraphChange {
    this.#boundaries.delete(name);
    return this.#relimit(this.#limits.keys());
  }

  /** Tells the labels of a namespace; before, every boundary counts there. */
  putNamespace(name: string, labels: Readonly<Record<string, string>>): GraphChange {
    this.#labels.set(name, labels);
    return this.#relimit([name]);
  }

  /** Forgets a namespace. */
  removeNamespace(name: string): GraphChange {
    this.#labels.delete(name);
    return this.#relimit([name]);
  }

  /** Pairs of agents with something granted. */
  get edgeCount(): number {
    return this.#edgeCount;
  }

  /** What is known of an agent. */
  agent(id: AgentId): AgentFacts | undefined {
    return this.#agents.get(id)?.facts;
  }

  /** An agent with its ceiling and what the boundaries of its namespace leave of it. */
  holder(id: AgentId): Holder | undefined {
    return this.#agents.get(id);
  }

  /** The ceiling of an agent within the boundaries of its namespace; nothing for one that is not there or not served. */
  heldBy(id: AgentId): readonly Capability[] {
    return [...(this.#agents.get(id)?.held ?? NO_CAPABILITIES).values()];
  }

  /** What `from` may delegate to `to`; undefined for nothing. */
  edge(from: AgentId, to: AgentId): EffectiveEdge | undefined {
    return this.#edges.get(from)?.get(to);
  }

  /** Edges that end at `to`, in the order of their sources. */
  edgesInto(to: AgentId): readonly EffectiveEdge[] {
    return [...this.#rules.sourcesOf(to)]
      .sort()
      .map((from) => this.edge(from, to))
      .filter((edge) => edge !== undefined);
  }

  /** Edges that begin at `from`, in the order of their targets. */
  edgesOutOf(from: AgentId): readonly EffectiveEdge[] {
    return [...(this.#edges.get(from)?.values() ?? [])].sort((a, b) => (a.to < b.to ? -1 : 1));
  }

  /** The rules that name a pair, granting or not, in the order in which they are tried. */
  rules(from: AgentId, to: AgentId): readonly PlacedRule[] {
    return this.#rules.of(from, to);
  }

  /** The rules of a policy, by index; none when there is no such policy. */
  policyRules(id: PolicyId): readonly PlacedRule[] {
    return this.#policies.get(id)?.rules ?? [];
  }

  /** Agents that rules let `from` delegate to, whether anything is granted or not. */
  targetsOf(from: AgentId): Iterable<AgentId> {
    return this.#rules.targetsOf(from);
  }

  /** Agents that rules let delegate to `to`, whether anything is granted or not. */
  sourcesOf(to: AgentId): Iterable<AgentId> {
    return this.#rules.sourcesOf(to);
  }

  /** What all boundaries leave to a namespace, whether it has agents or not; `edited` counts instead of the one of its name. */
  limitsOf(namespace: string, edited?: BoundaryFacts): NamespaceLimits {
    const others = this.#boundaries.values().filter(({ name }) => name !== edited?.name);
    const boundaries = edited === undefined ? others : [...others, edited];
    return namespaceLimits(boundaries, this.#labels.get(namespace), this.#boundaryRequired);
  }

  /** What became of a policy; undefined when there is none. */
  policyReport(id: PolicyId): PolicyReport | undefined {
    const policy = this.#policies.get(id);
    if (policy === undefined) return undefined;
    return getOrInsert(this.#reports, id, () => reportPolicy(policy.rules, this));
  }

  #keptLimits(namespace: string): NamespaceLimits {
    return getOrInsert(this.#limits, namespace, () => this.limitsOf(namespace));
  }

  /** Computes the limits of namespaces anew, and the edges of the agents of those that differ. */
  #relimit(namespaces: Iterable<string>): GraphChange {
    const pairs: Pair[] = [];
    for (const namespace of [...namespaces]) {
      const agents = this.#agentsIn.get(namespace);
      if (agents === undefined) continue;
      const limits = this.limitsOf(namespace);
      if (isDeepStrictEqual(limits, this.#limits.get(namespace))) continue;
      this.#limits.set(namespace, limits);
      for (const id of agents) {
        const holder = this.#agents.get(id);
        if (holder !== undefined) this.#agents.set(id, holderOf(holder.facts, limits));
        for (const pair of this.#pairsOf(id)) pairs.push(pair);
      }
    }
    return this.#recompute(pairs);
  }

  #pairsOf(id: AgentId): readonly Pair[] {
    return [
      ...[...this.#rules.targetsOf(id)].map((to) => ({ from: id, to })),
      ...[...this.#rules.sourcesOf(id)].map((from) => ({ from, to: id })),
    ];
  }

  /** Takes old rules of a policy out and puts new ones in; those that stand in both lists grant what they did. */
  #exchange(policy: PolicyId, before: readonly PlacedRule[], after: readonly PlacedRule[]): GraphChange {
    const kept = new Set(after);
    const held = new Set(before);
    const gone = before.filter((rule) => !kept.has(rule));
    const come = after.filter((rule) => !held.has(rule));
    for (const rule of gone) this.#rules.remove(rule);
    for (const rule of come) this.#rules.add(rule);
    return this.#recompute([...gone, ...come].flatMap(pairsOfRule), { policy, rules: new Set(come) });
  }

  #recompute(pairs: readonly Pair[], edit?: PolicyEdit): GraphChange {
    const edges = new Set<EdgeId>();
    const targets = new Set<AgentId>();
    const policies = new Set<PolicyId>(edit === undefined ? [] : [edit.policy]);
    const done = new Set<EdgeId>();
    for (const { from, to } of pairs) {
      const id: EdgeId = `${from}>${to}`;
      if (done.has(id)) continue;
      done.add(id);
      // What one policy grants is no matter of the others, whose agents are as before.
      if (edit === undefined) for (const rule of this.#rules.of(from, to)) policies.add(rule.policy);
      if (!this.#recomputeEdge(from, to, edit)) continue;
      edges.add(id);
      targets.add(to);
    }
    for (const each of policies) this.#reports.delete(each);
    return { edges, targets, policies };
  }

  /** Whether the edge grants something else than before. */
  #recomputeEdge(from: AgentId, to: AgentId, edit: PolicyEdit | undefined): boolean {
    const targets = this.#edges.get(from);
    const before = targets?.get(to);
    const edge = this.#computeEdge(from, to, edit && { ...edit, before });
    if (isSameEdge(edge, before)) return false;
    this.#edgeCount += (edge === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    if (edge !== undefined) getOrInsert(this.#edges, from, () => new Map()).set(to, edge);
    else {
      targets?.delete(to);
      if (targets?.size === 0) this.#edges.delete(from);
    }
    return true;
  }

  #computeEdge(
    from: AgentId,
    to: AgentId,
    edit: (PolicyEdit & { readonly before: EffectiveEdge | undefined }) | undefined,
  ): EffectiveEdge | undefined {
    const [source, target] = [this.#agents.get(from), this.#agents.get(to)];
    if (source === undefined || target === undefined) return undefined;
    const kept = new Map(edit?.before?.grants.map((grant) => [`${grant.policy} ${grant.rule}`, grant]));
    const grants = this.#rules
      .of(from, to)
      .map((rule) =>
        edit === undefined || edit.rules.has(rule)
          ? this.#grants.over(rule, source, target)
          : kept.get(`${rule.policy} ${rule.index}`),
      )
      .filter((grant) => grant !== undefined);
    // A copy has no room to grow: with an edge for each pair of agents that room would be most of the memory.
    return grants.length === 0 ? undefined : { from, to, grants: [...grants] };
  }
}
