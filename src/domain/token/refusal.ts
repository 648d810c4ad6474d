/** Why a token is refused: a closed set of names, the only label that metrics get, each the first step that failed. */

/** All names, in the order of the steps. */
export const REFUSAL_NAMES = [
  'malformed',
  'wrong_type',
  'unknown_claim',
  'stale_state',
  'wrong_audience',
  'not_yet_valid',
  'expired',
  'too_long_lived',
  'unknown_issuer',
  'issuer_mismatch',
  'unknown_key',
  'wrong_algorithm',
  'bad_signature',
  'chain_broken',
  'principal_changed',
  'suspended',
  'revoked',
  'holder_mismatch',
  'proof_invalid',
  'depth_exceeded',
  'not_narrower',
  'root_not_allowed',
  'not_delegable',
  'capability_not_granted',
  'resource_not_granted',
  'rate_limited',
  'replay_unknown',
  'replayed',
  'fanout_exceeded',
  'store_unavailable',
] as const;

/** One of them. */
export type RefusalName = (typeof REFUSAL_NAMES)[number];

/** What belongs to a refusal beside its sentence, for the audit record. */
export type RefusalDetail = Readonly<Record<string, string | number | boolean>>;

/** A "no". */
export interface Refusal {
  readonly kind: 'refused';
  readonly name: RefusalName;
  /** One sentence; never holds what the token says. */
  readonly message: string;
  /** Values of checked form; until the signature was verified they are only what somebody claims. */
  readonly detail: RefusalDetail;
}

/** Makes a refusal. */
export function refuse(name: RefusalName, message: string, detail: RefusalDetail = {}): Refusal {
  return { kind: 'refused', name, message, detail };
}

/** Whether a result is a "no". */
export function isRefusal(result: { readonly kind: string } | undefined): result is Refusal {
  return result?.kind === 'refused';
}
