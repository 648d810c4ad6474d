/** What is said on a machine that lacks something, and where programs are looked for. */

import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

interface Run {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('ensureTools', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tools-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  function program(path: string, script = ''): void {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, path), 0o755);
  }

  /** Runs ensureTools in a process of its own with nothing but this environment. */
  function ensure(env: Readonly<Record<string, string>>): Promise<Run> {
    const { promise, resolve } = Promise.withResolvers<Run>();
    const url = (path: string): string =>
      JSON.stringify(new URL(`../../../hack/control-plane/${path}`, import.meta.url));
    const code = `
      import { runMain } from ${url('command-error.ts')};
      import { ensureTools } from ${url('tools.ts')};
      await runMain(async () => { console.log(JSON.stringify(await ensureTools())); return 0; });`;
    const options = { env: { XDG_CACHE_HOME: join(directory, 'cache'), ...env } };
    const child = execFile(
      process.execPath,
      ['--input-type=module', '--eval', code],
      options,
      (_error, stdout, stderr) => resolve({ exitStatus: child.exitCode ?? -1, stdout, stderr }),
    );
    return promise;
  }

  it('says in one line that Go is missing', async () => {
    const { exitStatus, stderr } = await ensure({ PATH: directory });
    expect(stderr).to.match(
      /^go is needed and not installed: go 1\.\d+ or later from https:\/\/go\.dev\/dl .*\n$/,
    );
    expect(exitStatus).to.equal(69);
  });

  it('says in one line that Go is too old', async () => {
    program('bin/go', 'echo go version go1.19.8 linux/amd64');
    const { exitStatus, stderr } = await ensure({ PATH: join(directory, 'bin') });
    expect(stderr).to.match(
      /^go 1\.\d+ or later is needed, go 1\.19 is installed: https:\/\/go\.dev\/dl .*\n$/,
    );
    expect(exitStatus).to.equal(69);
  });

  it('says what go said when the build fails', async () => {
    program(
      'bin/go',
      'if [ "$1" = version ]; then echo go version go1.99.1 x/y; else echo no network >&2; exit 1; fi',
    );
    const { exitStatus, stderr } = await ensure({ PATH: join(directory, 'bin') });
    expect(stderr).to.match(/^go build failed, its log is .+; the last lines:\nno network\n$/);
    expect(exitStatus).to.equal(1);
  });

  it('takes programs from KUBEBUILDER_ASSETS and the others from AGENT_TRUST_TOOLS', async () => {
    for (const name of ['kube-apiserver', 'etcd', 'kubectl']) program(`assets/${name}`);
    const { stdout } = await ensure({
      KUBEBUILDER_ASSETS: join(directory, 'assets'),
      AGENT_TRUST_TOOLS: join(directory, 'tools'),
    });
    expect(JSON.parse(stdout)).to.deep.equal({
      directory: join(directory, 'tools'),
      kubeApiserver: join(directory, 'assets/kube-apiserver'),
      kubeControllerManager: join(directory, 'tools/kube-controller-manager'),
      kubectl: join(directory, 'assets/kubectl'),
      etcd: join(directory, 'assets/etcd'),
      helm: join(directory, 'tools/helm'),
    });
  });

  it('refuses KUBEBUILDER_ASSETS that lack a program', async () => {
    program('assets/etcd');
    const { exitStatus, stderr } = await ensure({ KUBEBUILDER_ASSETS: join(directory, 'assets') });
    expect(stderr).to.equal(
      `KUBEBUILDER_ASSETS=${join(directory, 'assets')} lacks kube-apiserver, kubectl\n`,
    );
    expect(exitStatus).to.equal(1);
  });

  it('builds once, with the versions that go.mod names', async () => {
    // a go that notes its arguments and makes empty programs
    program(
      'bin/go',
      `if [ "$1" = version ]; then echo go version go1.99.1 x/y; exit; fi
echo "$*" >> '${directory}/calls'
while [ "$1" != -o ]; do shift; done
mkdir -p "$2"; : > "$2server"`,
    );
    const env = { PATH: `${join(directory, 'bin')}:/bin:/usr/bin` };
    const [first, second] = await Promise.all([ensure(env), ensure(env)]);
    expect(first).to.deep.equal(second);
    expect(first.exitStatus).to.equal(0);
    const { directory: built } = JSON.parse(first.stdout);
    const calls = readFileSync(join(directory, 'calls'), 'utf8');
    expect(calls).to.match(
      /^build -v -trimpath -ldflags -s -w -X \S+version\.gitVersion=v1\.\d+\.\d+ .* -o \S+\.partial\/ tool\n$/,
    );
    expect(built.startsWith(join(directory, 'cache/agent-trust/tools/'))).to.equal(true);
  });
});
