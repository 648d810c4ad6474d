/** What benches of a cluster stand on: a control plane of their own, a fast client, and the operator beside them. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubeClient } from '../../src/kube/client.ts';
import { loadCredentials } from '../../src/kube/credentials.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import { Transport } from '../../src/kube/transport.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { streamProgress } from '../control-plane/progress.ts';
import { ensureTools } from '../control-plane/tools.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import { OPERATOR_NAMESPACE } from '../operator/install-chart.ts';
import { type OperatorProcess, startOperatorProcess } from '../operator/operator-process.ts';
import { type WriteCounts, writeCounts } from './api-server-counts.ts';

/** Writes at a time, of a bench and of the operator, and connections of a client. */
export const WORKERS = 32;

/** A control plane, and a client of its administrator. */
export interface BenchCluster {
  readonly controlPlane: ControlPlane;
  readonly client: KubeClient;
}

/** Measures on a new control plane, which is gone afterwards. */
export async function withBenchCluster<T>(measure: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  await ensureTools({ progress: streamProgress(process.stderr) });
  const controlPlane = await startControlPlane();
  const transport = new Transport({
    credentials: await loadCredentials({ kubeconfig: controlPlane.kubeconfigPath }),
    product: { name: 'agent-trust-bench', version: '0' },
    connections: WORKERS,
  });
  try {
    return await measure({
      controlPlane,
      client: new KubeClient({ transport, fieldManager: 'agent-trust-bench' }),
    });
  } finally {
    await transport.close();
    await controlPlane.stop();
  }
}

/** Which operator is waited for, until when. */
export interface BenchOperatorOptions {
  /** The one that it governs; several are separated by commas. */
  readonly namespace: string;
  /** Beside that. */
  readonly flags?: readonly string[];
  readonly isReady: (operator: OperatorProcess) => Promise<boolean>;
  readonly timeoutMs: number;
}

/** Starts the operator with the rights of the chart, and resolves when it is ready. */
export async function startBenchOperator(
  { controlPlane }: BenchCluster,
  { namespace, flags = [], isReady, timeoutMs }: BenchOperatorOptions,
): Promise<OperatorProcess> {
  const operator = await startOperatorProcess({
    server: controlPlane.server,
    serviceAccountDirectory: await controlPlane.serviceAccountDirectory({
      namespace: OPERATOR_NAMESPACE,
      name: 'agent-trust-controller',
    }),
    flags: [`--namespaces=${namespace}`, `--workers=${WORKERS}`, ...flags],
    logPath: join(controlPlane.directory, 'operator.log'),
  });
  if (!(await waitUntil(() => isReady(operator), { timeoutMs })))
    throw new Error('the operator was not ready in time');
  return operator;
}

/** What the API server counted so far. */
export async function clusterWrites({ controlPlane }: BenchCluster): Promise<WriteCounts> {
  return writeCounts(async () => (await controlPlane.kubectl(['get', '--raw', '/metrics'])).stdout);
}

/** Which objects are to become Ready, until when. */
export interface ReadyWatch {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly count: number;
  readonly timeoutMs: number;
}

interface WithConditions extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Watches from now on. `allReady` gives by name when each was Ready, milliseconds on the clock of `performance`. */
export async function watchReady(
  { client }: BenchCluster,
  { type, namespace, count, timeoutMs }: ReadyWatch,
): Promise<{ readonly allReady: Promise<ReadonlyMap<string, number>> }> {
  let { resourceVersion } = await client.list(type, { namespace });
  const readyAtMs = new Map<string, number>();
  const { promise: allReady, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, number>>();
  const end = new AbortController();
  const late = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([end.signal, late]);
  const onLine = (line: Buffer): void => {
    const { object } = JSON.parse(line.toString()) as { object: WithConditions };
    resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
    const { conditions = [] } = object.status ?? {};
    const isReady = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
    if (!isReady || readyAtMs.has(object.metadata.name)) return;
    readyAtMs.set(object.metadata.name, performance.now());
    if (readyAtMs.size < count) return;
    end.abort();
    resolve(readyAtMs);
  };
  // The server ends the watch of a reader that falls behind; it is resumed where it was.
  const follow = async (): Promise<void> => {
    const timeoutSeconds = timeoutMs / 1000;
    while (!signal.aborted)
      await client.watch(type, { namespace, resourceVersion, timeoutSeconds, signal, onLine });
    late.throwIfAborted();
  };
  follow().catch((error: unknown) => (end.signal.aborted ? undefined : reject(error)));
  return { allReady };
}

/** The most memory that a process has had so far. */
export function peakMemoryMiB(pid: number): number {
  const [, kib = '0'] = /^VmHWM:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}
