/** What is said of a reason of a condition. */

/** What a reason means and what to do about it. */
export interface ReasonText {
  /** Value of Ready that goes with it. */
  readonly ready: 'True' | 'False' | 'Unknown';
  /** When the operator tries again by itself. */
  readonly retried: string;
  readonly means: string;
  readonly wayOut: string;
}
