/** What is known of the generations of the authority. All instants are milliseconds since the Unix epoch. */

/**
 * - `prepared`: trusted everywhere, or on its way there; signs nothing yet.
 * - `signing`: signs all leaves. There is at most one.
 * - `retiring`: signs no more; trusted until its last leaf is over.
 */
export type GenerationPhase = 'prepared' | 'signing' | 'retiring';

/** What is remembered of a generation from step to step, beside its certificate. */
export interface GenerationState {
  readonly id: string;
  readonly phase: GenerationPhase;
  /** When it was made, or first met. */
  readonly preparedAtMs: number;
  /** Since when everything that must carry it was seen to; undefined while something does not. */
  readonly seenSinceMs?: number | undefined;
  readonly activatedAtMs?: number | undefined;
  readonly retiringSinceMs?: number | undefined;
  readonly taintedAtMs?: number | undefined;
  /** Leaves that were to be replaced when their replacement began. */
  readonly reissueTotal?: number | undefined;
  /** When the last of them was. */
  readonly reissuedAtMs?: number | undefined;
}

/** From when to when a certificate is valid. */
export interface GenerationSpan {
  readonly id: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A generation with what the ledger and the Secrets say of it. */
export interface GenerationFacts extends GenerationState, GenerationSpan {
  /** When its last leaf ends, whether it is in use or not; undefined when the ledger knows of none. */
  readonly lastLeafEndsAtMs: number | undefined;
  /** Secrets that hold a leaf of it which is not over. */
  readonly heldLeaves: number;
  /** Somebody gave it; absent: it was made here. */
  readonly isGiven?: true;
}

/** What somebody gives in place of generations that are made here. `message` is a sentence without full stop. */
export type GivenFacts =
  | { readonly kind: 'good'; readonly id: string }
  | { readonly kind: 'refused'; readonly message: string };

/** What has not been seen to carry a generation: namespaces, with what is missing there, ready to be read by people. */
export type Lacking = ReadonlyMap<string, string>;

/** What an administrator asks for. */
export interface AuthorityIntent {
  /** A generation that began to sign before this instant is replaced now. */
  readonly rotateBeforeMs: number | undefined;
  /** All their leaves are replaced now, at a bounded rate. */
  readonly taint: ReadonlySet<string>;
  /** They are trusted no more, whatever holds a leaf of them. */
  readonly revoke: ReadonlySet<string>;
}

/** Nothing is asked for. */
export const NO_INTENT: AuthorityIntent = {
  rotateBeforeMs: undefined,
  taint: new Set<string>(),
  revoke: new Set<string>(),
};
