/** What an edge would grant beyond what it grants, and how that is said. */

import type { CapabilityUse } from '../capability/capability.ts';
import { allowsUse, isSameResources } from '../capability/capability-set.ts';
import { intersectResources, type Resources, resourcesBeyond } from '../capability/resource.ts';
import { grantedFor } from '../delegation/chain.ts';
import type { AgentId, EdgeGrant, EffectiveEdge } from '../delegation/facts.ts';
import type { TravelPaths, Upstream } from './travel-path.ts';
import { agentName, namedSome } from './wording.ts';

/** One capability that an agent would get from another, or more of it. */
export interface Gain extends Gained {
  readonly from: AgentId;
  readonly to: AgentId;
}

/** What of it. */
interface Gained {
  readonly name: string;
  /** Only those that are new; undefined where there would be no limit any more. */
  readonly resources: Resources;
  /** Absent: for both. */
  readonly use?: CapabilityUse;
}

/** Grants of an edge before and after. */
interface Grants {
  readonly old: readonly EdgeGrant[];
  readonly fresh: readonly EdgeGrant[];
}

/** Compares edges, one after the other. Most targets of a rule are granted the same, which is then looked at once. */
export class GainFinder {
  #last: Grants & { readonly gained: readonly Gained[] } = { old: [], fresh: [], gained: [] };

  /** By name of the capability. Seen the other way round, they are the losses. */
  gainsOf(before: EffectiveEdge | undefined, after: EffectiveEdge | undefined): readonly Gain[] {
    if (after === undefined) return [];
    const { grants: old = [] } = before ?? {};
    const fresh = after.grants.filter((grant) => !old.includes(grant));
    if (!isSameList(fresh, this.#last.fresh) || !isSameList(old, this.#last.old)) {
      this.#last = { old, fresh, gained: gainedBy({ old, fresh }) };
    }
    const { from, to } = after;
    return this.#last.gained.map((gained) => ({ from, to, ...gained }));
  }
}

function isSameList(a: readonly EdgeGrant[], b: readonly EdgeGrant[]): boolean {
  return a.length === b.length && a.every((grant, index) => grant === b[index]);
}

function gainedBy({ old, fresh }: Grants): readonly Gained[] {
  if (fresh.length === 0) return [];
  const [invoke, delegate] = [gainedFor('Invoke', old, fresh), gainedFor('Delegate', old, fresh)];
  return [...new Set([...invoke.keys(), ...delegate.keys()])].sort().flatMap((name) => {
    const resources = invoke.get(name);
    if (invoke.has(name) && delegate.has(name) && isSameResources(resources, delegate.get(name))) {
      return [{ name, resources }];
    }
    return [
      ...(invoke.has(name) ? [{ name, resources, use: 'Invoke' as const }] : []),
      ...(delegate.has(name) ? [{ name, resources: delegate.get(name), use: 'Delegate' as const }] : []),
    ];
  });
}

function gainedFor(
  use: CapabilityUse,
  old: readonly EdgeGrant[],
  fresh: readonly EdgeGrant[],
): ReadonlyMap<string, Resources> {
  const had = grantedFor(old, use);
  const gained = new Map<string, Resources>();
  for (const [name, resources] of grantedFor(fresh, use)) {
    const before = had.get(name);
    if (!had.has(name)) gained.set(name, resources);
    else if (isSameResources(before, resources)) continue;
    else if (resources === undefined) gained.set(name, undefined);
    else {
      const beyond = resourcesBeyond(before, resources);
      if (beyond.length > 0) gained.set(name, beyond);
    }
  }
  return gained;
}

/** How gains are told. */
export interface GainTeller {
  /** As they would be. */
  readonly edges: Upstream;
  /** Over these edges. */
  readonly paths: TravelPaths;
  /** Of the people who read it; undefined for those of the cluster. */
  readonly namespace: string | undefined;
}

/** Who gains what through whom by which rule, and the chain by which it comes; one sentence without its full stop. */
export function gainInWords(gain: Gain, { edges, paths, namespace }: GainTeller): string {
  const { from, to, name, resources, use } = gain;
  const grant = edges.edge(from, to)?.grants.find((each) => gives(each, gain));
  const path = paths.of({ from, to, name, resources, maxDepth: grant?.maxDepth ?? 1 });
  const [giver, taker] = [from, to].map((id) => agentName(id, namespace));
  const what = `${name}${use === undefined ? '' : ` for ${use}`}${resources === undefined ? '' : ` on ${namedSome(resources)}`}`;
  const chain = path.map((id) => agentName(id, namespace)).join(' -> ');
  return `${taker} gains ${what} through ${giver} (${ruleInWords(grant)}): ${chain}`;
}

function gives({ capabilities }: EdgeGrant, { name, resources, use }: Gain): boolean {
  return capabilities.some(
    (held) =>
      held.name === name &&
      (use === undefined || allowsUse(held.use, use)) &&
      (resources === undefined
        ? held.resources === undefined
        : intersectResources(held.resources, resources)?.length !== 0),
  );
}

function ruleInWords(grant: EdgeGrant | undefined): string {
  return grant?.ruleName === undefined
    ? `policy ${grant?.policy}, rules[${grant?.rule}]`
    : `rule "${grant.ruleName}"`;
}
