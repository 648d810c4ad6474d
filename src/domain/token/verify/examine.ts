/** Steps 1 to 15: a token and its chain, whatever it is presented for. */

import { type CapabilityClaims, isServiceMinted } from '../claims.ts';
import { isRefusal, type Refusal, refuse } from '../refusal.ts';
import type { TokenEdge } from '../state/policy-file.ts';
import { readToken, type Token } from '../token.ts';
import { checkRevoked, checkSuspended } from './alive.ts';
import { type Chain, readAncestry } from './ancestry.ts';
import { areGranted, authorise, type GrantedHop } from './hops.ts';
import { checkAudience, checkIssuer, checkLifetime } from './issued.ts';
import { checkDepth, checkNarrowing, checkRoot, notDelegable } from './permitted.ts';
import type { Judging, Verifier } from './verifier.ts';

/** A token as text, with its parents, nearest first. */
export interface PresentedChain {
  readonly leaf: string;
  readonly parents: readonly string[];
}

/** A token that is allowed here and now, with all that was found out on the way. */
export interface Examined<Holder> {
  readonly kind: 'examined';
  readonly leaf: Token;
  readonly chain: Chain;
  /** All calls, the first one first. */
  readonly hops: readonly GrantedHop[];
  readonly holder: Holder;
}

/** A "no", with what is known of the token. */
export interface TokenRefusal extends Refusal {
  /** Absent for what has not the form of a token. */
  readonly claimed?: {
    /** Whether the signature was verified: else all of it is hearsay, and no agent is put into metrics. */
    readonly isAuthentic: boolean;
    readonly claims: CapabilityClaims;
  };
}

/** Step 12. `edge` is the one that the token was presented over; undefined when there is none now. */
export type HolderCheck<Holder> = (
  leaf: Token,
  edge: TokenEdge | undefined,
  judging: Judging,
) => Holder | Refusal;

/**
 * Examines a token and its chain.
 *
 * @param checkHolder Made as step 12; its result is handed on.
 *
 * Errors: none.
 */
export function examine<Holder extends { readonly kind: string }>(
  presented: PresentedChain,
  at: { readonly verifier: Verifier; readonly nowSeconds: number },
  checkHolder: HolderCheck<Holder>,
): Examined<Holder> | TokenRefusal {
  const leaf = readToken(presented.leaf, at.verifier.crypto);
  if (isRefusal(leaf)) return leaf;
  const judging = authenticate(leaf, presented, at);
  if (isRefusal(judging)) return { ...judging, claimed: { isAuthentic: false, claims: leaf.claims } };
  const examined = examineChain(leaf, presented, { judging, checkHolder });
  return isRefusal(examined)
    ? { ...examined, claimed: { isAuthentic: true, claims: leaf.claims } }
    : examined;
}

/** What is left of step 1, and steps 4 to 9. */
function authenticate(
  leaf: Token,
  { parents }: PresentedChain,
  { verifier, nowSeconds }: { readonly verifier: Verifier; readonly nowSeconds: number },
): Judging | Refusal {
  if (isServiceMinted(leaf.claims) && parents.length > 0)
    return refuse('malformed', 'A token of the service carries no chain.');
  const { state } = verifier;
  if (state === undefined || nowSeconds >= state.expiresAtSeconds)
    return refuse('stale_state', 'The verifier has no bundle that is fresh enough.');
  const judging: Judging = { kind: 'judging', verifier, state, nowSeconds };
  return (
    checkAudience(leaf, judging) ?? checkLifetime(leaf, judging) ?? checkIssuer(leaf, judging) ?? judging
  );
}

/** Steps 10 to 15. */
function examineChain<Holder extends { readonly kind: string }>(
  leaf: Token,
  { parents }: PresentedChain,
  { judging, checkHolder }: { readonly judging: Judging; readonly checkHolder: HolderCheck<Holder> },
): Examined<Holder> | Refusal {
  const chain = readAncestry(leaf, parents, judging);
  if (isRefusal(chain)) return chain;
  const { policies, revocations } = judging.state;
  const hops = authorise(chain, policies);
  const dead = checkSuspended(hops, revocations) ?? checkRevoked(hops, leaf.claims, revocations);
  if (dead !== undefined) return dead;
  const holder = checkHolder(leaf, hops.at(-1)?.edge, judging);
  if (isRefusal(holder)) return holder;
  const refusal = checkDepth(chain, hops) ?? checkNarrowing(chain) ?? checkRoot(chain, hops, policies);
  if (refusal !== undefined) return refusal;
  return areGranted(hops) ? { kind: 'examined', leaf, chain, hops, holder } : notDelegable(hops);
}
