/**
 * What the delegation graph is computed from: the parts of our objects that say who may delegate what to whom, with
 * everything left out filled in. Plain data, as `controllers` and the plugin read it from the objects.
 */

import type { Capability } from '../capability/capability.ts';

/** An agent: `<namespace>/<name of its AgentIdentity>`. */
export type AgentId = `${string}/${string}`;

/** A DelegationPolicy: `<namespace>/<name>`. */
export type PolicyId = `${string}/${string}`;

/** What limits the tokens of an edge. Several limits together are the least of each. */
export interface TokenLimits {
  readonly maxTtlSeconds: number;
  readonly maxUses: number;
}

/** Consent of an agent to be delegated to from another namespace. */
export interface Consent {
  readonly namespace: string;
  /** Names of agents there; absent means all of them. */
  readonly agents?: readonly string[];
}

/** An agent as the graph sees it. */
export interface AgentFacts {
  readonly namespace: string;
  readonly name: string;
  /** False while nothing may be granted to or by it: suspended, deleting, ServiceAccount taken, invalid spec. */
  readonly isServed: boolean;
  /** The ceiling. A name that stands twice grants only what both say. */
  readonly capabilities: readonly Capability[];
  readonly acceptFrom: readonly Consent[];
  readonly tokens: TokenLimits;
}

/** One rule of a policy. */
export interface RuleFacts {
  readonly name?: string;
  /** Name of an agent of the policy's own namespace. */
  readonly from: string;
  readonly to: readonly AgentId[];
  /** `use` is absent here. */
  readonly capabilities: readonly Capability[];
  readonly tokens: TokenLimits;
  /** How long after the root token children may still be minted; absent means as long as the token lives. */
  readonly taskTtlSeconds?: number;
  readonly rateLimit?: { readonly delegations: number; readonly periodSeconds: number };
}

/** A DelegationPolicy. */
export interface PolicyFacts {
  readonly namespace: string;
  readonly name: string;
  readonly maxDepth: number;
  readonly rules: readonly RuleFacts[];
}

/** A requirement of a label selector; meta/v1 LabelSelectorRequirement. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

/** meta/v1 LabelSelector: all parts must hold; empty selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

/** A CapabilityBoundary. */
export interface BoundaryFacts {
  readonly name: string;
  readonly namespaceSelector: LabelSelector;
  /** What agents of the selected namespaces hold at most; absent means no limit of its own. `use` is absent here. */
  readonly capabilities?: readonly Capability[];
  readonly maxDepth?: number;
  readonly tokens: Partial<TokenLimits>;
}

/** What one rule grants over one edge. Never empty: what grants nothing is no grant. */
export interface EdgeGrant {
  readonly policy: PolicyId;
  /** Index of the rule in its policy. */
  readonly rule: number;
  readonly ruleName?: string;
  /**
   * Sorted by name, resources sorted and none inside another. `use` is what the target holds them for: `Delegate`
   * means that a chain may pass through here and may not end here, `Invoke` the reverse.
   */
  readonly capabilities: readonly Capability[];
  /** The least of the policy's and of the boundaries of both namespaces; 1 to 8. */
  readonly maxDepth: number;
  /** The least of rule, both ends and the boundaries of both namespaces. */
  readonly tokens: TokenLimits;
  readonly taskTtlSeconds?: number;
  readonly rateLimit?: { readonly delegations: number; readonly periodSeconds: number };
}

/** All that one agent may delegate to another; `grants` in the order (policy namespace, name, rule index). */
export interface EffectiveEdge {
  readonly from: AgentId;
  readonly to: AgentId;
  readonly grants: readonly EdgeGrant[];
}

/** Why a rule grants less than it says. The reasons of `status.problems` of a DelegationPolicy. */
export type WithheldReason =
  | 'NotFound'
  | 'NotAccepted'
  | 'NotInCeilingOfFrom'
  | 'NotInAnyCeiling'
  | 'GrantsNothing'
  | 'OutsideBoundary';
