/**
 * The claims of a new token. Nothing is trimmed: what does not fit is refused, with the name that a verifier would refuse it
 * with. A verifier believes none of it and decides by what it knows itself.
 */

import type { EdgeGrant } from '../../delegation/facts.ts';
import { CAPABILITY_DETAILS_TYPE, type CapabilityClaims, delegableUntil } from '../claims.ts';
import { checkNarrower } from '../narrowing.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { TokenPolicies } from '../state/policy-file.ts';
import { actorBelow } from '../verify/ancestry.ts';
import { type Authority, authorityFor, type Demand } from '../verify/hops.ts';
import { checkRequest, type MintRequest } from './mint-request.ts';

/** How long a token lives unless somebody asks for less or more. */
const DEFAULT_TTL_SECONDS = 120;

/** In base64url, with header and signature, it just fits into a token. */
const MAX_PAYLOAD_LENGTH = 2800;

/** Who mints, when, and with which identifiers. */
export interface Minter {
  /** SPIFFE ID of the presenter. */
  readonly self: string;
  readonly policies: TokenPolicies;
  /** Seconds since the Unix epoch. */
  readonly nowSeconds: number;
  /** UUID of version 7, for this token alone. */
  readonly jti: string;
}

/** A token that a child is made from. */
export interface MintParent {
  readonly claims: CapabilityClaims;
  /** base64url of the SHA-256 of its signing input. */
  readonly hash: string;
  /** When the root of its tree was issued. */
  readonly rootIssuedAt: number;
}

/** Claims, ready to be signed. */
export interface Minted {
  readonly kind: 'minted';
  readonly claims: CapabilityClaims;
  /** The claims as JSON: what is to be signed, under a header of `typ`, `alg` and `kid`. */
  readonly payload: string;
  /** The rule that allows the token, as far as its signer knows. */
  readonly grant: EdgeGrant;
}

/**
 * Makes the claims of the first token of a tree, for the agent itself.
 *
 * @param txn Names the tree; UUID of version 7.
 * @returns The claims, or `root_not_allowed` and what {@link mintChild} refuses. Errors: none.
 */
export function mintRoot(request: MintRequest, minter: Minter, txn: string): Minted | Refusal {
  if (!minter.policies.mayOriginate(minter.self))
    return refuse('root_not_allowed', 'This agent may act only on behalf of a caller.');
  return mint(request, minter, { principal: { sub: minter.self }, txn });
}

/**
 * Makes the claims of a token below another one.
 *
 * @param parent Verified; its audience is the minter.
 * @returns The claims, or `wrong_audience` or `expired` of the parent, `not_delegable`, `depth_exceeded`, `malformed`,
 *   `holder_mismatch`, `not_narrower`. Errors: none.
 */
export function mintChild(request: MintRequest, minter: Minter, parent: MintParent): Minted | Refusal {
  const { claims } = parent;
  if (claims.aud !== minter.self) return refuse('wrong_audience', 'The parent is for another agent.');
  if (minter.nowSeconds >= delegableUntil(claims)) return refuse('expired', 'The parent has expired.');
  const act = actorBelow(claims, minter.self);
  const principal = {
    sub: claims.sub,
    ...(claims.sub_id === undefined ? {} : { sub_id: claims.sub_id }),
    ...(claims.tctx === undefined ? {} : { tctx: claims.tctx }),
    ...(act === undefined ? {} : { act }),
  };
  const minted = mint(request, minter, { principal, txn: claims.txn, parent });
  return minted.kind === 'refused' ? minted : (checkNarrower(minted.claims, claims) ?? minted);
}

interface Tree {
  readonly principal: Pick<CapabilityClaims, 'sub' | 'sub_id' | 'tctx' | 'act'>;
  readonly txn: string;
  readonly parent?: MintParent;
}

