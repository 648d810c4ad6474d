/** What of an edit of a boundary is legal and worth knowing. */

import { isDeepStrictEqual } from 'node:util';
import type { NamespaceLimits } from '../delegation/boundary.ts';
import { type Holder, holderOf } from '../delegation/edge.ts';
import type { AgentId, BoundaryFacts } from '../delegation/facts.ts';
import { getOrInsert } from '../delegation/get-or-insert.ts';
import { selects } from '../delegation/label-selector.ts';
import type { Pair } from '../delegation/rule-index.ts';
import { affordable } from './affordable.ts';
import { pairsOf } from './agent-effects.ts';
import { effectWarnings, lossWarnings, type Teller, type Warning } from './effect-warnings.ts';
import { effectsOf, lossesOf } from './effects.ts';
import { Trial } from './trial.ts';

/** What a boundary is tried out on. */
export interface BoundaryTeller extends Teller {
  /** Labels of all namespaces, by name. */
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly agentsIn: (namespace: string) => readonly AgentId[];
}

/**
 * A selector that selects nothing, what edges lose and how many, and who gains what.
 *
 * @param before As it is stored, if it is.
 */
export function boundaryWarnings(
  before: BoundaryFacts | undefined,
  after: BoundaryFacts,
  teller: BoundaryTeller,
): readonly Warning[] {
  const { graph, namespaces } = teller;
  const changed = changedLimits(before, after, teller);
  const holders = new Map<AgentId, Holder | undefined>();
  const holder = (id: AgentId): Holder | undefined => {
    const limits = changed.get(id.slice(0, id.indexOf('/')));
    const facts = graph.agent(id);
    if (limits === undefined || facts === undefined) return undefined;
    const made = holders.get(id) ?? holderOf(facts, limits);
    holders.set(id, made);
    return made;
  };
  const trial = new Trial(graph, { holder });
  const touched = affordable(pairsIn(changed.keys(), teller), (pair) => trial.workOf(pair));
  const effects = effectsOf(graph, trial, touched.items);
  return [
    ...(isSelecting(after, namespaces)
      ? []
      : [() => 'spec.namespaceSelector selects no namespace that there is: it binds nobody yet']),
    ...lossWarnings(lossesOf(graph, trial, touched.items)),
    ...effectWarnings({ trial, effects, namespace: undefined, isAll: touched.isAll }, teller),
  ];
}

/** Limits of the namespaces that the edit makes otherwise. */
function changedLimits(
  before: BoundaryFacts | undefined,
  after: BoundaryFacts,
  { graph, namespaces }: BoundaryTeller,
): ReadonlyMap<string, NamespaceLimits> {
  const changed = new Map<string, NamespaceLimits>();
  // Namespaces that the same boundaries select share their limits: a thousand of them cost no more than one.
  const compared = new Map<NamespaceLimits, Map<NamespaceLimits, boolean>>();
  for (const [name, labels] of namespaces) {
    if (![before, after].some((each) => each && selects(each.namespaceSelector, labels))) continue;
    const limits = graph.limitsOf(name, after);
    const old = graph.limitsOf(name, before);
    const isSame = getOrInsert(
      getOrInsert(compared, old, () => new Map<NamespaceLimits, boolean>()),
      limits,
      () => isDeepStrictEqual(limits, old),
    );
    if (!isSame) changed.set(name, limits);
  }
  return changed;
}

/** Each pair of agents that rules name once, one of them at least in these namespaces. */
function* pairsIn(namespaces: Iterable<string>, { graph, agentsIn }: BoundaryTeller): Iterable<Pair> {
  const names = new Set(namespaces);
  for (const id of [...names].flatMap(agentsIn)) {
    for (const pair of pairsOf(id, graph)) {
      const isTold = pair.to === id && names.has(pair.from.slice(0, pair.from.indexOf('/')));
      if (!isTold) yield pair;
    }
  }
}

function isSelecting(
  { namespaceSelector }: BoundaryFacts,
  namespaces: BoundaryTeller['namespaces'],
): boolean {
  return [...namespaces.values()].some((labels) => selects(namespaceSelector, labels));
}
