/** Generated from crds/ by `npm run generate`. Do not edit. */

/**
 * Who may delegate what to whom, and how deep.
 */
export interface DelegationPolicySpec {
  /**
   * Delegations in a chain. Coordinator to specialist to validator is 2.
   */
  maxDepth?: number;
  /**
   * Grants. An absent or empty list grants nothing.
   *
   * @maxItems 256
   */
  rules?: DelegationPolicySpecRule[];
}
export interface DelegationPolicySpecRule {
  /**
   * Name that events, metrics and refusals use for this rule. Absent means its index.
   */
  name?: string;
  /**
   * The agent that delegates, always of this namespace: its owner decides what it hands out.
   */
  from: string;
  /**
   * Agents it may delegate to. Those of another namespace must list this one in acceptFrom.
   *
   * @minItems 1
   * @maxItems 64
   *
   * Items: Agent of this namespace as name, of another one as namespace/name.
   */
  to: string[];
  /**
   * What it may pass on, inside the ceilings of both agents and the boundaries of both namespaces.
   *
   * @minItems 1
   * @maxItems 64
   */
  capabilities: DelegationPolicySpecRuleCapability[];
  tokens?: DelegationPolicySpecRuleTokens;
  rateLimit?: DelegationPolicySpecRuleRateLimit;
}
export interface DelegationPolicySpecRuleCapability {
  /**
   * Exact name, no wildcard; the form of an MCP tool name, and the colon.
   */
  name: string;
  /**
   * What it may be used on: a literal, or a prefix that ends in /*, or a lone *. Absent means no limit of its own.
   *
   * @minItems 1
   * @maxItems 32
   */
  resources?: string[];
}
/**
 * Ceilings for the tokens of these edges, never above those of both agents and of the boundaries.
 */
export interface DelegationPolicySpecRuleTokens {
  /**
   * Longest life of a token, 10s to 5m. Absent means 2m.
   */
  maxTTL?: string;
  /**
   * How often a token may be used. Absent means once.
   */
  maxUses?: number;
  /**
   * How long after the root token children may still be minted, 10s to 1h. Absent means as long as the token lives.
   */
  taskTTL?: string;
}
/**
 * Delegations over each edge of this rule, counted over all replicas. Absent means no limit.
 */
export interface DelegationPolicySpecRuleRateLimit {
  /**
   * How many in a period.
   */
  delegations: number;
  /**
   * The period, 1s to 1h. Absent means 1m.
   */
  period?: string;
}

/**
 * What is really granted.
 */
export interface DelegationPolicyStatus {
  /**
   * Generation of the spec that this status is about.
   */
  observedGeneration?: number;
  /**
   * Current conditions.
   *
   * @maxItems 16
   */
  conditions?: DelegationPolicyStatusCondition[];
  /**
   * Pairs of agents that the policy grants something.
   */
  edgeCount?: number;
  /**
   * Pairs of agents that the rules name and that the policy grants nothing.
   */
  emptyEdges?: number;
  /**
   * Delegations in the longest chain over edges of this policy alone that carries something.
   */
  longestChain?: number;
  /**
   * What no target of a rule gets, and what to mend; the first 16.
   *
   * @maxItems 16
   */
  problems?: DelegationPolicyStatusProblem[];
}
export interface DelegationPolicyStatusCondition {
  /**
   * Type of the condition.
   */
  type: string;
  /**
   * Status of the condition.
   */
  status: 'True' | 'False' | 'Unknown';
  /**
   * Generation the condition is about.
   */
  observedGeneration?: number;
  /**
   * When status last changed.
   */
  lastTransitionTime: string;
  /**
   * Reason in CamelCase.
   */
  reason: string;
  /**
   * What a person should know.
   */
  message: string;
}
export interface DelegationPolicyStatusProblem {
  /**
   * Index of the rule in spec.rules.
   */
  rule: number;
  /**
   * Agent of spec.rules[].to that it is about. Absent means the rule as a whole.
   */
  to?: string;
  /**
   * Capability that it is about. Absent means all of the rule.
   */
  capability?: string;
  /**
   * Why it is withheld.
   */
  reason:
    | 'NotFound'
    | 'NotAccepted'
    | 'NotInCeilingOfFrom'
    | 'NotInAnyCeiling'
    | 'GrantsNothing'
    | 'OutsideBoundary';
  /**
   * The same in words, with the way out.
   */
  message: string;
}
