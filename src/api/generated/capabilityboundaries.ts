/** Generated from crds/ by `npm run generate`. Do not edit. */

/**
 * Whom it binds, and what they hold at most.
 */
export interface CapabilityBoundarySpec {
  namespaceSelector: CapabilityBoundarySpecNamespaceSelector;
  /**
   * What agents of the selected namespaces can hold at most. Absent means no limit of its own.
   *
   * @minItems 1
   * @maxItems 64
   */
  capabilities?: CapabilityBoundarySpecCapability[];
  /**
   * Delegations at most in a chain that touches the selected namespaces. Absent means no limit of its own.
   */
  maxDepth?: number;
  tokens?: CapabilityBoundarySpecTokens;
}
/**
 * Namespaces it binds, by their labels. Empty means all.
 */
export interface CapabilityBoundarySpecNamespaceSelector {
  /**
   * Labels a namespace must have, all of them.
   */
  matchLabels?: {
    [k: string]: string;
  };
  /**
   * Requirements on labels of a namespace, all of them.
   *
   * @maxItems 16
   */
  matchExpressions?: CapabilityBoundarySpecNamespaceSelectorMatchExpression[];
}
export interface CapabilityBoundarySpecNamespaceSelectorMatchExpression {
  /**
   * Key of the label.
   */
  key: string;
  /**
   * What must hold for the label.
   */
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /**
   * Values of In and NotIn.
   *
   * @minItems 1
   * @maxItems 256
   */
  values?: string[];
}
export interface CapabilityBoundarySpecCapability {
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
 * Ceilings for the tokens of every edge from or to the selected namespaces.
 */
export interface CapabilityBoundarySpecTokens {
  /**
   * Longest life of a token, 10s to 5m. Absent means no limit of its own.
   */
  maxTTL?: string;
  /**
   * How often a token may be used. Absent means no limit of its own.
   */
  maxUses?: number;
}

/**
 * What became of it.
 */
export interface CapabilityBoundaryStatus {
  /**
   * Generation of the spec that this status is about.
   */
  observedGeneration?: number;
  /**
   * Current conditions.
   *
   * @maxItems 16
   */
  conditions?: CapabilityBoundaryStatusCondition[];
  /**
   * Namespaces it binds now.
   */
  namespaces?: number;
}
export interface CapabilityBoundaryStatusCondition {
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
