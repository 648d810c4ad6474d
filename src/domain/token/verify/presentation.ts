/** The three header fields in which a token is presented; RFC 6750 section 2.1, RFC 9449 section 7.1, RFC 9651 section 3.1. */

import { TOKEN_LIMITS } from '../claims.ts';
import { type Refusal, refuse } from '../refusal.ts';

/** Values of header fields, one element for each field line. A framework that joins lines with commas is well too. */
export interface TokenFields {
  readonly authorization: readonly string[];
  readonly dpop: readonly string[];
  /** `Agent-Delegation-Chain`. */
  readonly delegationChain: readonly string[];
}

/** What was presented. */
export interface Presentation {
  readonly kind: 'presentation';
  readonly scheme: 'Bearer' | 'DPoP';
  /** The token itself. */
  readonly leaf: string;
  readonly proof: string | undefined;
  /** Nearest first. */
  readonly parents: readonly string[];
}

/** What follows is read as a JWS, strictly, so nothing is said of it here. */
const SCHEME = /^(bearer|dpop) +/i;

/**
 * Takes the fields apart.
 *
 * @returns What was presented, or `malformed`: no token, several fields of one name, another scheme, more parents or more
 *   bytes than there may be. Errors: none.
 */
export function readPresentation(fields: TokenFields): Presentation | Refusal {
  const { authorization, dpop, delegationChain } = fields;
  if (authorization.length === 0) return refuse('malformed', 'The request has no Authorization field.');
  if (Math.max(authorization.length, dpop.length, delegationChain.length) > 1)
    return refuse('malformed', 'Authorization, DPoP and Agent-Delegation-Chain may each stand once.');
  if (isTooLong(fields))
    return refuse(
      'malformed',
      `Token, chain and proof are longer than ${TOKEN_LIMITS.presentationBytes} bytes.`,
    );
  const [authorized = ''] = authorization;
  const [prefix = '', scheme] = SCHEME.exec(authorized) ?? [];
  if (scheme === undefined)
    return refuse('malformed', 'Authorization holds no token of scheme Bearer or DPoP.');
  const parents = delegationChain[0]?.split(',').map(withoutBlanks) ?? [];
  if (parents.length > TOKEN_LIMITS.parents)
    return refuse('malformed', `Agent-Delegation-Chain holds more than ${TOKEN_LIMITS.parents} tokens.`);
  const isProven = scheme.toLowerCase() === 'dpop';
  return {
    kind: 'presentation',
    scheme: isProven ? 'DPoP' : 'Bearer',
    leaf: authorized.slice(prefix.length),
    proof: dpop[0],
    parents,
  };
}

/** By hand: what is presented here is not verified yet, and a pattern for blanks before an end is quadratic. */
function withoutBlanks(element: string): string {
  let [start, end] = [0, element.length];
  while (isBlank(element[start])) start++;
  while (end > start && isBlank(element[end - 1])) end--;
  return element.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

function isTooLong({ authorization, dpop, delegationChain }: TokenFields): boolean {
  let bytes = 0;
  for (const [line = ''] of [authorization, dpop, delegationChain]) bytes += line.length;
  return bytes > TOKEN_LIMITS.presentationBytes || (dpop[0]?.length ?? 0) > TOKEN_LIMITS.tokenBytes;
}
