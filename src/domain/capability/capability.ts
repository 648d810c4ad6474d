/** What a capability is wherever it stands: in a ceiling, a rule, a boundary, an edge. */

/** `Invoke`: used, never passed on. `Delegate`: passed on, never used. Absent in a {@link Capability}: both. */
export type CapabilityUse = 'Invoke' | 'Delegate';

/** A capability that somebody holds or is granted. */
export interface Capability {
  /** Exact, no wildcard; at most 128 characters. */
  readonly name: string;
  /** Resource patterns it may be used on; absent means no limit of its own. Never empty. */
  readonly resources?: readonly string[];
  readonly use?: CapabilityUse;
}
