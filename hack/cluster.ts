/** `npm run cluster`: a Kubernetes control plane on this machine, to try things on. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Cluster, clusterIn, endCluster, noteCluster, removeLeftovers } from './cluster/state.ts';
import { createAdminClient } from './control-plane/admin-client.ts';
import { CommandError, EXIT_USAGE, runMain } from './control-plane/command-error.ts';
import { startControlPlane } from './control-plane/control-plane.ts';
import { streamProgress } from './control-plane/progress.ts';
import { ensureTools } from './control-plane/tools.ts';

const DEFAULT_DIRECTORY = join(tmpdir(), `agent-trust-cluster-${userInfo().uid}`);
const EXIT_NOT_RUNNING = 3;

const USAGE = `usage: npm run cluster -- up [--dir DIR] [--keep]
       npm run cluster -- down [--dir DIR]
       npm run cluster -- status [--dir DIR]

up       starts etcd, kube-apiserver and kube-controller-manager on 127.0.0.1 and prints the export of KUBECONFIG;
         they run until Ctrl-C, or with --keep in the background until "down"
down     ends them and removes DIR with everything in it
status   says whether they run; exit status 0 if they do, ${EXIT_NOT_RUNNING} if not

--dir DIR   a new or empty folder for all files; clusters in different folders run side by side
            (default: ${DEFAULT_DIRECTORY})

In a script: eval "$(npm run --silent cluster -- up --keep)"
`;

await runMain(() => {
  const { command, directory, keep } = readArguments();
  if (command === 'help') return write(USAGE);
  if (command === 'up') return keep ? upInBackground(directory) : up(directory);
  return command === 'down' ? down(directory) : status(directory);
});

interface Arguments {
  readonly command: 'up' | 'down' | 'status' | 'help';
  readonly directory: string;
  readonly keep: boolean;
}

function readArguments(): Arguments {
  const options = {
    dir: { type: 'string' },
    keep: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const directory = resolve(values.dir ?? DEFAULT_DIRECTORY);
    if (values.help === true) return { command: 'help', directory, keep: false };
    const [command, ...rest] = positionals;
    if (command !== 'up' && command !== 'down' && command !== 'status')
      throw new Error('name up, down or status');
    if (rest.length > 0) throw new Error(`unexpected argument ${rest[0]}`);
    if (values.dir === '') throw new Error('--dir needs a folder');
    if (values.keep === true && command !== 'up') throw new Error('--keep goes with up only');
    return { command, directory, keep: values.keep === true };
  } catch (error) {
    throw new CommandError('USAGE', `${(error as Error).message}\n\n${USAGE}`, EXIT_USAGE);
  }
}

/** Runs until a signal ends this process, which ends the control plane too. */
async function up(directory: string): Promise<number> {
  const endMyself = (): boolean => process.kill(process.pid, 'SIGTERM');
  process.once('disconnect', endMyself);
  removeLeftovers(directory);
  await ensureTools({ progress: streamProgress(process.stderr) });
  const startedAtMs = performance.now();
  const cluster = await startControlPlane({ directory, controllerManager: true });
  noteCluster(cluster);
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  if (process.send === undefined) {
    process.stdout.write(exportLine(cluster.kubeconfigPath));
    process.stderr.write(`control plane ready after ${seconds} s at ${cluster.server}; Ctrl-C ends it\n`);
  } else {
    process.off('disconnect', endMyself);
    // nobody reads it any more
    process.stderr.on('error', () => undefined);
    process.send('ready');
  }
  return new Promise(() => undefined);
}

/** Starts this command once more, detached, and returns when its control plane is ready. */
async function upInBackground(directory: string): Promise<number> {
  removeLeftovers(directory);
  const tools = await ensureTools({ progress: streamProgress(process.stderr) });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'up', '--dir', directory], {
    detached: true,
    env: { ...process.env, AGENT_TRUST_TOOLS: tools.directory },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.once('error', reject);
  child.once('exit', () => reject(new CommandError('START_FAILED', said.trim())));
  child.once('message', () => {
    child.removeAllListeners('exit');
    child.disconnect();
    child.stderr?.destroy();
    child.unref();
    resolve(0);
  });
  await promise;
  return status(directory);
}

async function down(directory: string): Promise<number> {
  const ended = await endCluster(directory);
  process.stderr.write(ended ? `ended; ${directory} is removed\n` : `nothing runs in ${directory}\n`);
  return 0;
}

async function status(directory: string): Promise<number> {
  const cluster = clusterIn(directory);
  if (cluster === undefined) {
    process.stderr.write(`nothing runs in ${directory}\n`);
    return EXIT_NOT_RUNNING;
  }
  const ready = await answers(cluster);
  process.stdout.write(exportLine(cluster.kubeconfigPath));
  process.stderr.write(
    `process ${cluster.owner.pid} runs ${cluster.server}, ${ready ? 'ready' : 'NOT READY'}\n`,
  );
  return 0;
}

/** Whether the API server calls itself ready. */
async function answers({ server, caPath }: Cluster): Promise<boolean> {
  try {
    const client = createAdminClient({ server, ca: readFileSync(caPath, 'utf8') });
    return (await client('GET', '/readyz')).status === 200;
  } catch {
    return false;
  }
}

function exportLine(kubeconfigPath: string): string {
  return `export KUBECONFIG='${kubeconfigPath.replaceAll("'", "'\\''")}'\n`;
}

async function write(text: string): Promise<number> {
  process.stdout.write(text);
  return 0;
}
