/** Step 11: whether anybody of the chain is cut off, and whether any of its tokens is dead before its end. */

import { parseAgentSpiffeId } from '../../certificate/spiffe-id.ts';
import type { CapabilityClaims } from '../claims.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { RevocationIndex } from '../state/revocation-index.ts';
import type { AuthorisedHop } from './hops.ts';

/** Whether presenter, audience or anybody above is suspended. */
export function checkSuspended(
  hops: readonly AuthorisedHop[],
  revocations: RevocationIndex,
): Refusal | undefined {
  const message = 'An agent of the chain is cut off.';
  const index = hops.findIndex(({ from }) => revocations.isSuspended(from));
  if (index >= 0) return refuse('suspended', message, { link: hops.length - 1 - index });
  return revocations.isSuspended(hops.at(-1)?.to ?? '')
    ? refuse('suspended', message, { link: -1 })
    : undefined;
}

/** Whether a token of the chain, or what it was made from, is revoked. */
export function checkRevoked(
  hops: readonly AuthorisedHop[],
  leaf: CapabilityClaims,
  revocations: RevocationIndex,
): Refusal | undefined {
  for (const [index, { from, issuedAt }] of hops.entries()) {
    const link = hops.length - 1 - index;
    if (revocations.isFromBefore(from, issuedAt))
      return refuse('revoked', 'A token is from before its presenter was restored or made anew.', { link });
    if (!revocations.isEmpty && isRevoked(hops.slice(0, index + 1), leaf, revocations))
      return refuse('revoked', 'A token of the chain is revoked.', { link });
  }
  return undefined;
}

/** Each token is judged by the chain that ends with it: what comes below does not revoke what is above. */
function isRevoked(
  hops: readonly AuthorisedHop[],
  { txn, sub_id: user }: CapabilityClaims,
  revocations: RevocationIndex,
): boolean {
  const agents = agentsOf(hops);
  const found = revocations.find({
    transaction: txn,
    user,
    tokenIds: hops.map(({ tokenId }) => tokenId),
    agents,
    namespaces: agents.map((agent) => parseAgentSpiffeId(agent)?.namespace ?? ''),
    policies: hops.flatMap(({ authority }) => (authority.kind === 'granted' ? [authority.grant.policy] : [])),
    issuedAt: hops.at(-1)?.issuedAt ?? 0,
  });
  return found !== undefined;
}

function agentsOf(hops: readonly AuthorisedHop[]): readonly string[] {
  return [...hops.map(({ from }) => from), hops.at(-1)?.to ?? ''];
}
