/** `agent-trust dev` as a process of its own. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';

/** How a process has ended. */
export interface Ended {
  readonly exitStatus: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ENTRY = join(import.meta.dirname, '../../../src/cmd/agent-trust.ts');
const END_MS = 200_000;

/** Runs it until it ends by itself. */
export function runAgentTrust(args: readonly string[], cwd?: string): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const options = { timeout: END_MS, ...(cwd === undefined ? {} : { cwd }) };
  const child = execFile(process.execPath, [ENTRY, ...args], options, (_error, stdout, stderr) =>
    resolve({ exitStatus: child.exitCode, stdout, stderr }),
  );
  return promise;
}

/** One that runs. */
export class DevProcess {
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';

  private constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [ENTRY, 'dev', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
  }

  /** Resolves once it has written everything. Has to be ended. */
  static async start(args: readonly string[]): Promise<DevProcess> {
    const started = new DevProcess(args);
    try {
      await eventually('agent-trust dev to be ready', () => {
        if (started.#child.exitCode !== null) throw new Error(`it ended: ${started.#stderr}`);
        return started.#stdout.includes('Ctrl-C ends it');
      });
    } catch (error) {
      await started.end('SIGKILL');
      throw error;
    }
    return started;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Tells it to end, and waits until it has. Once it has ended it only says how. */
  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const closed = once(this.#child, 'close');
      this.#child.kill(signal);
      await closed;
    }
    return { exitStatus: this.#child.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }
}
