/** What of an edit of an agent is legal and worth knowing. */

import { isDeepStrictEqual } from 'node:util';
import { capabilitySet, setContains } from '../capability/capability-set.ts';
import { resourcesBeyond } from '../capability/resource.ts';
import type { NamespaceLimits } from '../delegation/boundary.ts';
import { holderOf } from '../delegation/edge.ts';
import type { AgentFacts, AgentId } from '../delegation/facts.ts';
import type { DelegationGraph } from '../delegation/graph.ts';
import type { Pair } from '../delegation/rule-index.ts';
import { affordable } from './affordable.ts';
import { effectWarnings, type Teller, type Warning } from './effect-warnings.ts';
import { effectsOf } from './effects.ts';
import { Trial } from './trial.ts';
import { leftInWords } from './wording.ts';

/** An agent as it is, if it is, and as it would be. */
export interface AgentEdit {
  readonly before: AgentFacts | undefined;
  readonly after: AgentFacts;
}

/**
 * What of the ceiling is new and boundaries do not leave, then what others and the agent itself gain by it.
 *
 * Errors: none.
 */
export function agentWarnings(edit: AgentEdit, teller: Teller): readonly Warning[] {
  const { before, after } = edit;
  const { graph } = teller;
  if (isDeepStrictEqual(before, after)) return [];
  const id: AgentId = `${after.namespace}/${after.name}`;
  const limits = graph.limitsOf(after.namespace);
  const holder = holderOf(after, limits);
  const trial = new Trial(graph, { holder: (each) => (each === id ? holder : undefined) });
  const touched = affordable(pairsOf(id, graph), (pair) => trial.workOf(pair));
  const effects = effectsOf(graph, trial, touched.items);
  return [
    ...outsideBoundary(edit, limits),
    ...effectWarnings({ trial, effects, namespace: after.namespace, isAll: touched.isAll }, teller),
  ];
}

/** The pairs of agents that rules name, one of them this one. */
export function* pairsOf(id: AgentId, graph: DelegationGraph): Iterable<Pair> {
  for (const to of graph.targetsOf(id)) yield { from: id, to };
  for (const from of graph.sourcesOf(id)) yield { from, to: id };
}

function outsideBoundary({ before, after }: AgentEdit, limits: NamespaceLimits): readonly Warning[] {
  if (limits.capabilities === undefined) return [];
  const old = capabilitySet(before?.capabilities ?? []);
  return after.capabilities.flatMap((wanted) => {
    const { name, resources = [] } = wanted;
    const left = limits.capabilities?.get(name);
    const isNew = !setContains(old, capabilitySet([wanted]));
    if (!isNew || (left !== undefined && resourcesBeyond(left.resources, resources).length === 0)) return [];
    return () => `${name} is not held as it stands here: ${leftInWords(after.namespace, limits, name)}`;
  });
}
