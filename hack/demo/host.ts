/**
 * The background process of a demo: it holds the control plane, unless the cluster is the user's, and the operator.
 * Both end with it. It ends when its parent is gone, unless it was told to stay.
 *
 * usage: node hack/demo/host.ts local|context DIR
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WEBHOOK_NAME } from '../../src/api/group.ts';
import { noteCluster } from '../cluster/state.ts';
import { CommandError } from '../control-plane/command-error.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import { endWithThisProcess } from '../control-plane/end-with-process.ts';
import { runKubectl } from '../control-plane/kubectl.ts';
import { type IssuedToken, TokenFolder } from '../control-plane/service-account.ts';
import { ensureTools } from '../control-plane/tools.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import { connectWebhook } from '../operator/connect-webhook.ts';
import { OPERATOR_NAMESPACE } from '../operator/install-chart.ts';
import { OperatorProcess } from '../operator/operator-process.ts';
import type { HostAnswer, HostOrder } from './host-client.ts';

/** The ServiceAccounts of the chart. */
const CONTROLLER = { namespace: OPERATOR_NAMESPACE, name: 'agent-trust-controller' };
const WEBHOOK = { namespace: OPERATOR_NAMESPACE, name: WEBHOOK_NAME };
const READY_TIMEOUT_MS = 30_000;
const INTERVAL_MS = 20;

interface Place {
  readonly kubeconfigPath: string;
  /** How to start the operator there. */
  credentials(): Promise<{
    readonly server: string;
    readonly serviceAccountDirectory: string;
    readonly flags: readonly string[];
  }>;
  /** Notes what must not outlive this process. */
  note(operator: OperatorProcess): void;
  /** Starts the webhook, where the API server can reach this machine. */
  readonly startWebhook?: (flags: readonly string[]) => Promise<OperatorProcess>;
}

const [mode = '', directory = ''] = process.argv.slice(2);
const endMyself = (): boolean => process.kill(process.pid, 'SIGTERM');
process.once('disconnect', endMyself);

await answering(async () => {
  const place = mode === 'local' ? await localPlace() : await contextPlace();
  process.on('message', (order: HostOrder) => void answering(() => obey(place, order)));
  return { answer: 'open', kubeconfigPath: place.kubeconfigPath };
});

async function obey(place: Place, order: HostOrder): Promise<HostAnswer> {
  if (order.order === 'stay') {
    process.off('disconnect', endMyself);
    // nobody reads it any more
    process.stderr.on('error', () => undefined);
    return { answer: 'staying' };
  }
  if (order.order === 'start webhook') {
    await place.startWebhook?.(order.flags);
    return { answer: 'webhook' };
  }
  const { flags, ...credentials } = await place.credentials();
  const operator = new OperatorProcess({
    ...credentials,
    flags: [...flags, ...order.flags],
    logPath: join(directory, 'logs', 'operator.log'),
  });
  await hold(place, operator);
  return { answer: 'operator', url: operator.url };
}

/** Resolves when it listens. It ends with this process. */
async function hold(place: Pick<Place, 'note'>, operator: OperatorProcess): Promise<void> {
  // its own good order takes an API server, which goes at the same moment
  endWithThisProcess({ stop: () => operator.kill(), stopNow: () => operator.signal('SIGKILL') });
  place.note(operator);
  await operator.listening();
}

async function localPlace(): Promise<Place> {
  const controlPlane = await startControlPlane({ directory, controllerManager: true });
  noteCluster(controlPlane);
  const { server, kubeconfigPath } = controlPlane;
  const pids: number[] = [];
  const place: Place = {
    kubeconfigPath,
    credentials: async () => ({
      server,
      serviceAccountDirectory: await controlPlane.serviceAccountDirectory(CONTROLLER),
      flags: [],
    }),
    note({ pid }) {
      pids.push(pid);
      noteCluster(controlPlane, pids);
    },
    async startWebhook(flags) {
      const webhook = new OperatorProcess({
        entry: 'webhook',
        server,
        serviceAccountDirectory: await controlPlane.serviceAccountDirectory(WEBHOOK),
        flags: ['--webhook-port=0', '--webhook-host=127.0.0.1', ...flags],
        logPath: join(directory, 'logs', 'webhook.log'),
      });
      await hold(place, webhook);
      await connectWebhook(controlPlane, await webhook.portOf('admission server'));
      const isReady = (): Promise<boolean> => webhook.isReady();
      if (!(await waitUntil(isReady, { timeoutMs: READY_TIMEOUT_MS, intervalMs: INTERVAL_MS })))
        throw new CommandError(
          'WEBHOOK_NOT_READY',
          `the webhook is not ready after ${READY_TIMEOUT_MS / 1000} s`,
        );
      return webhook;
    },
  };
  return place;
}

/** The user's cluster, by the kubeconfig in the demo's folder; the operator gets one with a token in place of the user. */
async function contextPlace(): Promise<Place> {
  const { kubectl: program } = await ensureTools();
  const kubeconfigPath = join(directory, 'admin.kubeconfig');
  const kubectl = { program, kubeconfigPath, cacheDirectory: join(directory, 'kubectl-cache') };
  const request = async (): Promise<IssuedToken> => {
    const args = [
      'create',
      'token',
      CONTROLLER.name,
      `--namespace=${CONTROLLER.namespace}`,
      '--duration=10m',
      '--output=json',
    ];
    const { status } = JSON.parse((await runKubectl(kubectl, args)).stdout) as {
      status: { token: string; expirationTimestamp: string };
    };
    return { token: status.token, expiresAtMs: Date.parse(status.expirationTimestamp) };
  };
  return {
    kubeconfigPath,
    async credentials() {
      const serviceAccountDirectory = join(directory, 'service-account');
      await TokenFolder.create({
        directory: serviceAccountDirectory,
        namespace: CONTROLLER.namespace,
        ca: '',
        request,
      });
      const path = join(directory, 'operator.kubeconfig');
      const { text, server } = operatorKubeconfig(readFileSync(kubeconfigPath, 'utf8'));
      writeFileSync(path, text, { mode: 0o600 });
      return { server, serviceAccountDirectory, flags: [`--kubeconfig=${path}`] };
    },
    note: () => {},
  };
}

/** The same cluster for the ServiceAccount; the path of the token is relative to the kubeconfig. */
function operatorKubeconfig(admin: string): { readonly text: string; readonly server: string } {
  const { clusters } = JSON.parse(admin) as { clusters: { name: string; cluster: { server: string } }[] };
  const [only] = clusters;
  if (only === undefined) throw new CommandError('NO_CREDENTIALS', 'the context names no cluster');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters,
    users: [{ name: 'operator', user: { tokenFile: 'service-account/token' } }],
    contexts: [
      {
        name: 'operator',
        context: { cluster: only.name, user: 'operator', namespace: CONTROLLER.namespace },
      },
    ],
    'current-context': 'operator',
  };
  return { text: JSON.stringify(config, undefined, 2), server: only.cluster.server };
}

/** Sends what comes of something to the parent: the answer, or what a person should read. */
async function answering(run: () => Promise<HostAnswer>): Promise<void> {
  const answer = await run().catch((error: Error): HostAnswer => {
    return {
      answer: 'failed',
      message: error instanceof CommandError ? error.message : (error.stack ?? error.message),
    };
  });
  if (process.connected) process.send?.(answer);
}