function mint(request: MintRequest, minter: Minter, tree: Tree): Minted | Refusal {
  const malformed = checkRequest(request);
  if (malformed !== undefined) return malformed;
  const edge = minter.policies.edge(minter.self, request.to);
  if (edge === undefined) return refuse('not_delegable', 'No policy lets this agent delegate to that one.');
  let kind: Authority['kind'] = 'not_granted';
  for (const grant of edge.grants) {
    const claims = claimsUnder(grant, { request, minter, tree });
    const authority = authorityFor({ ...edge, grants: [grant] }, demandOf(claims, tree));
    if (authority.kind === 'granted') return finish(claims, grant, request);
    if (authority.kind === 'too_deep') kind = authority.kind;
  }
  return kind === 'too_deep'
    ? refuse('depth_exceeded', 'No rule allows all of this in a chain that is so long.')
    : refuse('not_delegable', 'No rule allows all of this.');
}

function demandOf(claims: CapabilityClaims, { parent }: Tree): Demand {
  const rootIssuedAt = parent?.rootIssuedAt ?? claims.iat;
  return { claims, passedOn: [], rootIssuedAt, length: claims.del_depth };
}

function claimsUnder(
  grant: EdgeGrant,
  { request, minter, tree }: { readonly request: MintRequest; readonly minter: Minter; readonly tree: Tree },
): CapabilityClaims {
  const { sub, ...onBehalf } = tree.principal;
  const parent = tree.parent?.claims;
  // A clock behind that of the parent's signer must not make a child that is older than its parent.
  const iat = Math.max(Math.floor(minter.nowSeconds), parent?.iat ?? 0);
  return {
    iss: minter.self,
    sub,
    ...onBehalf,
    client_id: minter.self,
    aud: request.to,
    iat,
    exp: endOf(iat, grant, { request, parent }),
    ...(request.delegableUntil === undefined ? {} : { del_exp: request.delegableUntil }),
    jti: minter.jti,
    txn: tree.txn,
    authorization_details: [{ type: CAPABILITY_DETAILS_TYPE, capabilities: request.capabilities }],
    cnf: request.confirmation,
    max_uses: request.maxUses ?? 1,
    del_depth: (parent?.del_depth ?? 0) + 1,
    del_max_depth: request.maxDepth ?? Math.min(grant.maxDepth, parent?.del_max_depth ?? grant.maxDepth),
    ...(tree.parent === undefined ? {} : { par_hash: tree.parent.hash }),
  };
}

/** What was asked for, or else as long as everything around the token lets it live, up to the default. */
function endOf(
  iat: number,
  { tokens }: EdgeGrant,
  { request, parent }: { readonly request: MintRequest; readonly parent: CapabilityClaims | undefined },
): number {
  const { ttlSeconds, certificateEndsAt } = request;
  if (ttlSeconds !== undefined) return iat + ttlSeconds;
  return Math.min(
    iat + Math.min(DEFAULT_TTL_SECONDS, tokens.maxTtlSeconds),
    parent === undefined ? Number.POSITIVE_INFINITY : delegableUntil(parent),
    certificateEndsAt ?? Number.POSITIVE_INFINITY,
  );
}

function finish(
  claims: CapabilityClaims,
  grant: EdgeGrant,
  { certificateEndsAt }: MintRequest,
): Minted | Refusal {
  const payload = JSON.stringify(claims);
  if (payload.length > MAX_PAYLOAD_LENGTH)
    return refuse('malformed', 'The token would be too long: ask for fewer capabilities or resources.');
  if (claims.exp <= claims.iat) return refuse('expired', 'The certificate has expired.');
  if (certificateEndsAt !== undefined && claims.exp > certificateEndsAt)
    return refuse('holder_mismatch', 'The token would outlive the certificate that it is bound to.');
  if (claims.del_depth > claims.del_max_depth)
    return refuse('depth_exceeded', 'The parent, or the request, does not allow such a depth.');
  return { kind: 'minted', claims, payload, grant };
}
