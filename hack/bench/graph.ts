/**
 * The delegation graph of many agents, ten edges for each: computed from nothing, after a change of one rule up to the
 * rendered objects of all targets that it touches, and how much memory it takes.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { AgentFacts, AgentId, PolicyFacts, RuleFacts } from '../../src/domain/delegation/facts.ts';
import { DelegationGraph } from '../../src/domain/delegation/graph.ts';
import type { MeshFacts, MeshPlan } from '../../src/domain/mesh/model.ts';
import { planMesh } from '../../src/domain/mesh/plan.ts';
import { resolveServer } from '../../src/domain/mesh/resolve-server.ts';
import { resolveTarget } from '../../src/domain/mesh/resolve-target.ts';
import { benchLargestPolicy } from './largest-policy.ts';
import { type BenchRow, percentile } from './row.ts';

const AGENTS_PER_NAMESPACE = 100;
const RULES_PER_POLICY = 10;
const TARGETS_PER_RULE = 10;
const CHANGES = 200;
const WARM_UP = 50;
const RUNS = 3;

const MESH: MeshFacts = {
  trustDomain: 'cluster.local',
  servesIstio: true,
  dataPlane: 'sidecar',
  authorizerProvider: 'agent-trust',
};
const SERVER = resolveServer(
  {
    capabilities: [{ name: 'read' }, { name: 'deploy' }],
    server: {
      routes: [
        { method: 'POST', path: '/v1/delegate' },
        { method: 'POST', path: '/v1/deploy', capability: 'deploy' },
      ],
    },
  },
  () => false,
);

/** The facts, as caches and the plugin hand them over. */
interface Swarm {
  readonly namespaces: readonly string[];
  readonly agents: readonly AgentFacts[];
  readonly policies: readonly PolicyFacts[];
}

/**
 * Measures the graph of `count` agents, rounded up to whole namespaces of a hundred. Each agent delegates to ten others
 * by one rule, one of them in the next namespace; a policy has ten rules.
 *
 * - `full`: every agent, namespace and policy put into an empty graph. Floor: the same edges, from the same facts, into
 *   plain maps that hold nothing but the rule.
 * - `one-rule-changed`: median of `putPolicy` with one rule that differs, and of rendering every target that changed.
 *   Floor: rendering those targets alone.
 * - `memory`: what the heap holds for the graph beside the facts. Floor: for the plain maps.
 * - `largest-policy` and `largest-policy-unlike`: see {@link benchLargestPolicy}.
 */
export async function benchGraph({ count }: { readonly count: number }): Promise<readonly BenchRow[]> {
  const swarm = makeSwarm(Math.ceil(count / AGENTS_PER_NAMESPACE));
  const floor = best(() => plainEdges(swarm));
  const full = best(() => fullGraph(swarm));
  const edges = swarm.agents.length * TARGETS_PER_RULE;
  if (full.made.edgeCount !== edges) throw new Error(`${full.made.edgeCount} edges instead of ${edges}`);
  const changes = measureChanges(full.made, swarm);
  const [changed, rendered] = [percentile(changes.totalMs, 0.5), percentile(changes.renderMs, 0.5)];
  console.log(
    `${swarm.agents.length} agents, ${edges} edges, ${swarm.policies.length} policies; a changed rule: p99 ${percentile(changes.totalMs, 0.99).toFixed(2)} ms`,
  );
  return [
    {
      name: 'full',
      value: full.seconds,
      unit: 's',
      floor: floor.seconds,
      ratio: full.seconds / floor.seconds,
      goal: 'a few seconds',
    },
    {
      name: 'one-rule-changed',
      value: changed,
      unit: 'ms',
      floor: rendered,
      ratio: changed / rendered,
      goal: 'at most 50 ms',
    },
    {
      name: 'memory',
      value: full.heapMiB,
      unit: 'MiB',
      floor: floor.heapMiB,
      ratio: full.heapMiB / floor.heapMiB,
    },
    ...benchLargestPolicy(),
  ];
}

function makeSwarm(namespaceCount: number): Swarm {
  const namespaces = Array.from({ length: namespaceCount }, (_, index) => `agents-${index}`);
  return {
    namespaces,
    agents: namespaces.flatMap((namespace, at) => {
      const before = namespaces.at(at - 1) ?? namespace;
      return Array.from({ length: AGENTS_PER_NAMESPACE }, (_, index) => makeAgent(namespace, before, index));
    }),
    policies: namespaces.flatMap((namespace, at) => {
      const next = namespaces[(at + 1) % namespaceCount] ?? namespace;
      return Array.from({ length: AGENTS_PER_NAMESPACE / RULES_PER_POLICY }, (_, index) =>
        makePolicy({ namespace, next }, index),
      );
    }),
  };
}

function makeAgent(namespace: string, before: string, index: number): AgentFacts {
  return {
    namespace,
    name: `agent-${index}`,
    isServed: true,
    capabilities: [
      { name: 'deploy', resources: [`namespaces/team-${index % 7}/*`, 'namespaces/staging/*'] },
      { name: 'query_database', resources: ['/data/reports/*'] },
      { name: 'read' },
    ],
    acceptFrom: [{ namespace: before }],
    tokens: { maxTtlSeconds: 300, maxUses: 5 },
  };
}

