/** The webhook inside the test's process or as a process of its own, and an API server that asks it. */

import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { ControlPlane } from '../../hack/control-plane/control-plane.ts';
import { OPERATOR_NAMESPACE } from '../../hack/operator/install-chart.ts';
import { type OperatorProcess, startOperatorProcess } from '../../hack/operator/operator-process.ts';
import type { Known } from '../../src/admission/known.ts';
import type { Reviewer } from '../../src/admission/review.ts';
import { WEBHOOK_NAME } from '../../src/api/group.ts';
import { parseWebhookConfig } from '../../src/cmd/webhook-config.ts';
import { WEBHOOK_GRACE_MS, webhookComponents } from '../../src/cmd/webhook-parts.ts';
import type { Clock } from '../../src/kube/clock.ts';
import { inClusterCredentials } from '../../src/kube/credentials.ts';
import { Lifecycle } from '../../src/kube/lifecycle.ts';
import type { Log } from '../../src/observe/log.ts';
import { eventually } from './eventually.ts';
import { processStub } from './process-stub.ts';

/** How it runs. */
export interface WebhookOptions {
  readonly controlPlane: ControlPlane;
  readonly flags?: readonly string[];
  readonly clock?: Clock;
  /** In place of those that review the kinds; by plural. */
  readonly reviewers?: (known: Known) => Readonly<Record<string, Reviewer>>;
  /** Beside the log's own file. */
  readonly log?: Log;
  readonly logName?: string;
}

/** A running webhook. */
export interface RunningWebhook {
  readonly registry: Registry;
  /** Resolves once the API server can ask. */
  readonly port: Promise<number>;
  /** Told to stop, as by SIGTERM; resolves with the exit code. */
  stop(): Promise<number>;
}

/** The ServiceAccount of the chart. */
const WEBHOOK_ACCOUNT: { readonly namespace: string; readonly name: string } = {
  namespace: OPERATOR_NAMESPACE,
  name: WEBHOOK_NAME,
};

/** Nothing of a test waits for the end of a process; nothing of it takes a port that is known beforehand. */
const FLAGS = [
  '--webhook-port=0',
  '--webhook-host=127.0.0.1',
  '--http-port=0',
  '--http-host=127.0.0.1',
  '--shutdown-delay=0s',
];

/** Starts it. It listens once it has a certificate; whether the API server trusts that by then is another matter. */
export async function startWebhook(options: WebhookOptions): Promise<RunningWebhook> {
  const { controlPlane, flags = [], clock, reviewers, logName = 'webhook' } = options;
  const parsed = parseWebhookConfig([...FLAGS, ...flags]);
  if (parsed.kind !== 'config')
    throw new Error(parsed.kind === 'invalid' ? parsed.problems.join('\n') : 'help');
  const { hostname, port } = new URL(controlPlane.server);
  const registry = new Registry();
  const listening = Promise.withResolvers<number>();
  const file = pino({ level: 'debug' }, pino.destination(join(controlPlane.directory, `${logName}.log`)));
  const log = both(
    file,
    onInfo('admission server listens', (fields) => listening.resolve(Number(fields['port']))),
    ...(options.log === undefined ? [] : [options.log]),
  );
  const process = processStub();
  const components = webhookComponents({
    config: parsed.config,
    credentials: await inClusterCredentials({
      env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
      directory: await controlPlane.serviceAccountDirectory(WEBHOOK_ACCOUNT),
    }),
    registry,
    log,
    stopping: () => lifecycle.stoppingCheck(),
    ...(clock === undefined ? {} : { clock }),
    ...(reviewers === undefined ? {} : { reviewers }),
  });
  const lifecycle = new Lifecycle({ components, log, process, graceMs: WEBHOOK_GRACE_MS });
  const ended = lifecycle.run();
  return {
    registry,
    port: listening.promise,
    stop() {
      process.terminate();
      return ended;
    },
  };
}

/**
 * Resolves when the API server asks what listens on the webhook's port and trusts it, as it does for everybody: a legal
 * boundary is only tried, and takes its webhook to pass.
 */
export async function webhookAsked(controlPlane: ControlPlane): Promise<void> {
  const boundary = {
    apiVersion: 'agenttrust.dev/v1alpha1',
    kind: 'CapabilityBoundary',
    metadata: { name: 'is-the-webhook-asked' },
    spec: { namespaceSelector: { matchLabels: { nowhere: 'true' } }, capabilities: [{ name: 'read_file' }] },
  };
  await eventually('the API server to ask the webhook', async () => {
    const stdin = JSON.stringify(boundary);
    const tried = await controlPlane.kubectl(['create', '--dry-run=server', '-f', '-'], {
      stdin,
      mayFail: true,
    });
    if (tried.exitStatus !== 0) throw new Error(tried.stderr);
    return true;
  });
}

/** How a process of its own runs. */
export interface WebhookProcessOptions {
  readonly controlPlane: ControlPlane;
  /** For its log. */
  readonly name: string;
  readonly flags?: readonly string[];
}

/** Starts it with the rights that the chart gives; resolves when it answers probes. */
export async function startWebhookProcess(options: WebhookProcessOptions): Promise<OperatorProcess> {
  const { controlPlane, name, flags = [] } = options;
  return startOperatorProcess({
    entry: 'webhook',
    server: controlPlane.server,
    serviceAccountDirectory: await controlPlane.serviceAccountDirectory(WEBHOOK_ACCOUNT),
    flags: [...FLAGS, ...flags],
    logPath: join(controlPlane.directory, `${name}.log`),
  });
}

function onInfo(message: string, then: (fields: Readonly<Record<string, unknown>>) => void): Log {
  const nothing = (): void => {};
  return {
    debug: nothing,
    info: (fields, said) => void (said === message && then(fields)),
    warn: nothing,
    error: nothing,
  };
}

function both(...logs: readonly Log[]): Log {
  const to =
    (level: keyof Log): Log['info'] =>
    (fields, message) => {
      for (const log of logs) log[level](fields, message);
    };
  return { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') };
}
