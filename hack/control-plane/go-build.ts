/** Builds Go programs, with progress. */

import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { CommandError, unavailable } from './command-error.ts';
import type { Progress } from './progress.ts';
import { requireCommand } from './require-command.ts';

const WAY_TO_GET_GO = 'https://go.dev/dl (Debian 12: its golang-go package is too old)';

/** What a build needs. */
export interface BuildOptions {
  /** Absolute path of go. */
  readonly program: string;
  /** Folder of a Go module. */
  readonly module: string;
  /** Packages of it: `tool` for those of its `tool` lines, or a path. */
  readonly packages: string;
  /** Arguments of `go build`. */
  readonly flags: readonly string[];
  /** What is built, in words, for the progress. */
  readonly what: string;
  /** Existing or new folder that gets the binaries. */
  readonly output: string;
  /** Gets everything that go prints. */
  readonly logPath: string;
  readonly progress: Progress | undefined;
}

/** The version that go.mod requires of a module, for example `v1.36.3`. */
function requiredVersion(goMod: string, modulePath: string): string {
  const line = goMod.split('\n').find((text) => text.trim().startsWith(`${modulePath} v`));
  const version = line?.trim().split(' ')[1];
  if (version === undefined) throw new Error(`go.mod does not require ${modulePath}`);
  return version;
}

/** Arguments of `go build` for the module hack/tools. They are part of what names the folder of the binaries. */
export function buildFlags(goMod: string): readonly string[] {
  const kubernetes = requiredVersion(goMod, 'k8s.io/kubernetes');
  const helm = requiredVersion(goMod, 'helm.sh/helm/v4');
  const ldflags = [
    '-s -w',
    `-X k8s.io/component-base/version.gitVersion=${kubernetes}`,
    `-X k8s.io/client-go/pkg/version.gitVersion=${kubernetes}`,
    `-X helm.sh/helm/v4/internal/version.version=${helm}`,
  ];
  return ['-trimpath', '-ldflags', ldflags.join(' ')];
}

/**
 * Finds Go, which must be as new as go.mod asks for.
 *
 * @returns the absolute path of the program.
 * @throws CommandError `UNAVAILABLE`, one line that says what to install.
 */
export function requireGo(goMod: string): string {
  const wantedMinor = /^go 1\.(\d+)/m.exec(goMod)?.[1];
  const needed = `go 1.${wantedMinor} or later`;
  const program = requireCommand('go', `${needed} from ${WAY_TO_GET_GO}`);
  // outside of the module and with "local", or go would answer with the version it can download
  const options = { cwd: tmpdir(), encoding: 'utf8', env: { ...process.env, GOTOOLCHAIN: 'local' } } as const;
  const foundMinor = /\bgo1\.(\d+)/.exec(execFileSync(program, ['version'], options))?.[1];
  if (Number(foundMinor) >= Number(wantedMinor)) return program;
  throw unavailable(`${needed} is needed, go 1.${foundMinor} is installed: ${WAY_TO_GET_GO}`);
}

/**
 * Builds packages of a module into `output`.
 *
 * @throws CommandError `BUILD_FAILED` with the last lines of go.
 */
export async function goBuild(options: BuildOptions): Promise<void> {
  const { program, module, output, packages, flags, what, logPath, progress } = options;
  const startedAtMs = performance.now();
  const count = { downloaded: 0, compiled: 0 };
  const report = (): void => {
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    const done = count.compiled > 0 ? `${count.compiled} packages` : `${count.downloaded} modules downloaded`;
    progress?.update(`building ${what}: ${seconds} s, ${done}`);
  };
  const timer = setInterval(report, 500);
  report();
  try {
    const args = ['build', '-v', ...flags, '-o', `${output}/`, packages];
    await runGo({ program, module, logPath, args }, (line) => {
      if (line.startsWith('go: ')) count.downloaded++;
      else count.compiled++;
    });
  } finally {
    clearInterval(timer);
  }
}

interface GoCommand {
  readonly program: string;
  readonly module: string;
  readonly logPath: string;
  readonly args: readonly string[];
}

async function runGo(command: GoCommand, onLine: (line: string) => void): Promise<void> {
  const { program, module, logPath, args } = command;
  const env = { ...process.env, GOFLAGS: '-buildvcs=false', GOWORK: 'off' };
  const child = spawn(program, args, { cwd: module, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = Promise.withResolvers<number | null>();
  child.once('close', (status) => ended.resolve(status));
  const tail: string[] = [];
  writeFileSync(logPath, '');
  for await (const line of createInterface({ input: child.stderr })) {
    appendFileSync(logPath, `${line}\n`);
    tail.push(line);
    if (tail.length > 20) tail.shift();
    onLine(line);
  }
  if ((await ended.promise) === 0) return;
  const message = `go build failed, its log is ${logPath}; the last lines:\n${tail.join('\n')}`;
  throw new CommandError('BUILD_FAILED', message);
}
