/**
 * From `kubectl apply` to Ready, for many DelegationPolicies at once.
 *
 * The floor makes the same objects through the same transport, with the same number of connections and nothing else: a
 * create of each policy and an apply of its status. It is measured before and after the operator's run on the same API
 * server, and the faster of the two counts.
 */

import type { DelegationPolicy } from '../../src/api/delegation-policy.ts';
import { AGENT_IDENTITY, DELEGATION_POLICY } from '../../src/api/group.ts';
import { policyStatus } from '../../src/controllers/delegation/policy-status.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import { installChart } from '../operator/install-chart.ts';
import type { OperatorProcess } from '../operator/operator-process.ts';
import { countsSince, type WriteCounts } from './api-server-counts.ts';
import {
  type BenchCluster,
  clusterWrites,
  startBenchOperator,
  WORKERS,
  watchReady,
  withBenchCluster,
} from './bench-cluster.ts';
import { concurrently } from './concurrently.ts';
import type { BenchRow } from './row.ts';

const WARM_UP = 100;
const AGENTS = 100;
const NAMESPACE = 'bench-policies';
const FLOOR = 'bench-floor';
const TIMEOUT_MS = 10 * 60_000;

interface Bench extends BenchCluster {
  readonly count: number;
}

/** Measures `count` policies over a hundred agents, each policy with one rule for three of them. */
export async function benchPolicies({ count }: { readonly count: number }): Promise<readonly BenchRow[]> {
  return withBenchCluster((cluster) => measure({ ...cluster, count }));
}

async function measure(bench: Bench): Promise<readonly BenchRow[]> {
  await prepare(bench);
  const { count } = bench;
  await measureFloor(bench, WARM_UP);
  const before = await measureFloor(bench, count);
  const { seconds, writes } = await measureOperator(bench);
  const floor = Math.min(before, await measureFloor(bench, count));
  const statuses = writes.get('delegationpolicies/status') ?? 0;
  return [
    {
      name: 'policies-ready',
      value: seconds,
      unit: 's',
      floor,
      ratio: seconds / floor,
      goal: 'ratio at most 1.5',
    },
    {
      name: 'policies-writes-per-policy',
      value: statuses / count,
      unit: 'writes',
      floor: 1,
      ratio: statuses / count,
      goal: '1',
    },
  ];
}

async function prepare({ controlPlane, client }: Bench): Promise<void> {
  for (const namespace of [NAMESPACE, FLOOR]) await controlPlane.kubectl(['create', 'namespace', namespace]);
  await installChart({ kubeconfigPath: controlPlane.kubeconfigPath, namespaces: [NAMESPACE] });
  await concurrently(AGENTS, WORKERS, (index) =>
    client.create<KubeObject & { readonly spec: object }>(AGENT_IDENTITY, {
      metadata: { name: `agent-${index}`, namespace: NAMESPACE },
      spec: { capabilities: [{ name: 'kubectl_get' }, { name: 'kubectl_apply' }] },
    }),
  );
}

function policyOf(namespace: string, index: number): KubeObject & Pick<DelegationPolicy, 'spec'> {
  const agent = (offset: number): string => `agent-${(index + offset) % AGENTS}`;
  // Each again names other targets, so that no two policies grant the same edges.
  const round = Math.floor(index / AGENTS);
  const to = [0, 1, 2].map((offset) => agent(1 + ((3 * round + offset) % (AGENTS - 1))));
  const capabilities = [
    { name: 'kubectl_get' },
    { name: 'kubectl_apply', resources: ['namespaces/staging/*'] },
  ];
  return {
    metadata: { name: `policy-${index}`, namespace },
    spec: { rules: [{ from: agent(0), to, capabilities }] },
  };
}

/** Seconds for `count` policies and their statuses. What it made is taken away: the operator would report on it. */
async function measureFloor({ client }: Bench, count: number): Promise<number> {
  const report = { edgeCount: 3, emptyEdges: 0, longestChain: 2, problems: [] };
  const startedMs = performance.now();
  await concurrently(count, WORKERS, async (index) => {
    const policy = (await client.create<KubeObject>(
      DELEGATION_POLICY,
      policyOf(FLOOR, index),
    )) as DelegationPolicy;
    const { name, namespace, uid } = policy.metadata;
    const status = policyStatus(
      policy,
      { acceptance: { kind: 'accepted' }, missing: [], report },
      Date.now(),
    );
    await client.applyStatus(DELEGATION_POLICY, { metadata: { name, namespace, uid }, status });
  });
  const seconds = (performance.now() - startedMs) / 1000;
  await concurrently(count, WORKERS, (index) =>
    client.delete(DELEGATION_POLICY, { namespace: FLOOR, name: `policy-${index}` }),
  );
  return seconds;
}

async function measureOperator(
  bench: Bench,
): Promise<{ readonly seconds: number; readonly writes: WriteCounts }> {
  const operator = await startOperator(bench);
  const before = await clusterWrites(bench);
  const { allReady } = await watchReady(bench, {
    type: DELEGATION_POLICY,
    namespace: NAMESPACE,
    count: bench.count,
    timeoutMs: TIMEOUT_MS,
  });
  const startedMs = performance.now();
  await concurrently(bench.count, WORKERS, (index) =>
    bench.client.create(DELEGATION_POLICY, policyOf(NAMESPACE, index)),
  );
  await allReady;
  const seconds = (performance.now() - startedMs) / 1000;
  await settled(operator);
  const writes = countsSince(before, await clusterWrites(bench));
  await operator.stop();
  return { seconds, writes };
}

/** Resolves when it leads and has nothing left to do about the agents. */
async function startOperator(bench: Bench): Promise<OperatorProcess> {
  const operator = await startBenchOperator(bench, {
    namespace: NAMESPACE,
    isReady: async (each) =>
      (await each.metric('controller_runtime_reconcile_total', 'controller="agentidentity"')) >= AGENTS,
    timeoutMs: TIMEOUT_MS,
  });
  await settled(operator);
  return operator;
}

async function settled(operator: OperatorProcess): Promise<void> {
  const isIdle = async (): Promise<boolean> =>
    (await operator.metric('workqueue_depth')) === 0 &&
    (await operator.metric('workqueue_unfinished_work_seconds')) === 0;
  if (!(await waitUntil(isIdle, { timeoutMs: TIMEOUT_MS }))) throw new Error('the operator did not settle');
}
