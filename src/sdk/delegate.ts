/** Tokens that an agent makes by itself, from the files of its pod and nothing else. */

import { hash } from 'node:crypto';
import { encodeHeader, type Signer, signJws } from '../crypto/jose/signer.ts';
import { randomOctets } from '../crypto/random-octets.ts';
import { CAPABILITY_TOKEN_TYPE, type Confirmation } from '../domain/token/claims.ts';
import { type Minted, type MintParent, mintChild, mintRoot } from '../domain/token/mint/mint.ts';
import type { MintRequest } from '../domain/token/mint/mint-request.ts';
import { uuidV7 } from '../domain/token/mint/uuid-v7.ts';
import { type Refusal, refuse } from '../domain/token/refusal.ts';
import type { PolicyFile, TokenEdge } from '../domain/token/state/policy-file.ts';
import { isAgentId, isUuidV7 } from '../domain/token/text-forms.ts';
import type { AgentFiles } from './files/agent-files.ts';
import type { AgentBundle } from './files/bundle-files.ts';
import type { Delegated, DelegateRequest, ParentToken } from './http/agent-core.ts';
import { audienceOf } from './http/audience.ts';
import { DELEGATE_MEMBERS, number, object, optional, parentToken, text } from './http/wish-form.ts';
import { signProof } from './proof.ts';
import { capabilitiesFor } from './wanted-capabilities.ts';

/** What a token is made for. */
export interface TokenWish extends Omit<DelegateRequest, 'to'> {
  /** SPIFFE ID of the audience, `<namespace>/<name>`, or `<name>` for one of the own namespace. */
  readonly to: string;
  /** How deep the tree may become; absent means as deep as rule and parent allow. */
  readonly maxDepth?: number;
  /** For so long from now children may be made of the token; absent means as long as it lives. */
  readonly taskTtlSeconds?: number;
}

/** A token with the header fields that it is presented in. */
export interface DelegatedToken extends Delegated {
  /** Of `Authorization`. */
  readonly scheme: 'Bearer' | 'DPoP';
  /**
   * Header fields for one request, names in lower case.
   *
   * @param url As it is requested.
   */
  headersFor(method: string, url: string): Readonly<Record<string, string>>;
}

/** From what a token is made, and when; milliseconds since the Unix epoch. */
export interface TokenMaker {
  readonly files: AgentFiles;
  readonly nowMs: () => number;
}

const RANDOM_OCTETS = 10;
const wishForm = object<TokenWish>({
  to: text,
  ...DELEGATE_MEMBERS,
  parent: optional(parentToken),
  transaction: optional(text),
  maxDepth: optional(number),
  taskTtlSeconds: optional(number),
});
const headers = new WeakMap<Signer, string>();

/**
 * Makes a token.
 *
 * @returns The token; or, with the name that its verifier would give, why there is none: `malformed` when the wish lacks a
 *   member or has one that nobody knows, `stale_state` without a bundle that has not ended, `not_delegable` for an audience
 *   that nobody knows, and what `mintRoot` and `mintChild` refuse. Errors: none.
 */
export function delegate(wish: TokenWish, maker: TokenMaker): DelegatedToken | Refusal {
  const fault = wishForm(wish, 'wish');
  if (fault !== undefined) return refuse('malformed', `${fault}.`);
  const { bundle, identity, namespace } = maker.files;
  const nowMs = maker.nowMs();
  if (bundle === undefined || nowMs >= bundle.claims.exp * 1000)
    return refuse('stale_state', 'The agent has no bundle that is fresh enough.');
  const to = isAgentId(wish.to) ? wish.to : agentNamed(wish.to, bundle.policy, namespace);
  if (to === undefined) return refuse('not_delegable', 'policy.json knows no agent of this name.');
  const edge = bundle.state.policies.edge(identity, to);
  const minted = mint({ ...wish, to }, { maker, bundle, edge, nowMs });
  return minted.kind === 'refused' ? minted : seal(minted, wish.parent, { maker, edge });
}

function agentNamed(name: string, policy: PolicyFile, namespace: string): string | undefined {
  const [first = '', second, ...more] = name.split('/');
  if (more.length > 0 || name.includes('.')) return undefined;
  return audienceOf(second === undefined ? first : `${second}.${first}`, policy, namespace);
}

