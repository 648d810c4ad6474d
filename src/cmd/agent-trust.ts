#!/usr/bin/env node
/** The command of the package: `agent-trust <subcommand>`. */

import { DEV_EXIT, DevFailure } from '../dev/dev-failure.ts';
import { DEV_USAGE, parseDev, runDev } from './dev.ts';

const USAGE = `usage: agent-trust COMMAND

Commands:
  dev     runs a swarm on this machine: authority, identities and bundles from its manifests, without a cluster
  help    explains a command, for example agent-trust help dev
`;
const COMMANDS = ['dev', 'help'] as const;

const [command, ...args] = process.argv.slice(2);
process.exitCode = await main(command, args);

/** The exit status. */
async function main(name: string | undefined, rest: readonly string[]): Promise<number> {
  if (name === 'dev') return dev(rest);
  if (name === 'help' && rest[0] === 'dev') return say(DEV_USAGE);
  if (name === 'help' || name === '--help' || name === '-h') return say(USAGE);
  const problem = name === undefined ? 'name a command' : `there is no command "${name}"${nearest(name)}`;
  return complain([problem], 'agent-trust');
}

async function dev(rest: readonly string[]): Promise<number> {
  const parsed = parseDev(rest);
  if (parsed.kind === 'help') return say(DEV_USAGE);
  if (parsed.kind === 'invalid') return complain(parsed.problems, 'agent-trust dev');
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  try {
    await runDev(
      parsed.config,
      {
        out: (line) => process.stdout.write(`${line}\n`),
        error: (line) => process.stderr.write(`${line}\n`),
      },
      ending.signal,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof DevFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error.exitStatus;
  }
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function complain(problems: readonly string[], program: string): number {
  process.stderr.write(`${program}: ${problems.join('\n')}\nSee ${program} --help.\n`);
  return DEV_EXIT.usage;
}

function nearest(name: string): string {
  const [first] = COMMANDS.map((each) => ({ each, distance: distanceOf(name, each) }))
    .filter(({ each, distance }) => distance < each.length)
    .sort((a, b) => a.distance - b.distance);
  return first === undefined ? '' : `; did you mean "${first.each}"?`;
}

/** Edits of one letter between two words; Levenshtein. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [line, letter] of [...a].entries()) {
    const next = [line + 1];
    for (let at = 1; at <= b.length; at++)
      next.push(
        Math.min(
          (next[at - 1] ?? 0) + 1,
          (row[at] ?? 0) + 1,
          (row[at - 1] ?? 0) + (letter === b[at - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
