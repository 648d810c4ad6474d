/** Makes the package that authors of agents install: `agent-trust/sdk`, and the command `agent-trust`. */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT, runCheck } from '../checks.ts';
import { CommandError } from '../control-plane/command-error.ts';
import { reachOf } from './reach.ts';

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** The oldest Node that test/integration/sdk/package.test.ts runs the package on. */
export const OLDEST_NODE = '22.12.0';
const DESCRIPTION =
  'SDK for agents of agent-trust, and agent-trust dev, which runs a swarm of them on one machine';
const SDK = 'sdk/index';
const COMMAND = 'cmd/agent-trust';

/**
 * Compiles what the two entries reach and nothing else, and packs it.
 *
 * @param out folder for the tarball; made if it is not there.
 * @returns The path of the tarball.
 * @throws CommandError `PACK_FAILED` with what tsc or npm said.
 */
export async function packSdk(out: string): Promise<string> {
  const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const work = mkdtempSync(join(tmpdir(), 'agent-trust-pack-'));
  const compiled = join(work, 'compiled');
  const staged = join(work, 'package');
  try {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const project = join(ROOT, 'hack/sdk-package/tsconfig.json');
    await run(process.execPath, tsc, '--project', project, '--outDir', compiled);
    stage(compiled, staged, own);
    mkdirSync(out, { recursive: true });
    await run('npm', 'pack', staged, '--ignore-scripts', '--pack-destination', out);
    return join(out, `agent-trust-${own.version}.tgz`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Lays out the folder that becomes the package. */
function stage(compiled: string, staged: string, own: Manifest): void {
  const runs = reachOf(compiled, [`${SDK}.js`, `${COMMAND}.js`]);
  const types = reachOf(compiled, [`${SDK}.d.ts`]);
  const peers = types.packages.filter((name) => !runs.packages.includes(name));
  for (const file of [...runs.files, ...types.files]) {
    const text = readFileSync(join(compiled, file), 'utf8');
    const target = join(staged, 'dist', file);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, file.endsWith('.d.ts') ? portable(text, peers) : text);
  }
  // dist/dev/schema.js reads them where src/dev/schema.ts does
  for (const name of ['crds', 'LICENSE']) cpSync(join(ROOT, name), join(staged, name), { recursive: true });
  const manifest = packageJson(own, runs.packages, peers);
  writeFileSync(join(staged, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Declarations that every tsc finds its way through: it leaves `.ts` in them, and a peer may be missing. */
function portable(declarations: string, peers: readonly string[]): string {
  const compiled = declarations.replace(/(['"])(\.[^'"]+)\.ts\1/g, '$1$2.js$1');
  return compiled.replace(/^import .* from '([^']+)';$/gm, (line, name: string) =>
    peers.includes(name) ? `// @ts-ignore\n${line}` : line,
  );
}

/** @param peers what only types name: the author brings it, or does without it. */
function packageJson(own: Manifest, runs: readonly string[], peers: readonly string[]): object {
  const versionOf = (name: string): string => {
    const version = own.dependencies[name];
    if (version === undefined) throw new Error(`package.json has no dependency ${name}`);
    return version;
  };
  return {
    name: 'agent-trust',
    version: own.version,
    description: DESCRIPTION,
    license: own.license,
    type: 'module',
    engines: { node: `>=${OLDEST_NODE}` },
    exports: { './sdk': { types: `./dist/${SDK}.d.ts`, default: `./dist/${SDK}.js` } },
    bin: { 'agent-trust': `dist/${COMMAND}.js` },
    dependencies: Object.fromEntries(runs.map((name) => [name, versionOf(name)])),
    peerDependencies: Object.fromEntries(peers.map((name) => [name, `^${versionOf(name)}`])),
    peerDependenciesMeta: Object.fromEntries(peers.map((name) => [name, { optional: true }])),
  };
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const { passed, output } = await runCheck({ name: program, program, args });
  if (!passed) throw new CommandError('PACK_FAILED', output);
}
