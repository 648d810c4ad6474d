/** The operator inside the test's process, against a real API server, with the rights that the chart gives. */

import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { ControlPlane } from '../../hack/control-plane/control-plane.ts';
import { OPERATOR_NAMESPACE } from '../../hack/operator/install-chart.ts';
import { type ControllerConfig, parseConfig } from '../../src/cmd/config.ts';
import { type OperatorTiming, operatorComponents } from '../../src/cmd/operator.ts';
import type { Clock } from '../../src/kube/clock.ts';
import { type Credentials, inClusterCredentials } from '../../src/kube/credentials.ts';
import { Lifecycle } from '../../src/kube/lifecycle.ts';
import { processStub } from './process-stub.ts';

/** How it runs. */
export interface OperatorOptions {
  readonly controlPlane: ControlPlane;
  readonly flags?: readonly string[];
  readonly clock?: Clock;
  /** Where the API server seems to be: a proxy. Its root is trusted in place of the API server's. */
  readonly via?: { readonly server: URL; readonly ca: string };
  readonly timing?: OperatorTiming;
  readonly logName?: string;
}

/** A running operator. */
export interface RunningOperator {
  readonly registry: Registry;
  /** Told to stop, as by SIGTERM; resolves with the exit code. */
  stop(): Promise<number>;
  /** The exit code once it has ended by itself. */
  readonly ended: Promise<number>;
  /** Ended in the middle of whatever it does, as by SIGKILL: nothing of it is sent any more, the Lease stays. */
  kill(): Promise<void>;
}

/** The ServiceAccount of the chart. */
export const OPERATOR_ACCOUNT: { readonly namespace: string; readonly name: string } = {
  namespace: OPERATOR_NAMESPACE,
  name: 'agent-trust-controller',
};

/** Starts it. It is ready when the tests see what they wait for. */
export async function startOperator(options: OperatorOptions): Promise<RunningOperator> {
  const { controlPlane, flags = [], clock, timing, logName = 'operator' } = options;
  const log = pino({ level: 'debug' }, pino.destination(join(controlPlane.directory, `${logName}.log`)));
  const registry = new Registry();
  const process = processStub();
  const components = operatorComponents({
    config: configOf(flags),
    credentials: await credentialsOf(options),
    registry,
    log,
    stopping: () => lifecycle.stoppingCheck(),
    ...(clock === undefined ? {} : { clock }),
    ...(timing === undefined ? {} : { timing }),
  });
  const lifecycle = new Lifecycle({ components, log, process });
  const ended = lifecycle.run();
  return {
    registry,
    ended,
    stop() {
      process.terminate();
      return ended;
    },
    // The connections are the first of them and end at once, so that no other can send anything as it ends.
    async kill() {
      await Promise.allSettled(components.map((component) => component.stop({ graceMs: 0, clean: true })));
    },
  };
}

function configOf(flags: readonly string[]): ControllerConfig {
  const parsed = parseConfig(['--http-port=0', '--http-host=127.0.0.1', ...flags]);
  if (parsed.kind !== 'config')
    throw new Error(parsed.kind === 'invalid' ? parsed.problems.join('\n') : 'help');
  return parsed.config;
}

async function credentialsOf({ controlPlane, via }: OperatorOptions): Promise<Credentials> {
  const { hostname, port } = via?.server ?? new URL(controlPlane.server);
  const credentials = await inClusterCredentials({
    env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
    directory: await controlPlane.serviceAccountDirectory(OPERATOR_ACCOUNT),
  });
  if (via === undefined) return credentials;
  const tls = { ca: via.ca };
  return {
    server: credentials.server,
    namespace: credentials.namespace,
    tls,
    bearerToken: () => credentials.bearerToken(),
    invalidate: () => credentials.invalidate(),
  };
}