interface Minting {
  readonly maker: TokenMaker;
  readonly bundle: AgentBundle;
  readonly edge: TokenEdge | undefined;
  readonly nowMs: number;
}

/** Of several rules the first that allows what it itself fills in where no resources are named. */
function mint(wish: TokenWish, minting: Minting): Minted | Refusal {
  let refusal: Refusal | undefined;
  for (const capabilities of capabilitiesFor(wish.capabilities, minting.edge, wish.parent?.accepted.claims)) {
    const minted = mintOnce({ ...wish, capabilities }, minting);
    if (minted.kind === 'minted') return minted;
    refusal ??= minted;
  }
  return refusal ?? refuse('malformed', 'A token says 1 to 16 capabilities.');
}

function mintOnce(
  wish: TokenWish & Pick<MintRequest, 'capabilities'>,
  { maker: { files }, bundle, edge, nowMs }: Minting,
): Minted | Refusal {
  const { parent, transaction = uuidV7(nowMs, randomOctets(RANDOM_OCTETS)) } = wish;
  if (!isUuidV7(transaction)) return refuse('malformed', 'A transaction is a UUID of version 7.');
  const nowSeconds = nowMs / 1000;
  const minter = {
    self: files.identity,
    policies: bundle.state.policies,
    nowSeconds,
    jti: uuidV7(nowMs, randomOctets(RANDOM_OCTETS)),
  };
  const request: MintRequest = {
    to: wish.to,
    capabilities: wish.capabilities,
    ...bindingTo(files, edge),
    ...(wish.ttlSeconds === undefined ? {} : { ttlSeconds: wish.ttlSeconds }),
    ...(wish.maxUses === undefined ? {} : { maxUses: wish.maxUses }),
    ...(wish.maxDepth === undefined ? {} : { maxDepth: wish.maxDepth }),
    ...(wish.taskTtlSeconds === undefined
      ? {}
      : { delegableUntil: Math.floor(nowSeconds) + wish.taskTtlSeconds }),
  };
  return parent === undefined
    ? mintRoot(request, minter, transaction)
    : mintChild(request, minter, mintParent(parent));
}

function bindingTo(
  { tls, signer }: AgentFiles,
  edge: TokenEdge | undefined,
): { readonly confirmation: Confirmation; readonly certificateEndsAt?: number } {
  return edge?.binding === 'Certificate'
    ? { confirmation: { 'x5t#S256': tls.thumbprint }, certificateEndsAt: tls.notAfterSeconds }
    : { confirmation: { jkt: signer.kid } };
}

function mintParent({ accepted, token }: ParentToken): MintParent {
  const signingInput = token.slice(0, token.lastIndexOf('.'));
  return {
    claims: accepted.claims,
    hash: hash('sha256', signingInput, 'base64url'),
    rootIssuedAt: accepted.rootIssuedAt,
  };
}

function seal(
  { claims, payload }: Minted,
  parent: ParentToken | undefined,
  { maker, edge }: Pick<Minting, 'maker' | 'edge'>,
): DelegatedToken {
  const { signer } = maker.files;
  const token = signJws(headerOf(signer), payload, signer);
  const chain = parent === undefined ? [] : [parent.token, ...parent.chain];
  const binding = edge?.binding ?? 'Key';
  const scheme = binding === 'Key' ? 'DPoP' : 'Bearer';
  const prove = (method: string, url: string): string =>
    signProof({ token, method, url }, signer, maker.nowMs());
  return {
    kind: 'delegated',
    token,
    chain,
    binding,
    transaction: claims.txn,
    prove,
    scheme,
    headersFor: (method, url) => ({
      authorization: `${scheme} ${token}`,
      ...(binding === 'Key' ? { dpop: prove(method, url) } : {}),
      ...(chain.length === 0 ? {} : { 'agent-delegation-chain': chain.join(', ') }),
    }),
  };
}

function headerOf(signer: Signer): string {
  const known = headers.get(signer);
  if (known !== undefined) return known;
  const header = encodeHeader({ typ: CAPABILITY_TOKEN_TYPE, alg: signer.algorithm, kid: signer.kid });
  headers.set(signer, header);
  return header;
}
