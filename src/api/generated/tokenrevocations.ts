/** Generated from crds/ by `npm run generate`. Do not edit. */

/**
 * Which tokens are dead. All fields that are set must match.
 */
export interface TokenRevocationSpec {
  /**
   * An agent at any place in the chain, of this namespace as name, of another one as namespace/name.
   */
  agent?: string;
  /**
   * A whole delegation tree, by the txn claim of its tokens.
   */
  transaction?: string;
  /**
   * One token, by its jti claim, and all that were made from it.
   */
  tokenID?: string;
  subject?: TokenRevocationSpecSubject;
  /**
   * Name of a DelegationPolicy of this namespace whose edges were used.
   */
  policy?: string;
  /**
   * All tokens of this namespace, in the namespace of the operator all tokens.
   */
  everything?: true;
  /**
   * Only tokens issued before this moment. Absent means when the operator first saw this object.
   */
  issuedBefore?: string;
  /**
   * Why, for people and for the audit record.
   */
  reason?: string;
  /**
   * How long after status.expiresAt the object deletes itself, 0s to 720h. Absent means never; leave it absent when the object lives in Git.
   */
  ttlAfterExpiry?: string;
}
/**
 * The user on whose behalf.
 */
export interface TokenRevocationSpecSubject {
  /**
   * Issuer of the user.
   */
  issuer: string;
  /**
   * The sub claim.
   */
  name: string;
}

/**
 * What became of it.
 */
export interface TokenRevocationStatus {
  /**
   * Generation of the spec that this status is about.
   */
  observedGeneration?: number;
  /**
   * Current conditions.
   *
   * @maxItems 16
   */
  conditions?: TokenRevocationStatusCondition[];
  /**
   * The moment that counts, also where spec leaves it out.
   */
  issuedBefore?: string;
  /**
   * When the last token it can touch is dead by itself.
   */
  expiresAt?: string;
}
export interface TokenRevocationStatusCondition {
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
