/** The user's cluster, by a context of the user's kubeconfig. What the demo makes there goes again. */

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CommandError } from '../control-plane/command-error.ts';
import { runKubectl } from '../control-plane/kubectl.ts';
import type { Tools } from '../control-plane/tools.ts';
import { OPERATOR_NAMESPACE } from '../operator/install-chart.ts';
import { openAccess } from './access.ts';
import {
  adminKubeconfigIn,
  CRDS,
  type Footprint,
  type FootprintAt,
  kubectlAt,
  noteFootprint,
  removeFootprint,
} from './footprint.ts';
import { Host } from './host-client.ts';
import { downCommand, type Made, type Place, shellWord } from './place.ts';
import { AGENTS } from './swarm.ts';

/** Which cluster, and where the demo has its files. */
export interface ContextPlaceOptions {
  readonly context: string;
  /** New or empty; removed in the end. */
  readonly directory: string;
  readonly tools: Tools;
}

/**
 * Looks at the cluster and changes nothing.
 *
 * @throws CommandError `NO_CONTEXT`, `NO_ANSWER`, `NO_CREDENTIALS`; `IN_THE_WAY` when something is there that the demo
 *   would have to change, or to remove in the end.
 */
export async function contextPlace({ context, directory, tools }: ContextPlaceOptions): Promise<Place> {
  const at = { tools, directory };
  await writeKubeconfig(at, context);
  const version = await serverVersion(at, context);
  await refuseIfInTheWay(at, context);
  const hadCrds = await hasCrds(at, context);
  const footprint = new OwnFootprint(at, {
    context,
    host: undefined,
    namespaces: [],
    release: false,
    crds: false,
  });
  return {
    where: `Kubernetes ${version} of context ${context}`,
    chartValues: hadCrds ? ['crds.enabled=false'] : [],
    acceleration: 1,
    hasWebhook: false,
    async open() {
      const access = await openAccess({
        kubectl: tools.kubectl,
        kubeconfigPath: adminKubeconfigIn(directory),
        directory,
      });
      const host = new Host({ mode: 'context', directory, toolsDirectory: tools.directory });
      footprint.add({ host: host.identity });
      await host.open();
      return { access, host };
    },
    made: (what) => footprint.made(what, hadCrds),
    async end(stage) {
      const remove = (): Promise<string | undefined> => footprint.remove();
      if (stage === undefined) await remove();
      else
        await stage.step('everything removed from the cluster', remove, (left) =>
          left === undefined ? {} : { notes: [left] },
        );
    },
    endNow: () => footprint.endNow(),
    commands: [
      `kubectl --context ${shellWord(context)} get agentidentities -A`,
      `kubectl --context ${shellWord(context)} describe agentidentity agent-writer -n ${AGENTS}`,
      downCommand(directory),
    ],
  };
}

class OwnFootprint {
  readonly #at: FootprintAt;
  #now: Footprint;
  #removed: Promise<string | undefined> | undefined;

  constructor(at: FootprintAt, now: Footprint) {
    this.#at = at;
    this.#now = now;
    noteFootprint(at.directory, now);
  }

