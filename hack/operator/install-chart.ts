/** Installs the chart on a cluster, so that everything runs with the rights that the chart gives. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CommandError } from '../control-plane/command-error.ts';
import { ensureTools } from '../control-plane/tools.ts';

/** Where the operator lives. */
export const OPERATOR_NAMESPACE = 'agent-trust-system';

/** What to install where. */
export interface ChartInstallation {
  readonly kubeconfigPath: string;
  /** Governed namespaces; each must exist. `*` sets clusterWide. */
  readonly namespaces: readonly string[] | '*';
  readonly operatorNamespace?: string;
  /**
   * What of admission to install: default is `none`; `policies` what the API server does by itself; `all` the webhook as
   * well, which has to be run as a process of this machine then.
   */
  readonly admission?: 'none' | 'policies' | 'all';
  /** Further values, as Helm's `--set` takes them. */
  readonly set?: readonly string[];
}

const CHART = join(import.meta.dirname, '../../helm/agent-trust');

/**
 * Installs or upgrades, with no replica: the operator is run as processes of this machine.
 *
 * @throws CommandError with Helm's own words.
 */
export async function installChart(installation: ChartInstallation): Promise<void> {
  const { kubeconfigPath, namespaces, operatorNamespace = OPERATOR_NAMESPACE, set = [] } = installation;
  const { admission = 'none' } = installation;
  const { helm } = await ensureTools();
  const scope = namespaces === '*' ? 'clusterWide=true' : `namespaces={${namespaces.join(',')}}`;
  const args = [
    'upgrade',
    '--install',
    'agent-trust',
    CHART,
    `--namespace=${operatorNamespace}`,
    '--create-namespace',
    `--kubeconfig=${kubeconfigPath}`,
    `--set=${scope}`,
    '--set=replicas=0,webhook.replicas=0',
    `--set=webhook.enabled=${admission === 'all'}`,
    `--set=admissionPolicies.enabled=${admission !== 'none'}`,
    ...set.map((value) => `--set=${value}`),
  ];
  try {
    await promisify(execFile)(helm, args, { maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new CommandError('HELM_FAILED', `helm could not install the chart: ${stderr.trim()}`);
  }
}
