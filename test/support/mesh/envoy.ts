/** A real Envoy in front of the pods of a test. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDirectory, removeDirectory } from '../../../hack/control-plane/directory.ts';
import { endWithThisProcess } from '../../../hack/control-plane/end-with-process.ts';
import { RunningProcess } from '../../../hack/control-plane/processes.ts';
import { ensureEnvoy } from '../../../hack/envoy/envoy.ts';
import { eventually } from '../eventually.ts';
import { type EnvoyOptions, envoyBootstrap } from './envoy-config.ts';

/** A running Envoy; it ends with this process at the latest. */
export class RunningEnvoy {
  readonly pid: number;
  readonly #directory: string;
  readonly #process: RunningProcess;
  readonly #forget: () => void;

  private constructor(program: string, options: EnvoyOptions) {
    this.#directory = createDirectory(undefined);
    const file = (name: string): string => join(this.#directory, name);
    writeFileSync(file('envoy.json'), JSON.stringify(envoyBootstrap(options)), { mode: 0o600 });
    const flags = ['--config-path', file('envoy.json'), '--admin-address-path', file('admin')];
    this.#process = new RunningProcess({
      name: 'envoy',
      program,
      args: [...flags, '--disable-hot-restart', '--concurrency', '1', '--log-level', 'error'],
      workingDirectory: this.#directory,
      logPath: file('envoy.log'),
      removeWhenOrphaned: this.#directory,
    });
    this.pid = this.#process.pid;
    this.#forget = endWithThisProcess({ stop: () => this.stop(), stopNow: () => this.#process.killNow() });
  }

  /**
   * Starts it and waits until it takes connections.
   *
   * @throws Error with the last lines of its log.
   */
  static async start(options: EnvoyOptions): Promise<RunningEnvoy> {
    const envoy = new RunningEnvoy(await ensureEnvoy(), options);
    try {
      await eventually('Envoy to be ready or to give up', () => envoy.#isSettled());
      if (envoy.#process.outcome !== undefined) throw new Error(envoy.#process.outcome);
    } catch (error) {
      const log = envoy.#process.logTail();
      await envoy.stop();
      throw new Error(`Envoy does not start:\n${log}`, { cause: error });
    }
    return envoy;
  }

  /** Ends it and removes what it wrote. */
  async stop(): Promise<void> {
    await this.#process.end();
    removeDirectory(this.#directory);
    this.#forget();
  }

  async #isSettled(): Promise<boolean> {
    if (this.#process.outcome !== undefined) return true;
    const admin = readFileSync(join(this.#directory, 'admin'), 'utf8');
    const response = await fetch(`http://${admin}/ready`);
    await response.arrayBuffer();
    return response.ok;
  }
}
