/** Why a capability of a rule is not granted, or not in full, over an edge: as data, and in words with the way out. */

import type { Capability } from '../capability/capability.ts';
import { allowsUse } from '../capability/capability-set.ts';
import { type Resources, resourcesBeyond } from '../capability/resource.ts';
import { consents, type Holder } from './edge.ts';
import type { AgentId, WithheldReason } from './facts.ts';

/** So many resources or boundaries are named in one message. */
const MAX_NAMED = 3;

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
  const atSource = source === undefined ? notFound(from) : notServed(source);
  if (source === undefined || atSource !== undefined) return atSource;
  if (from === to)
    return { reason: 'GrantsNothing', message: `${from} cannot delegate to itself: take it out of "to"` };
  const atTarget = target === undefined ? notFound(to) : notServed(target);
  if (target === undefined || atTarget !== undefined) return atTarget;
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

/** What of `wanted` is lost against `held`; with no limit of its own nothing can be. */
function cutOf(held: Resources, wanted: Resources): readonly string[] {
  return resourcesBeyond(held, wanted ?? []);
}

/** The first of them in words. */
function nameSome(resources: Resources): string {
  const all = resources ?? ['everything'];
  const more = all.length - MAX_NAMED;
  return `${all.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function lacking(
  { id, facts, ceiling, held, limits }: Holder,
  wanted: Capability,
  reason: WithheldReason,
  use: 'Delegate' | undefined,
): Withheld | undefined {
  const { name } = wanted;
  const own = ceiling.get(name);
  if (own === undefined) {
    const message = `${id} does not hold ${name}: add it to spec.capabilities of AgentIdentity ${id}, or take it out of the rule`;
    return { reason, message };
  }
  if (use !== undefined && !allowsUse(own.use, use)) {
    const message = `${id} holds ${name} for ${own.use} only and may not pass it on: take "use" out of its entry in AgentIdentity ${id}, or take ${name} out of the rule`;
    return { reason, message };
  }
  const cut = cutOf(own.resources, wanted.resources);
  if (cut.length > 0) {
    const message = `${id} holds ${name} on ${nameSome(own.resources)}, not on ${nameSome(cut)}: narrow the resources of the rule, or widen them in AgentIdentity ${id}`;
    return { reason, message };
  }
  return outsideBoundary({ facts, held, limits }, wanted);
}

function outsideBoundary(
  { facts: { namespace }, held, limits }: Pick<Holder, 'facts' | 'held' | 'limits'>,
  { name, resources }: Capability,
): Withheld | undefined {
  const left = held.get(name);
  const cut = cutOf(left?.resources, resources);
  if (left !== undefined && cut.length === 0) return undefined;
  const reason = 'OutsideBoundary';
  if (limits.boundaries.length === 0) {
    const message = `agents of namespace ${namespace} hold no ${name}, because boundary.required is set and no CapabilityBoundary selects it: let one select it`;
    return { reason, message };
  }
  const leaves =
    left === undefined ? `no ${name}` : `${name} on ${nameSome(left.resources)}, not on ${nameSome(cut)},`;
  const message = `CapabilityBoundary ${nameSome(limits.boundaries)} leaves ${leaves} to agents of namespace ${namespace}: widen the boundary, or take it out of the rule`;
  return { reason, message };
}

function notServed({ id, facts }: Holder): Withheld | undefined {
  if (facts.isServed) return undefined;
  const message = `${id} is cut off, being deleted or not valid, and holds nothing: see its conditions`;
  return { reason: 'GrantsNothing', message };
}

function notFound(id: AgentId): Withheld {
  return {
    reason: 'NotFound',
    message: `AgentIdentity ${id} does not exist: create it, or correct the rule`,
  };
}
