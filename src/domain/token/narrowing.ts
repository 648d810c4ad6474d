/** Step 14: a child never has more than its parent; equal is not more. Minting asks the same. */

import { resourcesContain } from '../capability/resource.ts';
import { type CapabilityClaims, delegableUntil, grantedBy, usesOf } from './claims.ts';
import { type Refusal, refuse } from './refusal.ts';

/** What of a token can be wider than that of its parent. */
export type Narrowable = Pick<
  CapabilityClaims,
  'authorization_details' | 'exp' | 'del_exp' | 'max_uses' | 'del_max_depth'
>;

/** Whether a child has at most what its parent has; names what it has more of. */
export function checkNarrower(child: Narrowable, parent: Narrowable): Refusal | undefined {
  const wider = whatIsWider(child, parent);
  if (wider === undefined) return undefined;
  return refuse('not_narrower', `A token has more than the one it was made from: ${wider}.`, { wider });
}

function whatIsWider(child: Narrowable, parent: Narrowable): string | undefined {
  const held = new Map(grantedBy(parent).map(({ name, resources }) => [name, resources]));
  for (const { name, resources } of grantedBy(child)) {
    const outer = held.get(name);
    if (outer === undefined) return 'capabilities';
    if (!resources.every((pattern) => resourcesContain(outer, pattern))) return 'resources';
  }
  if (child.exp > delegableUntil(parent)) return 'exp';
  if (child.del_exp !== undefined && child.del_exp > delegableUntil(parent)) return 'del_exp';
  if (usesOf(child) > usesOf(parent)) return 'max_uses';
  return child.del_max_depth > parent.del_max_depth ? 'del_max_depth' : undefined;
}
