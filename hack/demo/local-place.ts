/** A control plane on this machine that lives as long as the demo. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { removeDirectory } from '../control-plane/directory.ts';
import { findCommand } from '../control-plane/require-command.ts';
import type { Tools } from '../control-plane/tools.ts';
import { openAccess } from './access.ts';
import { Host } from './host-client.ts';
import { downCommand, type Place, shellWord } from './place.ts';
import type { Stage } from './stage.ts';

/** Ten minutes are four seconds then. */
const ACCELERATION = 150;

/** Nothing is started before `open`. `directory` is new or empty; it is removed in the end. */
export async function localPlace(directory: string, tools: Tools): Promise<Place> {
  const { stdout } = await promisify(execFile)(tools.kubeApiserver, ['--version']);
  const kubeconfigPath = `${directory}/admin.kubeconfig`;
  let host: Host | undefined;
  return {
    where: `${stdout.trim().replace(' v', ' ')} on this machine, nothing leaves it`,
    chartValues: [],
    acceleration: ACCELERATION,
    hasWebhook: true,
    async open(stage: Stage) {
      const started = new Host({ mode: 'local', directory, toolsDirectory: tools.directory });
      host = started;
      const path = await stage.step('control plane ready', () => started.open());
      const access = await openAccess({ kubectl: tools.kubectl, kubeconfigPath: path, directory });
      return { access, host: started };
    },
    made() {},
    async end() {
      await host?.end();
      // the control plane has removed it, if it came that far
      removeDirectory(directory);
    },
    endNow: () => host?.endNow(),
    commands: [
      `export KUBECONFIG=${shellWord(kubeconfigPath)}`,
      ...(findCommand('kubectl') === undefined ? [`export PATH="$PATH":${shellWord(tools.directory)}`] : []),
      'kubectl get agentidentities -A',
      'kubectl describe agentidentity agent-writer -n ai-agents',
      downCommand(directory),
    ],
  };
}
