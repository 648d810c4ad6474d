/** Step 10: where a token comes from. Each parent is checked by itself, then against its child. */

import {
  type Actor,
  type CapabilityClaims,
  CLOCK_SKEW_SECONDS,
  delegableUntil,
  isServiceMinted,
} from '../claims.ts';
import { isRefusal, type Refusal, refuse } from '../refusal.ts';
import { readToken, type Token } from '../token.ts';
import { checkIssuer } from './issued.ts';
import type { Judging } from './verifier.ts';

/** A token with all that it comes from. */
export interface Chain {
  readonly kind: 'chain';
  /** Root first, the presented token last. The first is a root, or carries its own path. */
  readonly tokens: readonly [Token, ...Token[]];
}

/**
 * Reads the parents of a token whose own signature is verified.
 *
 * @param entries As presented, nearest first.
 * @returns The chain, or the refusal of the first entry that fails. Errors: none.
 */
export function readAncestry(leaf: Token, entries: readonly string[], judging: Judging): Chain | Refusal {
  let tokens: [Token, ...Token[]] = [leaf];
  for (const entry of entries) {
    const [child] = tokens;
    const broken = hasParent(child)
      ? lacksHash(child)
      : refuse('chain_broken', 'The chain goes on above its root.');
    if (broken !== undefined) return at(broken, tokens.length - 1);
    const parent = readParent(entry, child, judging);
    if (isRefusal(parent)) return at(parent, tokens.length);
    tokens = [parent, ...tokens];
  }
  const broken = checkStart(tokens[0]);
  return broken === undefined ? { kind: 'chain', tokens } : at(broken, tokens.length - 1);
}

function readParent(entry: string, child: Token, judging: Judging): Token | Refusal {
  const parent = readToken(entry, judging.verifier.crypto);
  if (isRefusal(parent)) return parent;
  const refusal =
    checkIssuer(parent, judging) ??
    isItsChild({ child, parent }, judging) ??
    keepsPrincipal({ child, parent }) ??
    isAlive(parent, judging);
  return refusal ?? parent;
}

interface Link {
  readonly child: Token;
  readonly parent: Token;
}

function isItsChild({ child, parent }: Link, { verifier: { crypto } }: Judging): Refusal | undefined {
  const [below, above] = [child.claims, parent.claims];
  if (!crypto.isSame(below.par_hash ?? '', crypto.sha256(parent.signingInput)))
    return refuse('chain_broken', 'A token was made from another parent.');
  if (above.aud !== below.iss) return refuse('chain_broken', 'A parent was issued to another agent.');
  if (below.del_depth !== above.del_depth + 1)
    return refuse('chain_broken', 'A depth is not one more than above.');
  if (!isSameActor(below.act, actorBelow(above, below.client_id)))
    return refuse('chain_broken', 'The actors are not those of the chain.');
  if (above.iat > below.iat) return refuse('chain_broken', 'A parent was issued after its child.');
  return undefined;
}

/** `act` of a token that `presenter` makes from a parent; RFC 8693 section 4.1. Absent when it acts for itself. */
export function actorBelow(parent: CapabilityClaims, presenter: string): Actor | undefined {
  if (presenter === parent.sub) return undefined;
  return { sub: presenter, ...(parent.act === undefined ? {} : { act: parent.act }) };
}

function keepsPrincipal({ child, parent }: Link): Refusal | undefined {
  const [below, above] = [child.claims, parent.claims];
  const isSame =
    below.sub === above.sub &&
    below.txn === above.txn &&
    below.sub_id?.iss === above.sub_id?.iss &&
    below.sub_id?.sub === above.sub_id?.sub &&
    isSameContext(below.tctx, above.tctx);
  return isSame
    ? undefined
    : refuse('principal_changed', 'A child is for another principal or of another tree.');
}

function isAlive({ claims }: Token, { nowSeconds }: Judging): Refusal | undefined {
  if (nowSeconds < delegableUntil(claims) + CLOCK_SKEW_SECONDS) return undefined;
  return refuse('expired', 'A parent has expired.', {
    exp: delegableUntil(claims),
    now: Math.floor(nowSeconds),
  });
}

/** The topmost token has to be the beginning, or to say itself what is above it. */
function checkStart(token: Token): Refusal | undefined {
  if (hasParent(token)) return lacksHash(token) ?? refuse('chain_broken', 'A parent is missing.');
  const { sub, client_id: presenter, act, del_depth: depth, par_hash: hash, del_path: path } = token.claims;
  if ((hash === undefined) !== (depth === 1))
    return refuse('chain_broken', 'A root has a parent, or a child has none.');
  if ((act === undefined) !== (presenter === sub) || (act !== undefined && act.sub !== presenter))
    return refuse('chain_broken', 'The actors are not those of the chain.');
  if (depth === 1 && act?.act !== undefined) return refuse('chain_broken', 'A root has earlier actors.');
  if (sub.startsWith('spiffe:') && (path?.[0]?.client_id ?? presenter) !== sub)
    return refuse('chain_broken', 'The tree begins with another agent than its principal.');
  return undefined;
}

function hasParent({ claims }: Token): boolean {
  return claims.del_depth > 1 && !isServiceMinted(claims);
}

function lacksHash({ claims }: Token): Refusal | undefined {
  return claims.par_hash === undefined
    ? refuse('chain_broken', 'A child does not name its parent.')
    : undefined;
}

function isSameActor(a: Actor | undefined, b: Actor | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.sub === b.sub && isSameActor(a.act, b.act);
}

function isSameContext(a: CapabilityClaims['tctx'] = {}, b: CapabilityClaims['tctx'] = {}): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
  );
}

/** Says which token it was; 0 is the presented one. */
function at(refusal: Refusal, link: number): Refusal {
  return { ...refusal, detail: { ...refusal.detail, link } };
}
