/** Steps 13 to 16: whether the chain may be so long, only narrows, is allowed on every hop now, and grants what is asked. */

import { isResource } from '../../capability/parse.ts';
import { resourcesContain } from '../../capability/resource.ts';
import type { GrantedCapability } from '../claims.ts';
import { checkNarrower } from '../narrowing.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { TokenPolicies } from '../state/policy-file.ts';
import type { Chain } from './ancestry.ts';
import type { AuthorisedHop } from './hops.ts';
import type { AskedNow } from './verifier.ts';

/** Step 13. Neither the tokens nor the rules used may be for shorter chains only. */
export function checkDepth({ tokens }: Chain, hops: readonly AuthorisedHop[]): Refusal | undefined {
  const allowed = Math.min(...tokens.map(({ claims }) => claims.del_max_depth));
  const detail = { depth: hops.length };
  if (hops.length > allowed)
    return refuse('depth_exceeded', `The tokens allow a depth of ${allowed} only.`, detail);
  const link = hops.findIndex(({ authority }) => authority.kind === 'too_deep');
  if (link < 0) return undefined;
  return refuse('depth_exceeded', 'No policy allows such a call in a chain that is so long.', {
    ...detail,
    link: hops.length - 1 - link,
  });
}

/** Step 14. */
export function checkNarrowing({ tokens }: Chain): Refusal | undefined {
  for (const [index, parent] of tokens.entries()) {
    const child = tokens[index + 1];
    const refusal = child && checkNarrower(child.claims, parent.claims);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Step 15, for the first agent. A tree of a user is begun by the service, which looks at `onBehalfOf`. */
export function checkRoot(
  { tokens }: Chain,
  hops: readonly AuthorisedHop[],
  policies: TokenPolicies,
): Refusal | undefined {
  if (tokens[0].claims.sub_id !== undefined || policies.mayOriginate(hops[0]?.from ?? '')) return undefined;
  return refuse('root_not_allowed', 'The first agent may act only on behalf of a caller.');
}

/** Step 15, for the calls when not all of them are allowed. */
export function notDelegable(hops: readonly AuthorisedHop[]): Refusal {
  const index = hops.findIndex(({ authority }) => authority.kind === 'not_granted');
  const message =
    hops[index]?.edge === undefined
      ? 'No policy lets one agent of the chain delegate to the next.'
      : 'No rule allows all that a token of the chain says.';
  return refuse('not_delegable', message, { link: hops.length - 1 - index });
}

/** Step 16. */
export function checkAsked(granted: readonly GrantedCapability[], asked: AskedNow): Refusal | undefined {
  const capability = granted.find(({ name }) => name === asked.name);
  if (capability === undefined)
    return refuse('capability_not_granted', 'The token does not grant what is asked, or only to pass it on.');
  if (asked.isResourceLater) return undefined;
  const { resource = '*' } = asked;
  if (isResource(resource) && resourcesContain(capability.resources, resource)) return undefined;
  return refuse('resource_not_granted', 'The token grants it, not on this resource.');
}
