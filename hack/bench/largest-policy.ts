/** One DelegationPolicy as large as the schema allows, put into the graph and reported on: nothing else runs meanwhile. */

import type { AgentFacts, AgentId, PolicyFacts } from '../../src/domain/delegation/facts.ts';
import { DelegationGraph } from '../../src/domain/delegation/graph.ts';
import type { BenchRow } from './row.ts';

const RULES = 256;
const TARGETS = 64;
const CAPABILITIES = 20;
const RESOURCES = 32;
const RUNS = 3;
const TOKENS = { maxTtlSeconds: 300, maxUses: 5 };

/**
 * Measures, the fastest of three runs:
 *
 * - `largest-policy`: `putPolicy` and `policyReport` of 256 rules with 64 targets, 20 capabilities and 32 resources each,
 *   among targets that all hold the same. Floor: the facts copied.
 * - `largest-policy-unlike`: the same among targets of which each has its own ceiling.
 */
export function benchLargestPolicy(): readonly BenchRow[] {
  const policy = largestPolicy();
  const floor = fastestMs(() => policy, structuredClone);
  const row = (name: string, ownOf: (agent: number) => number): BenchRow => {
    const value = fastestMs(
      () => graphOfTargets(ownOf),
      (graph) => {
        graph.putPolicy(structuredClone(policy));
        const { edgeCount } = graph.policyReport('agents/largest') ?? {};
        if (edgeCount !== RULES * TARGETS)
          throw new Error(`${edgeCount} edges instead of ${RULES * TARGETS}`);
      },
    );
    return { name, value, unit: 'ms', floor, ratio: value / floor, goal: 'at most 1000 ms' };
  };
  return [row('largest-policy', () => 0), row('largest-policy-unlike', (agent) => agent)];
}

function largestPolicy(): PolicyFacts {
  const to = Array.from({ length: TARGETS }, (_, index): AgentId => `agents/target-${index}`);
  const rules = Array.from({ length: RULES }, (_, index) => ({
    from: `source-${index}`,
    to,
    capabilities: capabilities((resource) => `/d${resource}/x`),
    tokens: TOKENS,
  }));
  return { namespace: 'agents', name: 'largest', maxDepth: 2, rules };
}

/** Without the policy. Half of what a target holds contains what rules ask for. */
function graphOfTargets(ownOf: (agent: number) => number): DelegationGraph {
  const graph = new DelegationGraph();
  graph.putNamespace('agents', {});
  for (let index = 0; index < RULES; index++) {
    graph.putAgent(
      agent(
        `source-${index}`,
        capabilities(() => '*'),
      ),
    );
  }
  for (let index = 0; index < TARGETS; index++) {
    const ceiling = capabilities((resource) =>
      resource % 2 === 0 ? `/d${resource}/*` : `/own-${ownOf(index)}/d${resource}`,
    );
    graph.putAgent(agent(`target-${index}`, ceiling));
  }
  return graph;
}

function capabilities(resourceOf: (resource: number) => string): AgentFacts['capabilities'] {
  return Array.from({ length: CAPABILITIES }, (_, capability) => ({
    name: `capability-${capability}`,
    resources: Array.from({ length: RESOURCES }, (_each, resource) => resourceOf(resource)),
  }));
}

function agent(name: string, ceiling: AgentFacts['capabilities']): AgentFacts {
  return {
    namespace: 'agents',
    name,
    isServed: true,
    capabilities: ceiling,
    acceptFrom: [],
    tokens: TOKENS,
  };
}

function fastestMs<T>(make: () => T, run: (made: T) => unknown): number {
  const tookMs = Array.from({ length: RUNS }, () => {
    const made = make();
    const startedMs = performance.now();
    run(made);
    return performance.now() - startedMs;
  });
  return Math.min(...tookMs);
}
