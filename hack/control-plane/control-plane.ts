/** A Kubernetes control plane on 127.0.0.1: etcd, kube-apiserver and, on request, kube-controller-manager. */

import { join } from 'node:path';
import { type AdminClient, createAdminClient, isReady } from './admin-client.ts';
import { CommandError } from './command-error.ts';
import { createDirectory, removeAllButLogs, removeDirectory, writeFiles } from './directory.ts';
import { endWithThisProcess } from './end-with-process.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags, type Layout, layoutOf } from './flags.ts';
import { type KubectlOptions, type KubectlResult, runKubectl } from './kubectl.ts';
import { type HeldPort, holdPort } from './ports.ts';
import { RunningProcess } from './processes.ts';
import { requestToken, type ServiceAccountName, TokenFolder } from './service-account.ts';
import { ensureTools, type Tools } from './tools.ts';
import { waitUntil } from './wait-until.ts';

/** How a control plane is to be. */
export interface ControlPlaneOptions {
  /** Folder for everything it writes; new or empty. Default: a new one in the system's temporary folder. */
  readonly directory?: string;
  /** Whether to run the controllers that matter without pods (garbage collection, namespaces, ServiceAccounts). */
  readonly controllerManager?: boolean;
  /** Whether to write who asked for what, one JSON object (audit.k8s.io/v1 Event, level Metadata) a line. */
  readonly auditLog?: boolean;
  /** Default true: faster, and a crash of the machine may lose the data. */
  readonly unsafeNoFsync?: boolean;
  /** Whether the folder stays when the control plane is stopped. */
  readonly keepDirectory?: boolean;
}

/** Which token to ask for. */
export interface TokenOptions extends ServiceAccountName {
  /** Default and least: 600. */
  readonly expirationSeconds?: number;
}

type ProcessName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager';

const READY_TIMEOUT_MS = 60_000;

/**
 * Starts a control plane and waits until it answers.
 *
 * It ends with this process at the latest, even if that is killed. Several may run side by side.
 *
 * @throws CommandError `NOT_READY` with the last lines of the log at fault; `DIRECTORY_NOT_EMPTY`; what
 *   {@link ensureTools} throws.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  return ControlPlane.start(options, await ensureTools());
}

/** A running control plane. */
export class ControlPlane {
  /** URL of the API server. */
  readonly server: string;
  readonly directory: string;
  /** Root of the API server's certificate, PEM file. */
  readonly caPath: string;
  /** Kubeconfig of a member of system:masters. For setting things up: RBAC does not apply to it. */
  readonly kubeconfigPath: string;
  /** The audit log, if there is one. */
  readonly auditLogPath: string | undefined;
  readonly #options: ControlPlaneOptions;
  readonly #tools: Tools;
  readonly #layout: Layout;
  readonly #port: number;
  readonly #ca: string;
  readonly #client: AdminClient;
  readonly #processes = new Map<ProcessName, RunningProcess>();
  readonly #tokenFolders = new Map<string, TokenFolder>();
  readonly #forget: () => void;
  #stopped: Promise<void> | undefined;

