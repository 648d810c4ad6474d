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

/**
 * Takes the fields apart.
 *
 * @returns What was presented, or `malformed`: no token, several fields of one name, another scheme, more parents or more
 *   bytes than there may be. Errors: none.
 */
export function readPresentation(fields: TokenFields): Presentation | Refusal {
  const { authorization, dpop, delegationChain } = fields;
  if (authorization.length === 0) return refuse('malformed', 'The request has no Authorization field.');
  if (authorization.length > 1 || dpop.length > 1 || delegationChain.length > 1)
    return refuse('malformed', 'Authorization, DPoP and Agent-Delegation-Chain may each stand once.');
  if (isTooLong(fields))
    return refuse(
      'malformed',
      `Token, chain and proof are longer than ${TOKEN_LIMITS.presentationBytes} bytes.`,
    );
  const [authorized = ''] = authorization;
  const scheme = authorized.slice(0, Math.max(0, authorized.indexOf(' '))).toLowerCase();
  if (scheme !== 'bearer' && scheme !== 'dpop')
    return refuse('malformed', 'Authorization holds no token of scheme Bearer or DPoP.');
  const parents = delegationChain[0]?.split(',').map(withoutBlanks) ?? [];
  if (parents.length > TOKEN_LIMITS.parents)
    return refuse('malformed', `Agent-Delegation-Chain holds more than ${TOKEN_LIMITS.parents} tokens.`);
  return {
    kind: 'presentation',
    scheme: scheme === 'dpop' ? 'DPoP' : 'Bearer',
    leaf: withoutBlanksBefore(authorized, scheme.length),
    proof: dpop[0],
    parents,
  };
}

/** What stands here is read as a JWS, strictly, so nothing is said of it. */
function withoutBlanksBefore(text: string, from: number): string {
  let start = from;
  while (text[start] === ' ') start++;
  return text.slice(start);
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
  const proofLength = lengthOf(dpop);
  const length = lengthOf(authorization) + proofLength + lengthOf(delegationChain);
  return length > TOKEN_LIMITS.presentationBytes || proofLength > TOKEN_LIMITS.tokenBytes;
}

function lengthOf([line = '']: readonly string[]): number {
  return line.length;
}
