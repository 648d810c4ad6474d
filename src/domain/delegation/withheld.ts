/** Why a capability of a rule is not granted, or not in full, over an edge: as data, and in words with the way out. */

import type { Capability } from '../capability/capability.ts';
import { allowsUse } from '../capability/capability-set.ts';
import { type Resources, resourcesContain } from '../capability/resource.ts';
import { consents, type Holder } from './edge.ts';
import type { AgentId, WithheldReason } from './facts.ts';

/** What stands in the way of one capability, or of an edge as a whole. */
export interface Withheld {
  readonly reason: WithheldReason;
  /** One sentence without its full stop: who lacks what, and the way out. */
  readonly message: string;
}

/** The agents of an edge; a holder is undefined when there is no such agent. */
export interface EdgeEnds {
  readonly from: AgentId;
  readonly to: AgentId;
  readonly source: Holder | undefined;
  readonly target: Holder | undefined;
}

/** What keeps an edge from granting anything at all, whatever the capability; undefined for nothing. */
export function edgeWithheld({ from, to, source, target }: EdgeEnds): Withheld | undefined {
  if (source === undefined) return notFound(from);
  if (from === to)
    return { reason: 'GrantsNothing', message: `${from} cannot delegate to itself: take it out of "to"` };
  if (target === undefined) return notFound(to);
  if (consents(target.facts, source.facts)) return undefined;
  const { namespace, name } = source.facts;
  const message = `${to} does not accept delegations from ${from}: add {namespace: ${namespace}, agents: [${name}]} to spec.acceptFrom of AgentIdentity ${to}`;
  return { reason: 'NotAccepted', message };
}

/** What the delegating agent lacks of a capability that it should pass on. */
export function lackingAtSource(source: Holder, wanted: Capability): Withheld | undefined {
  return lacking(source, wanted, 'NotInCeilingOfFrom', 'Delegate');
}

/** What a target lacks of a capability that it should get. */
export function lackingAtTarget(target: Holder, wanted: Capability): Withheld | undefined {
  return lacking(target, wanted, 'NotInAnyCeiling', undefined);
}

/** Whether anything of `wanted` is lost against `held`; with no limit of its own nothing can be. */
function isCut(held: Resources, wanted: Resources): boolean {
  if (wanted === undefined) return false;
  return !wanted.every((pattern) => resourcesContain(held, pattern));
}

function lacking(
  { id, facts, ceiling, held, limits }: Holder,
  wanted: Capability,
  reason: WithheldReason,
  use: 'Delegate' | undefined,
): Withheld | undefined {
  const { name } = wanted;
  if (!facts.isServed) {
    const message = `${id} is cut off, being deleted or not valid, and holds nothing: see its conditions`;
    return { reason: 'GrantsNothing', message };
  }
  const own = ceiling.get(name);
  if (own === undefined) {
    const message = `${id} does not hold ${name}: add it to spec.capabilities of AgentIdentity ${id}, or take it out of the rule`;
    return { reason, message };
  }
  if (use !== undefined && !allowsUse(own.use, use)) {
    const message = `${id} holds ${name} for ${own.use} only and may not pass it on: take "use" out of its entry in AgentIdentity ${id}, or take ${name} out of the rule`;
    return { reason, message };
  }
  if (isCut(own.resources, wanted.resources)) {
    const message = `${id} holds ${name} on ${(own.resources ?? []).join(', ')} only: narrow the resources of the rule, or widen them in AgentIdentity ${id}`;
    return { reason, message };
  }
  const left = held.get(name);
  if (left !== undefined && !isCut(left.resources, wanted.resources)) return undefined;
  const leaves =
    left === undefined
      ? `does not leave ${name}`
      : `leaves ${name} on ${(left.resources ?? []).join(', ')} only`;
  const who =
    limits.boundaries.length === 0
      ? 'no CapabilityBoundary selects it, and boundary.required is set, which'
      : `CapabilityBoundary ${limits.boundaries.join(', ')}`;
  const message = `${who} ${leaves} to agents of namespace ${facts.namespace}: widen the boundary, or take it out of the rule`;
  return { reason: 'OutsideBoundary', message };
}

function notFound(id: AgentId): Withheld {
  return {
    reason: 'NotFound',
    message: `AgentIdentity ${id} does not exist: create it, or correct the rule`,
  };
}
