/** Entry of the controller process: flags in, exit code out. */

import { pino } from 'pino';
import { Registry } from 'prom-client';
import { loadCredentials } from '../kube/credentials.ts';
import { isKubeError } from '../kube/errors.ts';
import { type Component, Lifecycle } from '../kube/lifecycle.ts';
import { type ControllerConfig, parseConfig } from './config.ts';
import { operatorComponents } from './operator.ts';

const EXIT_USAGE = 64;
const EXIT_CONFIG = 78;

const parsed = parseConfig(process.argv.slice(2));
if (parsed.kind === 'help') process.stdout.write(parsed.text);
else if (parsed.kind === 'invalid') {
  process.stderr.write(`${parsed.problems.join('\n')}\nSee --help.\n`);
  process.exitCode = EXIT_USAGE;
} else await run(parsed.config);

async function run(config: ControllerConfig): Promise<void> {
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const { kubeconfig, context, serviceAccountDirectory } = config;
  let components: readonly Component[] = [];
  try {
    const credentials = await loadCredentials({
      kubeconfig,
      context,
      ...(serviceAccountDirectory === undefined ? {} : { directory: serviceAccountDirectory }),
    });
    if (config.namespaces.length === 0)
      log.warn({}, 'no namespace is governed: nothing will be issued; set --namespaces');
    const options = { config, credentials, registry: new Registry(), log };
    components = operatorComponents({ ...options, stopping: () => lifecycle.stoppingCheck() });
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NO_CREDENTIALS')) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_CONFIG;
    return;
  }
  const lifecycle = new Lifecycle({ components, log });
  await lifecycle.run();
}
