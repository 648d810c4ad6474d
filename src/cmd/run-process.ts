/** The frame of a process: flags in, exit code out. */

import { pino } from 'pino';
import { Registry } from 'prom-client';
import { type Credentials, loadCredentials } from '../kube/credentials.ts';
import { isKubeError } from '../kube/errors.ts';
import type { HealthCheck } from '../kube/health.ts';
import { type Component, Lifecycle } from '../kube/lifecycle.ts';
import type { Log } from '../observe/log.ts';
import type { Parsed } from './flags.ts';
import type { ProcessConfig } from './process-flags.ts';

/** What the parts of a process are made of. */
export interface ProcessOptions<C> {
  readonly config: C;
  readonly credentials: Credentials;
  readonly registry: Registry;
  readonly log: Log;
  /** Fails from the moment the process is told to end. */
  readonly stopping: HealthCheck;
}

/** A process. */
export interface ProcessPlan<C> {
  readonly parsed: Parsed<C>;
  readonly components: (options: ProcessOptions<C>) => readonly Component[];
  /** Said in the log when no namespace is governed. */
  readonly withoutNamespaces: string;
  /** For work that is under way when the process is told to end; see `LifecycleOptions`. */
  readonly graceMs?: number;
}

const EXIT_USAGE = 64;
const EXIT_CONFIG = 78;

/** Lives until the process is told to end. */
export async function runProcess<C extends ProcessConfig>(plan: ProcessPlan<C>): Promise<void> {
  const { parsed } = plan;
  if (parsed.kind === 'help') process.stdout.write(parsed.text);
  else if (parsed.kind === 'invalid') {
    process.stderr.write(`${parsed.problems.join('\n')}\nSee --help.\n`);
    process.exitCode = EXIT_USAGE;
  } else await run(plan, parsed.config);
}

async function run<C extends ProcessConfig>(plan: ProcessPlan<C>, config: C): Promise<void> {
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const { kubeconfig, context, serviceAccountDirectory } = config;
  let components: readonly Component[] = [];
  try {
    const credentials = await loadCredentials({
      kubeconfig,
      context,
      ...(serviceAccountDirectory === undefined ? {} : { directory: serviceAccountDirectory }),
    });
    if (config.namespaces.length === 0) log.warn({}, plan.withoutNamespaces);
    const options = { config, credentials, registry: new Registry(), log };
    components = plan.components({ ...options, stopping: () => lifecycle.stoppingCheck() });
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NO_CREDENTIALS')) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_CONFIG;
    return;
  }
  const { graceMs } = plan;
  const lifecycle = new Lifecycle({ components, log, ...(graceMs === undefined ? {} : { graceMs }) });
  await lifecycle.run();
}
