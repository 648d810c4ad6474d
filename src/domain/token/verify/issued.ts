/** Steps 5 to 9: whether a token is for here and now, and whether who says to have issued it has. */

import { CLOCK_SKEW_SECONDS, isServiceMinted, TOKEN_LIMITS } from '../claims.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { Token } from '../token.ts';
import type { Judging } from './verifier.ts';

/** Step 5. RFC 7519 section 4.1.3. */
export function checkAudience({ claims }: Token, { verifier }: Judging): Refusal | undefined {
  if (claims.aud === verifier.self) return undefined;
  return refuse('wrong_audience', 'The token is for another agent.');
}

/** Step 6. RFC 7519 sections 4.1.4 and 4.1.6; clocks may differ by 30 s. */
export function checkLifetime({ claims: { iat, exp } }: Token, { nowSeconds }: Judging): Refusal | undefined {
  const isEarly = iat > nowSeconds + CLOCK_SKEW_SECONDS;
  const isLate = nowSeconds >= exp + CLOCK_SKEW_SECONDS;
  if (!isEarly && !isLate && exp - iat <= TOKEN_LIMITS.lifetimeSeconds) return undefined;
  const times = { iat, exp, now: Math.floor(nowSeconds) };
  if (isEarly) return refuse('not_yet_valid', 'The token was issued in the future.', times);
  if (isLate) return refuse('expired', 'The token has expired.', times);
  return refuse('too_long_lived', `A token lives for at most ${TOKEN_LIMITS.lifetimeSeconds} s.`, times);
}

/** Steps 7 to 9, of a token and of each of its parents. */
export function checkIssuer(token: Token, judging: Judging): Refusal | undefined {
  return knowsIssuer(token, judging) ?? issuesForItself(token) ?? isSigned(token, judging);
}

/** Step 7. */
function knowsIssuer({ claims }: Token, { state }: Judging): Refusal | undefined {
  if (state.issuers.has(claims.iss)) return undefined;
  return refuse(
    'unknown_issuer',
    'No agent that can reach this one, and no token service, issues as this issuer.',
  );
}

/** Step 8: an agent signs as presenter only and starts a tree for itself only; only the service speaks for users. */
function issuesForItself({ claims }: Token): Refusal | undefined {
  const { iss, sub, client_id: presenter, sub_id: user, tctx } = claims;
  const isAgents = sub.startsWith('spiffe:');
  if (isServiceMinted(claims)) {
    const isRight = isAgents ? user === undefined && tctx === undefined : user?.sub === sub;
    return isRight ? undefined : refuse('issuer_mismatch', 'The token names no user, or two principals.');
  }
  if (iss !== presenter) return refuse('issuer_mismatch', 'The signer is not the presenter.');
  if (claims.del_depth > 1 || (sub === iss && user === undefined && tctx === undefined)) return undefined;
  return refuse('issuer_mismatch', 'An agent starts a tree only for itself.');
}

/** Step 9. The key decides on the algorithm, the token only has to agree; RFC 8725 section 3.1. */
function isSigned(token: Token, { state }: Judging): Refusal | undefined {
  const { iss, iat } = token.claims;
  const key = state.issuers.get(iss)?.get(token.keyId);
  if (key === undefined || iat < key.since || iat > key.until)
    return refuse('unknown_key', 'The issuer has no such key, or had none when the token was issued.');
  if (token.algorithm !== key.algorithm)
    return refuse('wrong_algorithm', `The key signs with ${key.algorithm} only.`);
  if (key.verifies(token.signingInput, token.signature)) return undefined;
  return refuse('bad_signature', 'The signature is not that of the key.');
}
