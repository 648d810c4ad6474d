/** What the demo has made in the user's cluster, noted in its folder, and how it is removed again. */

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  AGENT_IDENTITY,
  CAPABILITY_BOUNDARY,
  DELEGATION_POLICY,
  QUARANTINE,
  TOKEN_REVOCATION,
} from '../../src/api/group.ts';
import { CommandError } from '../control-plane/command-error.ts';
import { removeDirectory } from '../control-plane/directory.ts';
import { type KubectlOptions, type KubectlResult, runKubectl } from '../control-plane/kubectl.ts';
import { type ProcessIdentity, stillRuns } from '../control-plane/process-identity.ts';
import type { Tools } from '../control-plane/tools.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import { OPERATOR_NAMESPACE } from '../operator/install-chart.ts';
import { AGENTS } from './swarm.ts';

/** Names of the CustomResourceDefinitions of the chart. */
export const CRDS: readonly string[] = [
  AGENT_IDENTITY,
  CAPABILITY_BOUNDARY,
  DELEGATION_POLICY,
  QUARANTINE,
  TOKEN_REVOCATION,
].map(({ plural, group }) => `${plural}.${group}`);

/** What has to go in the end. */
export interface Footprint {
  readonly context: string;
  /** The background process. */
  readonly host: ProcessIdentity | undefined;
  readonly namespaces: readonly string[];
  readonly release: boolean;
  /** Whether the CustomResourceDefinitions came with the release and were not there before. */
  readonly crds: boolean;
}

/** The programs, and the demo's folder. */
export interface FootprintAt {
  readonly tools: Pick<Tools, 'helm' | 'kubectl'>;
  readonly directory: string;
}

const NOTE = 'demo.json';
const END_TIMEOUT_MS = 30_000;

/** Kubeconfig of the user's cluster in the demo's folder. */
export function adminKubeconfigIn(directory: string): string {
  return join(directory, 'admin.kubeconfig');
}

/** Notes it, so that another process can remove it. */
export function noteFootprint(directory: string, footprint: Footprint): void {
  const path = join(directory, NOTE);
  writeFileSync(`${path}.new`, JSON.stringify(footprint), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** What was noted in a folder, or undefined. */
export function footprintIn(directory: string): Footprint | undefined {
  const path = join(directory, NOTE);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Footprint) : undefined;
}

/**
 * Ends the background process, removes release, namespaces and CustomResourceDefinitions as far as they were noted, and
 * the folder.
 *
 * @returns what was left in the cluster on purpose, a sentence; undefined when nothing was.
 * @throws CommandError `KUBECTL_FAILED` or `HELM_FAILED`; what was noted is then still there.
 */
export async function removeFootprint(at: FootprintAt, footprint: Footprint): Promise<string | undefined> {
  const { directory } = at;
  const { host, namespaces, release, crds } = footprint;
  if (host !== undefined && stillRuns(host)) {
    process.kill(host.pid, 'SIGTERM');
    if (!(await waitUntil(() => !stillRuns(host), { timeoutMs: END_TIMEOUT_MS })))
      process.kill(host.pid, 'SIGKILL');
  }
  if (release) await uninstall(at);
  if (namespaces.length > 0) {
    await kubectlAt(at, ['delete', 'namespace', ...namespaces, '--ignore-not-found', '--timeout=60s']);
  }
  const foreign = crds ? await foreignObjects(at) : [];
  if (crds && foreign.length === 0)
    await kubectlAt(at, ['delete', 'crd', ...CRDS, '--ignore-not-found', '--timeout=60s']);
  removeDirectory(directory);
  if (foreign.length === 0) return undefined;
  return `the kinds of agenttrust.dev stay, because ${foreign.join(', ')} would go with them: kubectl delete crd ${CRDS.join(' ')}`;
}

/** Runs kubectl on the cluster of the folder. */
export function kubectlAt(
  { tools, directory }: FootprintAt,
  args: readonly string[],
  options?: KubectlOptions,
): Promise<KubectlResult> {
  const kubeconfigPath = adminKubeconfigIn(directory);
  const cacheDirectory = join(directory, 'kubectl-cache');
  return runKubectl({ program: tools.kubectl, kubeconfigPath, cacheDirectory }, args, options);
}

async function uninstall({ tools, directory }: FootprintAt): Promise<void> {
  const where = [`--namespace=${OPERATOR_NAMESPACE}`, `--kubeconfig=${adminKubeconfigIn(directory)}`];
  try {
    await promisify(execFile)(tools.helm, ['uninstall', 'agent-trust', '--ignore-not-found', ...where]);
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new CommandError('HELM_FAILED', `helm could not uninstall the release: ${stderr.trim()}`);
  }
}

/** Objects of our kinds that somebody else made meanwhile: namespace/name, or the name of what has no namespace. */
async function foreignObjects(at: FootprintAt): Promise<readonly string[]> {
  const columns = '--output=jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
  const lists = CRDS.map(async (crd) => {
    const args = ['get', crd, '--all-namespaces', columns];
    const { exitStatus, stdout } = await kubectlAt(at, args, { mayFail: true });
    return exitStatus === 0 ? stdout.split('\n') : [];
  });
  return (await Promise.all(lists))
    .flat()
    .filter((name) => name !== '' && !name.startsWith(`${AGENTS}/`))
    .map((name) => name.replace(/^\//, ''));
}
