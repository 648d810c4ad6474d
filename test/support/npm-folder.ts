/** A folder outside of the repository into which npm installs, as whoever uses a package has it. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a program has ended. */
export interface ProgramResult {
  readonly exitStatus: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const INSTALL_MS = 120_000;
const PROGRAM_MS = 60_000;
const INSTALL = [
  'install',
  '--prefer-offline',
  '--no-audit',
  '--no-fund',
  '--ignore-scripts',
  '--loglevel=error',
  // whoever has no registry learns it in seconds
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=5000',
];

/** The folder. Has to be removed. */
export class NpmFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'agent-trust-npm-'));

  constructor() {
    this.write('package.json', '{ "private": true, "type": "module" }\n');
  }

  /** Absolute path of a file in it. */
  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.file(name), text);
  }

  /**
   * Installs packages: `name@version`, or paths of tarballs.
   *
   * @throws Error that says that the registry is needed, and what npm said.
   */
  async install(...packages: readonly string[]): Promise<void> {
    const { exitStatus, stderr } = await this.run('npm', [...INSTALL, ...packages], INSTALL_MS);
    if (exitStatus === 0) return;
    const why = 'this test needs npm and the registry of packages that `npm config get registry` names';
    throw new Error(`npm could not install ${packages.join(', ')}; ${why}. npm says:\n${stderr}`);
  }

  /** Runs a program in it until it ends by itself. */
  run(program: string, args: readonly string[], timeout: number = PROGRAM_MS): Promise<ProgramResult> {
    const { promise, resolve } = Promise.withResolvers<ProgramResult>();
    // npm tells its scripts where they run, and an npm below would believe it
    const own = Object.entries(process.env).filter(
      ([name]) => !/^(npm_config_local_prefix|INIT_CWD)$/.test(name),
    );
    const options = { cwd: this.path, env: Object.fromEntries(own), timeout };
    const child = execFile(program, args, options, (error, stdout, stderr) =>
      resolve({
        exitStatus: child.exitCode,
        stdout,
        stderr: stderr === '' ? (error?.message ?? '') : stderr,
      }),
    );
    return promise;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