  private constructor(options: ControlPlaneOptions, tools: Tools, port: number) {
    this.#options = options;
    this.#tools = tools;
    this.#port = port;
    this.server = `https://127.0.0.1:${port}`;
    this.directory = createDirectory(options.directory);
    this.#forget = endWithThisProcess({ stop: () => this.stop(), stopNow: () => this.#stopNow() });
    this.#layout = layoutOf(this.directory);
    this.caPath = this.#layout.caCertificate;
    this.kubeconfigPath = this.#layout.adminKubeconfig;
    this.auditLogPath = options.auditLog === true ? this.#layout.auditLog : undefined;
    const access = writeFiles(this.#layout, this.server);
    this.#ca = access.ca;
    this.#client = createAdminClient({ server: this.server, ...access });
  }

  /** Use {@link startControlPlane}, which finds the programs too. */
  static async start(options: ControlPlaneOptions, tools: Tools): Promise<ControlPlane> {
    const held = await holdPort();
    const controlPlane = new ControlPlane(options, tools, held.port);
    await controlPlane.#startAll(held);
    return controlPlane;
  }

  /** Pids of the processes that run now, by name. */
  get pids(): Readonly<Record<string, number>> {
    const running = [...this.#processes].filter(([, child]) => child.outcome === undefined);
    return Object.fromEntries(running.map(([name, child]) => [name, child.pid]));
  }

  /** A token of a ServiceAccount; see {@link requestToken}. */
  async tokenFor({ namespace, name, expirationSeconds = 600 }: TokenOptions): Promise<string> {
    return (await requestToken(this.#client, { namespace, name }, expirationSeconds)).token;
  }

  /**
   * A folder with `token`, `ca.crt` and `namespace` like the one a pod of that ServiceAccount gets; the token lives
   * 10 minutes and is replaced before it expires, until this control plane is stopped.
   *
   * @returns the folder's path, the same each time.
   */
  async serviceAccountDirectory({ namespace, name }: ServiceAccountName): Promise<string> {
    const directory = join(this.#layout.serviceAccounts, namespace, name);
    if (!this.#tokenFolders.has(directory)) {
      const request = () => requestToken(this.#client, { namespace, name }, 600);
      const folder = await TokenFolder.create({ directory, namespace, ca: this.#ca, request });
      // somebody else may have asked for the same one meanwhile
      if (this.#tokenFolders.has(directory) || this.#stopped !== undefined) folder.close();
      else this.#tokenFolders.set(directory, folder);
    }
    return directory;
  }

  /** Runs kubectl as administrator; see {@link runKubectl}. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult> {
    const context = {
      program: this.#tools.kubectl,
      kubeconfigPath: this.kubeconfigPath,
      cacheDirectory: this.#layout.kubectlCache,
    };
    return runKubectl(context, args, options);
  }

  /** Starts the API server on the same port with the same data; resolves when it answers. It must not be running. */
  async startApiServer(): Promise<void> {
    const flags = apiServerFlags(this.#layout, {
      port: this.#port,
      auditLog: this.#options.auditLog === true,
    });
    this.#start('kube-apiserver', this.#tools.kubeApiserver, flags);
    await this.#waitUntilReady();
  }

  /** Ends the API server in good order and starts it again. */
  async restartApiServer(): Promise<void> {
    await this.#processes.get('kube-apiserver')?.end();
    await this.startApiServer();
  }

  /** Ends the API server at once, in the middle of whatever it does. */
  async killApiServer(): Promise<void> {
    await this.#processes.get('kube-apiserver')?.kill();
  }

  /** Ends etcd and starts it again with the same data; resolves when the API server answers again. */
  async restartEtcd(): Promise<void> {
    await this.#processes.get('etcd')?.end();
    this.#startEtcd();
    await this.#waitUntilReady();
  }

  /** Ends all processes and removes the folder (unless `keepDirectory`). May be called more than once. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop(this.#options.keepDirectory === true ? 'keep' : 'remove');
    return this.#stopped;
  }

  async #startAll(held: HeldPort): Promise<void> {
    try {
      this.#startEtcd();
      await held.release();
      await this.startApiServer();
      if (this.#options.controllerManager === true) this.#startControllerManager();
    } catch (error) {
      if (this.#stopped !== undefined) throw stoppedError();
      this.#stopped = this.#stop('keep logs');
      await this.#stopped;
      throw error;
    }
  }

  async #stop(directory: 'keep' | 'keep logs' | 'remove'): Promise<void> {
    for (const folder of this.#tokenFolders.values()) folder.close();
    const end = async (name: ProcessName): Promise<void> => {
      const child = this.#processes.get(name);
      // nobody misses what is removed anyway, and a second is saved
      await (directory === 'keep' ? child?.end() : child?.kill());
    };
    await Promise.all([end('kube-controller-manager'), end('kube-apiserver')]);
    await end('etcd');
    if (directory === 'remove') removeDirectory(this.directory);
    if (directory === 'keep logs') removeAllButLogs(this.#layout);
    this.#forget();
  }

  #stopNow(): void {
    for (const child of this.#processes.values()) child.killNow();
    if (this.#options.keepDirectory !== true) removeDirectory(this.directory);
  }

  #startEtcd(): void {
    this.#start('etcd', this.#tools.etcd, etcdFlags({ unsafeNoFsync: this.#options.unsafeNoFsync ?? true }));
  }

  #startControllerManager(): void {
    const flags = controllerManagerFlags(this.#layout);
    this.#start('kube-controller-manager', this.#tools.kubeControllerManager, flags);
  }

  #start(name: ProcessName, program: string, args: readonly string[]): void {
    if (this.#stopped !== undefined) throw stoppedError();
    if (this.pids[name] !== undefined) throw new CommandError('ALREADY_RUNNING', `${name} is running`);
    const child = new RunningProcess({
      name,
      program,
      args,
      workingDirectory: this.directory,
      logPath: join(this.#layout.logs, `${name}.log`),
      removeWhenOrphaned: this.#options.keepDirectory === true ? undefined : this.directory,
    });
    this.#processes.set(name, child);
  }

  async #waitUntilReady(): Promise<void> {
    const needed = [this.#processes.get('etcd'), this.#processes.get('kube-apiserver')];
    const ended = (): RunningProcess | undefined => needed.find((child) => child?.outcome !== undefined);
    const settled = async (): Promise<boolean> => ended() !== undefined || (await isReady(this.#client));
    const inTime = await waitUntil(settled, { timeoutMs: READY_TIMEOUT_MS });
    if (!inTime || ended() !== undefined)
      throw notReadyError(ended() ?? this.#processes.get('kube-apiserver'));
  }
}

function notReadyError(atFault: RunningProcess | undefined): CommandError {
  const what = atFault?.outcome === undefined ? 'was not ready in time' : `ended with ${atFault.outcome}`;
  const where = `its log is ${atFault?.logPath}, the last lines:\n${atFault?.logTail()}`;
  return new CommandError('NOT_READY', `${atFault?.name} ${what}; ${where}`);
}

function stoppedError(): CommandError {
  return new CommandError('STOPPED', 'the control plane has been stopped');
}
