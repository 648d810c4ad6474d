/** Generated from crds/ by `npm run generate`. Do not edit. */

/**
 * Who is cut off and why.
 */
export interface QuarantineSpec {
  /**
   * The agent to cut off, of this namespace as name. namespace/name counts only in the namespace of the operator.
   */
  agent: string;
  /**
   * Why, for the people who find it.
   */
  reason?: string;
}

/**
 * What became of it.
 */
export interface QuarantineStatus {
  /**
   * Generation of the spec that this status is about.
   */
  observedGeneration?: number;
  /**
   * Current conditions.
   *
   * @maxItems 16
   */
  conditions?: QuarantineStatusCondition[];
}
export interface QuarantineStatusCondition {
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