function makePolicy(
  { namespace, next }: { readonly namespace: string; readonly next: string },
  at: number,
): PolicyFacts {
  const rules = Array.from({ length: RULES_PER_POLICY }, (_, index): RuleFacts => {
    const from = at * RULES_PER_POLICY + index;
    const to = Array.from({ length: TARGETS_PER_RULE }, (_, step): AgentId => {
      const target = (from + 1 + step * 9) % AGENTS_PER_NAMESPACE;
      return `${step === 0 ? next : namespace}/agent-${target}`;
    });
    return {
      from: `agent-${from}`,
      to,
      capabilities: [{ name: 'query_database', resources: ['/data/reports/2026/*'] }, { name: 'read' }],
      tokens: { maxTtlSeconds: 120, maxUses: 1 },
    };
  });
  return { namespace, name: `policy-${at}`, maxDepth: 2, rules };
}

function fullGraph({ namespaces, agents, policies }: Swarm): DelegationGraph {
  const graph = new DelegationGraph();
  for (const namespace of namespaces) graph.putNamespace(namespace, {});
  for (const agent of agents) graph.putAgent(agent);
  for (const policy of policies) graph.putPolicy(policy);
  return graph;
}

/** The least that can be called a graph of these edges: both ends found by name, and the rule. */
function plainEdges({ agents, policies }: Swarm): unknown {
  const byId = new Map<AgentId, AgentFacts>();
  for (const agent of agents) byId.set(`${agent.namespace}/${agent.name}`, agent);
  const edges = new Map<AgentId, Map<AgentId, RuleFacts>>();
  for (const { namespace, rules } of policies) {
    for (const rule of rules) {
      const from: AgentId = `${namespace}/${rule.from}`;
      const targets = edges.get(from) ?? new Map<AgentId, RuleFacts>();
      edges.set(from, targets);
      for (const to of rule.to) if (byId.has(from) && byId.has(to)) targets.set(to, rule);
    }
  }
  return { byId, edges };
}

/** The fastest of a few runs, and what the first keeps in memory. */
function best<T>(make: () => T): { readonly made: T; readonly seconds: number; readonly heapMiB: number } {
  const before = heapMiB();
  const startedMs = performance.now();
  const made = make();
  let seconds = (performance.now() - startedMs) / 1000;
  const heap = heapMiB() - before;
  for (let run = 1; run < RUNS; run++) {
    const againMs = performance.now();
    make();
    seconds = Math.min(seconds, (performance.now() - againMs) / 1000);
  }
  return { made, seconds, heapMiB: heap };
}

function heapMiB(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

interface Changes {
  readonly totalMs: readonly number[];
  readonly renderMs: readonly number[];
}

/** Gives one rule of one policy after the other a capability that opens a route of its targets. */
function measureChanges(graph: DelegationGraph, { policies }: Swarm): Changes {
  const totalMs: number[] = [];
  const renderMs: number[] = [];
  for (let change = 0; change < WARM_UP + CHANGES; change++) {
    const policy = policies[(change * 37) % policies.length];
    if (policy === undefined) continue;
    const changed = withDeploy(policy, change);
    const startedMs = performance.now();
    const { targets } = graph.putPolicy(changed);
    const putMs = performance.now();
    const plans = [...targets].map((target) => planOf(graph, target));
    const endedMs = performance.now();
    if (plans.length !== TARGETS_PER_RULE) throw new Error(`a changed rule changed ${plans.length} targets`);
    graph.putPolicy(policy);
    if (change < WARM_UP) continue;
    totalMs.push(endedMs - startedMs);
    renderMs.push(endedMs - putMs);
  }
  return { totalMs, renderMs };
}

function withDeploy(policy: PolicyFacts, change: number): PolicyFacts {
  const at = change % RULES_PER_POLICY;
  const resources = [`namespaces/staging/release-${change}/*`];
  const rules = policy.rules.map((rule, index) =>
    index === at ? { ...rule, capabilities: [{ name: 'deploy', resources }, ...rule.capabilities] } : rule,
  );
  // Nothing is shared with what the graph has: an edit comes from the API server as a new object.
  return structuredClone({ ...policy, rules });
}

function planOf(graph: DelegationGraph, id: AgentId): MeshPlan {
  const [namespace = '', name = ''] = id.split('/');
  const target = resolveTarget({
    namespace,
    name,
    serviceAccountName: name,
    labels: { 'agenttrust.dev/managed': 'true', 'agenttrust.dev/agent': name },
    annotations: {},
    server: SERVER,
    refusal: undefined,
    edges: graph.edgesInto(id),
    accountOf: (agent) => {
      const [where = '', serviceAccountName = ''] = agent.split('/');
      return { namespace: where, serviceAccountName };
    },
  });
  return planMesh(target, MESH);
}
