/** What a token says when whoever asks for it leaves out the resources: all that may be passed on. */

import { intersectResources } from '../domain/capability/resource.ts';
import type { EdgeGrant } from '../domain/delegation/facts.ts';
import { type CapabilityClaims, type GrantedCapability, grantedBy } from '../domain/token/claims.ts';
import type { TokenEdge } from '../domain/token/state/policy-file.ts';
import type { WantedCapability } from './http/agent-core.ts';

/**
 * Fills in resources.
 *
 * @param edge Undefined when nothing may be delegated.
 * @param parent Claims of the token that the new one is made from, if any.
 * @returns What to try, in this order: one for each rule of the edge that knows all names, or else one that will be refused
 *   for what is really missing.
 */
export function capabilitiesFor(
  wanted: readonly WantedCapability[],
  edge: TokenEdge | undefined,
  parent: CapabilityClaims | undefined,
): readonly (readonly GrantedCapability[])[] {
  const held = parent && grantedBy(parent);
  const fill = (grant: EdgeGrant | undefined): readonly GrantedCapability[] =>
    wanted.map(({ name, resources }) => ({ name, resources: resources ?? passable(name, grant, held) }));
  if (wanted.every(({ resources }) => resources !== undefined)) return [fill(undefined)];
  const grants = edge?.grants ?? [];
  const able = grants.filter(({ capabilities }) =>
    wanted.every(({ name }) => capabilities.some((capability) => capability.name === name)),
  );
  return able.length === 0 ? [fill(grants[0])] : able.map(fill);
}

/** What rule and parent have in common; where that is nothing, what the rule has, so that the parent is what refuses. */
function passable(
  name: string,
  grant: EdgeGrant | undefined,
  held: readonly GrantedCapability[] | undefined,
): readonly string[] {
  const granted = grant?.capabilities.find((capability) => capability.name === name)?.resources;
  const common = intersectResources(granted, held?.find((capability) => capability.name === name)?.resources);
  return common === undefined || common.length === 0 ? (granted ?? ['*']) : common;
}
