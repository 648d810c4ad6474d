/** How soon the operator answers what must not wait: a wall that somebody opens, a revocation, a leader that dies. */

import { AGENT_IDENTITY, BUNDLE_NAME, TOKEN_REVOCATION } from '../../src/api/group.ts';
import type { ConfigMap } from '../../src/controllers/bundle/bundle-record.ts';
import { CONFIG_MAP, SECRET, SERVICE_ACCOUNT } from '../../src/kube/core-types.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import { openWall } from '../demo/tampering.ts';
import { installChart } from '../operator/install-chart.ts';
import type { OperatorProcess } from '../operator/operator-process.ts';
import { type BenchCluster, startBenchOperator, WORKERS, withBenchCluster } from './bench-cluster.ts';
import { concurrently } from './concurrently.ts';
import type { BenchRow } from './row.ts';

const NAMESPACE = 'bench-reactions';
const FLOOR = 'bench-floor';
const SAMPLES = 20;
const PATIENCE = { timeoutMs: 2 * 60_000, intervalMs: 5 };
/** The default of --lease-duration. */
const LEASE_SECONDS = 15;

interface Bench extends BenchCluster {
  readonly count: number;
}

/**
 * Measures in a namespace of `count` agents, twenty at least; the slowest of twenty, one after the other.
 *
 * - `wall-mended`: from a NetworkPolicy that lets everybody in, to what it was; twenty agents, since who opens one again and
 *   again makes the operator pause. Floor: two writes of some KiB.
 * - `revoked-in-bundle`: from a TokenRevocation to the bundle of its namespace. Floor as above.
 * - `taken-over`: from `kill -9` of the leader to the first certificate by the replica beside it; once. Floor: the life of a
 *   Lease.
 */
export async function benchReactions({ count }: { readonly count: number }): Promise<readonly BenchRow[]> {
  return withBenchCluster((cluster) => measure({ ...cluster, count: Math.max(count, SAMPLES) }));
}

async function measure(bench: Bench): Promise<readonly BenchRow[]> {
  const { controlPlane, client, count } = bench;
  for (const namespace of [NAMESPACE, FLOOR]) await controlPlane.kubectl(['create', 'namespace', namespace]);
  await installChart({ kubeconfigPath: controlPlane.kubeconfigPath, namespaces: [NAMESPACE] });
  await concurrently(count, WORKERS, (index) => createAgent(bench, `agent-${index}`));
  const leader = await startReplica(bench);
  const hasAll = async (): Promise<boolean> =>
    (await leader.metric('agent_trust_identities', 'reason="Issued"')) === count;
  await awaited('the agents to be ready', hasAll);

  const wallMs = await slowest((at) =>
    openWall({ client, hands: client }, { namespace: NAMESPACE, agent: `agent-${at}` }),
  );
  const revokedMs = await slowest((at) => revoke(bench, `token-${at}`));
  const bundle = await client.get<ConfigMap>(CONFIG_MAP, { namespace: NAMESPACE, name: BUNDLE_NAME });
  const writesMs = await slowest((at) => writeTwice(bench, `floor-${at}`, bundle.data));
  const seconds = await takeOver(bench, leader);
  return [
    row({ name: 'wall-mended', value: wallMs, unit: 'ms', floor: writesMs, goal: 'at most 2 s' }),
    row({ name: 'revoked-in-bundle', value: revokedMs, unit: 'ms', floor: writesMs, goal: 'at most 2 s' }),
    row({ name: 'taken-over', value: seconds, unit: 's', floor: LEASE_SECONDS, goal: 'at most 20 s' }),
  ];
}

function row(measured: Required<Omit<BenchRow, 'ratio'>>): BenchRow {
  return { ...measured, ratio: measured.value / measured.floor };
}

async function slowest(once: (at: number) => Promise<number>): Promise<number> {
  let mostMs = 0;
  for (let at = 0; at < SAMPLES; at++) mostMs = Math.max(mostMs, await once(at));
  return mostMs;
}

function startReplica(bench: Bench): Promise<OperatorProcess> {
  return startBenchOperator(bench, {
    namespace: NAMESPACE,
    isReady: (operator) => operator.isReady(),
    ...PATIENCE,
  });
}

async function createAgent({ client }: Bench, name: string): Promise<void> {
  await client.create(SERVICE_ACCOUNT, { metadata: { name, namespace: NAMESPACE } });
  await client.create<KubeObject & { readonly spec: object }>(AGENT_IDENTITY, {
    metadata: { name, namespace: NAMESPACE },
    spec: { capabilities: [{ name: 'kubectl_get' }] },
  });
}

/** Milliseconds until the bundle says it. */
async function revoke({ client }: Bench, tokenID: string): Promise<number> {
  const startedMs = performance.now();
  await client.create<KubeObject & { readonly spec: object }>(TOKEN_REVOCATION, {
    metadata: { name: tokenID, namespace: NAMESPACE },
    spec: { tokenID },
  });
  await awaited(`${tokenID} in the bundle`, async () => {
    const target = { namespace: NAMESPACE, name: BUNDLE_NAME };
    const { data } = await client.get<ConfigMap>(CONFIG_MAP, target);
    return data?.['revocations.json']?.includes(`"${tokenID}"`) === true;
  });
  return performance.now() - startedMs;
}

/** Milliseconds for a ConfigMap that is created and replaced. */
async function writeTwice({ client }: Bench, name: string, data: ConfigMap['data']): Promise<number> {
  const startedMs = performance.now();
  const created = await client.create<ConfigMap>(CONFIG_MAP, {
    metadata: { name, namespace: FLOOR },
    data: data ?? {},
  });
  await client.replace(CONFIG_MAP, { ...created, data: { ...data, more: '' } });
  return performance.now() - startedMs;
}

/** Seconds until the replica beside the leader has issued a certificate. */
async function takeOver(bench: Bench, leader: OperatorProcess): Promise<number> {
  const next = await startReplica(bench);
  const startedMs = performance.now();
  await leader.kill();
  await createAgent(bench, 'late');
  await awaited('the next leader', async () => {
    return (await bench.client.find(SECRET, { namespace: NAMESPACE, name: 'late-tls' })) !== undefined;
  });
  const seconds = (performance.now() - startedMs) / 1000;
  await next.stop();
  return seconds;
}

async function awaited(what: string, isThere: () => Promise<boolean>): Promise<void> {
  if (!(await waitUntil(isThere, PATIENCE))) throw new Error(`${what} did not come`);
}
