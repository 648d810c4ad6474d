/**
 * Reviews of the webhook, a process with the rights and flags of the chart, over TLS as an API server asks for them.
 *
 * The floor is a server that allows everything: the same requests at the same rate over as many connections.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { AGENT_IDENTITY, DELEGATION_POLICY, WEBHOOK_NAME, WEBHOOK_SECRET_NAME } from '../../src/api/group.ts';
import { NAMESPACE, SECRET } from '../../src/kube/core-types.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import { installChart, OPERATOR_NAMESPACE } from '../operator/install-chart.ts';
import { NODE_FLAGS, type OperatorProcess, startOperatorProcess } from '../operator/operator-process.ts';
import { kindReview, podReview, type Swarm, swarmOf } from './admission-reviews.ts';
import { type BenchCluster, peakMemoryMiB, WORKERS, withBenchCluster } from './bench-cluster.ts';
import { concurrently } from './concurrently.ts';
import { statusOf } from './identities-floor.ts';
import { type OpenLoopOptions, type OpenLoopRequest, type OpenLoopResult, openLoop } from './open-loop.ts';
import { type BenchRow, percentile } from './row.ts';

const RATE = 500;
const SECONDS = 20;
const WARM_UP_SECONDS = 5;
/** What client-go keeps idle for one host. */
const CONNECTIONS = 25;
const READY_TIMEOUT_MS = 5 * 60_000;
const SERVER_NAME = `${WEBHOOK_NAME}.${OPERATOR_NAMESPACE}.svc`;

/** Measures with `count` identities, and a tenth as many policies. */
export async function benchAdmission({ count }: { readonly count: number }): Promise<readonly BenchRow[]> {
  return withBenchCluster((cluster) => measure(cluster, swarmOf(count)));
}

async function measure(cluster: BenchCluster, swarm: Swarm): Promise<readonly BenchRow[]> {
  const { controlPlane, client } = cluster;
  await create(cluster, swarm);
  const floor = await measureFloor(swarm);
  const webhook = await startWebhook(controlPlane);
  try {
    const secret = await client.get<KubeObject & { readonly data: Readonly<Record<string, string>> }>(
      SECRET,
      {
        namespace: OPERATOR_NAMESPACE,
        name: WEBHOOK_SECRET_NAME,
      },
    );
    const ca = Buffer.from(secret.data['ca.crt'] ?? '', 'base64').toString();
    const target = { port: await webhook.portOf('admission server'), ca, pid: webhook.pid };
    const results = await loads(target, swarm);
    const cpu = (sort: keyof Results): string =>
      `${results[sort].cpuMs.toFixed(2)} ms (floor ${floor[sort].cpuMs.toFixed(2)} ms)`;
    console.log(`processor time of one review: our kinds ${cpu('kinds')}, pods ${cpu('pods')}`);
    return rows(results, floor, peakMemoryMiB(webhook.pid));
  } finally {
    await webhook.stop();
  }
}

/** A load, and what the server used of the processor for each request: that does not depend on who else is at work. */
interface Load extends OpenLoopResult {
  readonly cpuMs: number;
}

/** One load of each sort. */
interface Results {
  readonly kinds: Load;
  readonly pods: Load;
}

/** A server, and the process that it is. */
type Target = Pick<OpenLoopOptions, 'port' | 'ca'> & { readonly pid: number };

function rows(results: Results, floor: Results, memoryMiB: number): readonly BenchRow[] {
  const row = (name: string, sort: keyof Results, goal: string): BenchRow => {
    const value = percentile(results[sort].latenciesMs, 0.99);
    const least = percentile(floor[sort].latenciesMs, 0.99);
    return { name, value, unit: 'ms', floor: least, ratio: value / least, goal };
  };
  const rate = slowest(results);
  const most = slowest(floor);
  return [
    row('review-p99', 'kinds', 'at most 5 ms'),
    row('pod-p99', 'pods', 'at most 2 ms'),
    { name: 'rate', value: rate, unit: 'reviews/s', floor: most, ratio: rate / most, goal: `${RATE}` },
    { name: 'memory', value: memoryMiB, unit: 'MiB', goal: 'under 384, the limit of the chart' },
  ];
}

