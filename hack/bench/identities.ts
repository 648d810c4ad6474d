/**
 * From `kubectl apply` to Ready, for many identities at once.
 *
 * The floor makes the same objects through the same transport, with the same number of connections and nothing else: a
 * create of the AgentIdentity, a create of each of its two Secrets, an apply of its status. It is measured before and after the
 * operator's run on the same API server, and the faster of the two counts.
 */

import { AGENT_IDENTITY } from '../../src/api/group.ts';
import { NETWORK_POLICY } from '../../src/controllers/mesh/kinds.ts';
import { meshObjectName } from '../../src/domain/mesh/names.ts';
import { SECRET, SERVICE_ACCOUNT } from '../../src/kube/core-types.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { installChart } from '../operator/install-chart.ts';
import type { OperatorProcess } from '../operator/operator-process.ts';
import { countsSince, type WriteCounts } from './api-server-counts.ts';
import {
  type BenchCluster,
  clusterWrites,
  peakMemoryMiB,
  startBenchOperator,
  WORKERS,
  watchReady,
  withBenchCluster,
} from './bench-cluster.ts';
import { concurrently } from './concurrently.ts';
import { measureFloor } from './identities-floor.ts';
import { type BenchRow, percentile } from './row.ts';

const WARM_UP = 100;
const AGENTS = 'bench-agents';
const FLOOR = 'bench-floor';
const READY_TIMEOUT_MS = 20 * 60_000;

/** Measures `count` identities. */
export async function benchIdentities({ count }: { readonly count: number }): Promise<readonly BenchRow[]> {
  return withBenchCluster((cluster) => measure({ ...cluster, count }));
}

interface Bench extends BenchCluster {
  readonly count: number;
}

async function measure(bench: Bench): Promise<readonly BenchRow[]> {
  await prepare(bench);
  const { count } = bench;
  await floor(bench, WARM_UP);
  const before = await floor(bench, count);
  const run = await measureOperator(bench);
  const after = await floor(bench, count);
  const floorSeconds = Math.min(before, after);
  const restart = await measureRestart(bench);
  const kept = (run.writes.get('secrets') ?? 0) + (run.writes.get('agentidentities/status') ?? 0);
  const apart = ['events', 'configmaps', 'leases'].map(
    (resource) => `${run.writes.get(resource) ?? 0} ${resource}`,
  );
  console.log(
    `${count} identities; writes beside Secrets and status: ${apart.join(', ')}; floors ${before.toFixed(2)} s and ${after.toFixed(2)} s`,
  );
  return [
    {
      name: 'ready',
      value: run.seconds,
      unit: 's',
      floor: floorSeconds,
      ratio: run.seconds / floorSeconds,
      goal: 'ratio at most 1.5, aim 1.3',
    },
    {
      name: 'writes-per-identity',
      value: kept / count,
      unit: 'writes',
      goal: 'at most 3: the certificate, the signing key, status',
    },
    { name: 'ready-p50', value: percentile(run.latenciesMs, 0.5), unit: 'ms' },
    { name: 'ready-p95', value: percentile(run.latenciesMs, 0.95), unit: 'ms' },
    { name: 'ready-p99', value: percentile(run.latenciesMs, 0.99), unit: 'ms' },
    {
      name: 'peak-memory',
      value: Math.max(run.peakMiB, restart.peakMiB),
      unit: 'MiB',
      goal: 'under 256 with 10,000, aim 200',
    },
    { name: 'restart-synced', value: restart.seconds, unit: 's' },
    { name: 'restart-writes', value: restart.writes, unit: 'writes', goal: '0' },
  ];
}

/** Measures the floor, and takes away what it made: the operator would report on it. */
async function floor({ client }: Bench, count: number): Promise<number> {
  const seconds = await measureFloor({ client, namespace: FLOOR, count, workers: WORKERS, prefix: 'agent' });
  // One by one: deleting a collection of 10,000 takes longer than an answer may.
  await concurrently(count, WORKERS, async (index) => {
    await client.delete(AGENT_IDENTITY, { namespace: FLOOR, name: `agent-${index}` });
    await client.delete(SECRET, { namespace: FLOOR, name: `agent-${index}-tls` });
    await client.delete(SECRET, { namespace: FLOOR, name: `agent-${index}-signing` });
    const wall = meshObjectName('net', { namespace: FLOOR, name: `agent-${index}` });
    await client.delete(NETWORK_POLICY, { namespace: FLOOR, name: wall });
  });
  return seconds;
}

async function prepare({ controlPlane, client, count }: Bench): Promise<void> {
  for (const namespace of [AGENTS, FLOOR]) await controlPlane.kubectl(['create', 'namespace', namespace]);
  await installChart({ kubeconfigPath: controlPlane.kubeconfigPath, namespaces: [AGENTS] });
  await concurrently(count, WORKERS, (index) =>
    client.create(SERVICE_ACCOUNT, { metadata: { name: `agent-${index}`, namespace: AGENTS } }),
  );
}

function startOperator(
  bench: Bench,
  isReady: (operator: OperatorProcess) => Promise<boolean>,
): Promise<OperatorProcess> {
  return startBenchOperator(bench, { namespace: AGENTS, isReady, timeoutMs: READY_TIMEOUT_MS });
}

interface OperatorRun {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
  readonly writes: WriteCounts;
  readonly peakMiB: number;
}

async function measureOperator(bench: Bench): Promise<OperatorRun> {
  const { client, count } = bench;
  const operator = await startOperator(bench, leads);
  const before = await clusterWrites(bench);
  const watch = await watchReady(bench, {
    type: AGENT_IDENTITY,
    namespace: AGENTS,
    count,
    timeoutMs: READY_TIMEOUT_MS,
  });
  const createdAtMs = new Map<string, number>();
  const startedMs = performance.now();
  await concurrently(count, WORKERS, async (index) => {
    const name = `agent-${index}`;
    await client.create<KubeObject & { readonly spec: object }>(AGENT_IDENTITY, {
      metadata: { name, namespace: AGENTS },
      spec: {},
    });
    createdAtMs.set(name, performance.now());
  });
  const readyAtMs = await watch.allReady;
  const seconds = (performance.now() - startedMs) / 1000;
  // Events trail behind; they are counted too.
  const writes = countsSince(before, await clusterWrites(bench));
  const peakMiB = peakMemoryMiB(operator.pid);
  await operator.stop();
  const latenciesMs = [...readyAtMs].map(([name, atMs]) =>
    Math.max(0, atMs - (createdAtMs.get(name) ?? atMs)),
  );
  return { seconds, latenciesMs, writes, peakMiB };
}

async function measureRestart(
  bench: Bench,
): Promise<{ readonly seconds: number; readonly writes: number; readonly peakMiB: number }> {
  const before = await clusterWrites(bench);
  const startedMs = performance.now();
  const operator = await startOperator(bench, async (each) => {
    const done = await each.metric('controller_runtime_reconcile_total', 'controller="agentidentity"');
    return done >= bench.count && (await each.metric('workqueue_depth', 'name="agentidentity"')) === 0;
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const written = countsSince(before, await clusterWrites(bench));
  const peakMiB = peakMemoryMiB(operator.pid);
  await operator.stop();
  const writes =
    (written.get('secrets') ?? 0) +
    (written.get('agentidentities/status') ?? 0) +
    (written.get('events') ?? 0);
  return { seconds, writes, peakMiB };
}

async function leads(operator: OperatorProcess): Promise<boolean> {
  return (await operator.isReady()) && (await operator.metric('leader_election_master_status')) === 1;
}
