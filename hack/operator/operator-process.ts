/** The controller, or the webhook, as a process of this machine, against any API server, as it would run in a pod. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CommandError } from '../control-plane/command-error.ts';
import { endWithThisProcess } from '../control-plane/end-with-process.ts';

/** How it is started. */
export interface OperatorProcessOptions {
  /** Default: the controller. */
  readonly entry?: 'controller' | 'webhook';
  /** URL of the API server, without a path. */
  readonly server: string;
  /** Folder with token, ca.crt and namespace. */
  readonly serviceAccountDirectory: string;
  readonly flags: readonly string[];
  /** Where its log goes. */
  readonly logPath: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A line of its log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** What a process says when it listens, and on which port. */
type ListeningServer = 'health server' | 'admission server';

const ENTRIES = join(import.meta.dirname, '../../src/cmd');
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 45_000;
/** Those of the chart; docs/decisions/0009 says why. */
export const NODE_FLAGS: readonly string[] = [
  '--max-semi-space-size=8',
  '--heap-growing-percent=20',
  '--no-allocation-site-pretenuring',
];

/** Starts it, and resolves when it listens on its port. */
export async function startOperatorProcess(options: OperatorProcessOptions): Promise<OperatorProcess> {
  const operator = new OperatorProcess(options);
  await operator.listening();
  return operator;
}

/** The sum over all label sets of metric `name` that contain `labels`, in the text that Prometheus reads. */
export function sumOfSamples(text: string, name: string, labels = ''): number {
  return text
    .split('\n')
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** A running process. */
export class OperatorProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<string>;
  readonly #ports: Readonly<Record<ListeningServer, PromiseWithResolvers<number>>> = {
    'health server': Promise.withResolvers(),
    'admission server': Promise.withResolvers(),
  };
  readonly #logPath: string;
  #port = 0;

  /** Use {@link startOperatorProcess}. */
  constructor(options: OperatorProcessOptions) {
    const { entry = 'controller', server, serviceAccountDirectory, flags, logPath, env } = options;
    const { hostname, port } = new URL(server);
    this.#logPath = logPath;
    this.#child = spawn(
      process.execPath,
      [
        ...NODE_FLAGS,
        join(ENTRIES, `${entry}.ts`),
        '--http-port=0',
        '--http-host=127.0.0.1',
        `--service-account-directory=${serviceAccountDirectory}`,
        ...flags,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        // Nothing of the caller's kubeconfig: it would be preferred.
        env: {
          PATH: process.env['PATH'],
          KUBERNETES_SERVICE_HOST: hostname,
          KUBERNETES_SERVICE_PORT: port,
          ...env,
        },
      },
    );
    const forget = endWithThisProcess({
      stop: async () => void (await this.stop()),
      stopNow: () => void this.#child.kill('SIGKILL'),
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        forget();
        resolve(signal ?? `exit status ${code}`);
      });
    });
    this.#readLog(logPath);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Root of /metrics, /healthz and /readyz. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves when it answers on {@link url}; rejects when it ends before. */
  async listening(): Promise<void> {
    this.#port = await this.portOf('health server');
  }

  /** The port of one of its servers, once that listens; rejects when the process ends before. */
  async portOf(server: ListeningServer): Promise<number> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(this.#failure('did not listen in time')), START_TIMEOUT_MS);
    const ended = this.#exited.then((how) => {
      throw this.#failure(`ended with ${how}`);
    });
    try {
      return await Promise.race([this.#ports[server].promise, ended, late]);
    } finally {
      clearTimeout(timer);
      ended.catch(() => {});
    }
  }

  /** Whether it says that it is ready. */
  async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`)).ok;
    } catch {
      return false;
    }
  }

  /** See {@link sumOfSamples}. */
  async metric(name: string, labels = ''): Promise<number> {
    return sumOfSamples(await (await fetch(`${this.url}/metrics`)).text(), name, labels);
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** How it ended; resolves when it has. */
  exited(): Promise<string> {
    return this.#exited;
  }

  /** Ends it in good order, or at once when that takes too long. */
  async stop(): Promise<string> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const how = await this.#exited;
    clearTimeout(timer);
    return how;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #readLog(logPath: string): void {
    const log = createWriteStream(logPath, { flags: 'a' });
    this.#child.stderr?.pipe(log, { end: false });
    this.#child.once('close', () => log.end());
    if (this.#child.stdout === null) return;
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      log.write(`${text}\n`);
      for (const [server, port] of Object.entries(this.#ports)) {
        if (text.includes(`${server} listens`)) port.resolve((JSON.parse(text) as { port: number }).port);
      }
    });
  }

  #failure(what: string): CommandError {
    return new CommandError('OPERATOR_FAILED', `the operator ${what}; its log is ${this.#logPath}`);
  }
}