function slowest({ kinds, pods }: Results): number {
  return Math.min(kinds.answersPerSecond, pods.answersPerSecond);
}

/** The webhook is installed last: it does not run yet, and would be asked. */
async function create({ controlPlane, client }: BenchCluster, swarm: Swarm): Promise<void> {
  const { namespaces, identities, policies } = swarm;
  const { kubeconfigPath } = controlPlane;
  await installChart({ kubeconfigPath, namespaces: '*' });
  await concurrently(namespaces.length, WORKERS, async (at) =>
    client.create(NAMESPACE, { metadata: { name: namespaces[at] ?? '' } }),
  );
  await concurrently(identities.length, WORKERS, async (at) => {
    const created = await client.create<KubeObject>(AGENT_IDENTITY, identities[at] as unknown as KubeObject);
    const { name, namespace = '', uid = '' } = created.metadata;
    const status = statusOf(created as AgentIdentity);
    await client.applyStatus(AGENT_IDENTITY, { metadata: { name, namespace, uid }, status });
  });
  await concurrently(policies.length, WORKERS, async (at) =>
    client.create(DELEGATION_POLICY, policies[at] as unknown as KubeObject),
  );
  const set = ['admissionPolicies.enabled=false'];
  await installChart({ kubeconfigPath, namespaces: '*', admission: 'all', set });
}

async function startWebhook(controlPlane: ControlPlane): Promise<OperatorProcess> {
  const webhook = await startOperatorProcess({
    entry: 'webhook',
    server: controlPlane.server,
    serviceAccountDirectory: await controlPlane.serviceAccountDirectory({
      namespace: OPERATOR_NAMESPACE,
      name: WEBHOOK_NAME,
    }),
    flags: ['--namespaces=*', '--webhook-port=0', '--webhook-host=127.0.0.1', '--shutdown-delay=0s'],
    logPath: join(controlPlane.directory, 'webhook.log'),
  });
  if (!(await waitUntil(() => webhook.isReady(), { timeoutMs: READY_TIMEOUT_MS })))
    throw new Error('the webhook was not ready in time');
  return webhook;
}

async function measureFloor(swarm: Swarm): Promise<Results> {
  const server = join(import.meta.dirname, 'admission-floor-server.ts');
  const child = spawn(process.execPath, [...NODE_FLAGS, server, SERVER_NAME], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const target = JSON.parse(line) as { port: number; ca: string };
    const { pid = 0 } = child;
    return await loads({ ...target, pid }, swarm, { anyAnswer: true });
  } finally {
    child.stdin.end();
    child.kill();
  }
}

async function loads(
  { pid, ...target }: Target,
  swarm: Swarm,
  { anyAnswer = false }: { readonly anyAnswer?: boolean } = {},
): Promise<Results> {
  const load = async (make: typeof podReview): Promise<Load> => {
    const request = (index: number): OpenLoopRequest =>
      anyAnswer ? { ...make(swarm, index), check: () => {} } : make(swarm, index);
    const options = {
      ...target,
      servername: SERVER_NAME,
      connections: CONNECTIONS,
      ratePerSecond: RATE,
      warmUpSeconds: WARM_UP_SECONDS,
      seconds: SECONDS,
      request,
    };
    let beforeMs = 0;
    const onWarm = (): void => {
      beforeMs = processorMs(pid);
    };
    const result = await openLoop({ ...options, onWarm });
    return { ...result, cpuMs: (processorMs(pid) - beforeMs) / result.latenciesMs.length };
  };
  return { kinds: await load(kindReview), pods: await load(podReview) };
}

/** Processor time that a process has used so far, in its own code and in the kernel's for it. proc(5): ticks of 10 ms. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
