/** What `npm run cluster` notes in a cluster's folder, so that another process can find and end the cluster. */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../control-plane/command-error.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { removeDirectory } from '../control-plane/directory.ts';
import { identify, type ProcessIdentity, stillRuns } from '../control-plane/process-identity.ts';
import { waitUntil } from '../control-plane/wait-until.ts';

/** A cluster that was started in a folder. */
export interface Cluster {
  /** The process that started it and ends it when it gets SIGTERM. */
  readonly owner: ProcessIdentity;
  /** etcd and so on. */
  readonly processes: readonly ProcessIdentity[];
  readonly server: string;
  readonly caPath: string;
  readonly kubeconfigPath: string;
}

const NOTE = 'cluster.json';
const END_TIMEOUT_MS = 30_000;

/** Notes a cluster of this process in its folder, and the pids of further processes that must not outlive it. */
export function noteCluster(controlPlane: ControlPlane, furtherPids: readonly number[] = []): void {
  const { directory, server, caPath, kubeconfigPath, pids } = controlPlane;
  const owner = identify(process.pid);
  const processes = [...Object.values(pids), ...furtherPids]
    .map(identify)
    .filter((identity) => identity !== undefined);
  const path = join(directory, NOTE);
  writeFileSync(`${path}.new`, JSON.stringify({ owner, processes, server, caPath, kubeconfigPath }), {
    mode: 0o600,
  });
  // others read it as soon as it is there
  renameSync(`${path}.new`, path);
}

/** The cluster that runs in a folder, or undefined. */
export function clusterIn(directory: string): Cluster | undefined {
  const cluster = notedIn(directory);
  return cluster !== undefined && stillRuns(cluster.owner) ? cluster : undefined;
}

/**
 * Makes a folder ready for a new cluster: removes what one left that did not end by itself (after a power cut).
 *
 * @throws CommandError `ALREADY_RUNNING` when a cluster runs there.
 */
export function removeLeftovers(directory: string): void {
  if (clusterIn(directory) !== undefined) {
    throw new CommandError(
      'ALREADY_RUNNING',
      `a cluster runs in ${directory}: end it with "down", or name another --dir`,
    );
  }
  if (notedIn(directory) !== undefined) remove(directory);
}

/**
 * Ends the cluster in a folder and removes the folder; the processes noted there, and only as long as they are the
 * same processes.
 *
 * @returns whether there was a cluster or something left of one.
 * @throws CommandError `NOT_A_CLUSTER` when the folder holds something else; it is left alone.
 */
export async function endCluster(directory: string): Promise<boolean> {
  const cluster = notedIn(directory);
  if (cluster === undefined) {
    if (!existsSync(directory)) return false;
    throw new CommandError('NOT_A_CLUSTER', `${directory} was not made by "up": it is left as it is`);
  }
  const { owner } = cluster;
  if (stillRuns(owner)) process.kill(owner.pid, 'SIGTERM');
  const ended = await waitUntil(() => !stillRuns(owner), { timeoutMs: END_TIMEOUT_MS });
  if (!ended) process.kill(owner.pid, 'SIGKILL');
  remove(directory);
  return true;
}

function notedIn(directory: string): Cluster | undefined {
  const path = join(directory, NOTE);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Cluster) : undefined;
}

function remove(directory: string): void {
  for (const child of notedIn(directory)?.processes ?? [])
    if (stillRuns(child)) process.kill(child.pid, 'SIGKILL');
  removeDirectory(directory);
}