  add(more: Partial<Footprint>): void {
    this.#now = { ...this.#now, ...more };
    noteFootprint(this.#at.directory, this.#now);
  }

  made(what: Made, hadCrds: boolean): void {
    if (what === 'release') this.add({ release: true, crds: !hadCrds });
    else this.add({ namespaces: [...this.#now.namespaces, what.namespace] });
  }

  remove(): Promise<string | undefined> {
    this.#removed ??= removeFootprint(this.#at, this.#now).catch((error: Error) => {
      const again = `to try again: ${downCommand(this.#at.directory)}`;
      throw new CommandError('NOT_REMOVED', `${error.message}\n${again}`);
    });
    return this.#removed;
  }

  endNow(): void {
    if (this.#now.host !== undefined) process.kill(this.#now.host.pid, 'SIGTERM');
  }
}

/** The one context alone, with everything in it, so that kubectl, helm and the operator use the same cluster. */
async function writeKubeconfig({ tools, directory }: FootprintAt, context: string): Promise<void> {
  const users = {
    program: tools.kubectl,
    kubeconfigPath: process.env['KUBECONFIG'] ?? '',
    cacheDirectory: directory,
  };
  const { stdout: known } = await runKubectl(users, ['config', 'get-contexts', '--output=name']);
  const names = known.split('\n').filter((name) => name !== '');
  if (!names.includes(context)) {
    const which = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
    const where = process.env['KUBECONFIG'] || '~/.kube/config';
    throw new CommandError('NO_CONTEXT', `the kubeconfig ${where} has no context ${context}; ${which}`);
  }
  const view = ['config', 'view', '--raw', '--minify', '--flatten', `--context=${context}`, '--output=json'];
  const { stdout } = await runKubectl(users, view);
  mkdirSync(join(directory, 'logs'));
  writeFileSync(adminKubeconfigIn(directory), stdout, { mode: 0o600 });
}

async function serverVersion(at: FootprintAt, context: string): Promise<string> {
  const args = ['version', '--output=json', '--request-timeout=10s'];
  const { exitStatus, stdout, stderr } = await kubectlAt(at, args, { mayFail: true });
  if (exitStatus !== 0) {
    throw new CommandError(
      'NO_ANSWER',
      `the cluster of context ${context} does not answer: ${stderr.trim()}`,
    );
  }
  const { serverVersion: server } = JSON.parse(stdout) as { serverVersion: { gitVersion: string } };
  return server.gitVersion.replace(/^v/, '');
}

async function refuseIfInTheWay(at: FootprintAt, context: string): Promise<void> {
  const args = ['list', '--all-namespaces', '--filter=^agent-trust$', '--output=json'];
  const kubeconfig = `--kubeconfig=${adminKubeconfigIn(at.directory)}`;
  const { stdout } = await promisify(execFile)(at.tools.helm, [...args, kubeconfig]);
  const [release] = JSON.parse(stdout) as { namespace: string }[];
  if (release !== undefined) {
    throw inTheWay(
      context,
      `a release agent-trust in namespace ${release.namespace}. The demo installs one of its own and uninstalls it in the end, so it leaves yours alone. It shows nothing that yours could not: kubectl apply -f examples/swarm`,
    );
  }
  for (const namespace of [OPERATOR_NAMESPACE, AGENTS]) {
    if (!(await exists(at, 'namespace', namespace))) continue;
    throw inTheWay(
      context,
      `a namespace ${namespace}. The demo makes it and deletes it in the end with everything in it, so it leaves yours alone. Delete it, or take another cluster`,
    );
  }
}

/** Whether the kinds are there; some of them alone are of another version, which the chart does not take over. */
async function hasCrds(at: FootprintAt, context: string): Promise<boolean> {
  const args = ['get', 'crd', ...CRDS, '--ignore-not-found', '--output=name'];
  const { stdout } = await kubectlAt(at, args);
  const there = CRDS.filter((name) => stdout.split('\n').some((line) => line.endsWith(`/${name}`)));
  if (there.length > 0 && there.length < CRDS.length) {
    throw inTheWay(
      context,
      `${there.join(', ')} and lacks the other kinds of agenttrust.dev. Add them with kubectl apply --server-side -f crds/, or delete these`,
    );
  }
  return there.length > 0;
}

function inTheWay(context: string, what: string): CommandError {
  return new CommandError('IN_THE_WAY', `the cluster of context ${context} has ${what}.`);
}

async function exists(at: FootprintAt, resource: string, name: string): Promise<boolean> {
  const { stdout } = await kubectlAt(at, ['get', resource, name, '--ignore-not-found', '--output=name']);
  return stdout.trim() !== '';
}
