/** `npm run cluster`, as a person types it. */

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ensureTools } from '../../hack/control-plane/tools.ts';

interface Run {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[]): Promise<Run> {
  const { promise, resolve } = Promise.withResolvers<Run>();
  const child = execFile(program, args, (_error, stdout, stderr) => {
    resolve({ exitStatus: child.exitCode ?? -1, stdout, stderr });
  });
  return promise;
}

function cluster(...args: readonly string[]): Promise<Run> {
  return run('npm', ['run', '--silent', 'cluster', '--', ...args]);
}

describe('npm run cluster', () => {
  let parent: string;
  let directory: string;

  before(() => {
    parent = mkdtempSync(join(tmpdir(), 'cluster-command-'));
    directory = join(parent, "it's here");
  });

  after(async () => {
    await cluster('down', '--dir', directory);
    rmSync(parent, { recursive: true, force: true });
  });

  it('goes up in the background, tells its status and goes down', async () => {
    const { kubectl } = await ensureTools();
    const up = await cluster('up', '--keep', '--dir', directory);
    expect(up.stderr).to.match(/process \d+ runs https:\/\/127\.0\.0\.1:\d+, ready\n$/);
    expect(up.exitStatus).to.equal(0);

    // the printed line is for a shell
    const names = await run('sh', ['-c', `${up.stdout}\n'${kubectl}' get namespace default --output=name`]);
    expect(names).to.deep.equal({ exitStatus: 0, stdout: 'namespace/default\n', stderr: '' });

    const second = await cluster('up', '--keep', '--dir', directory);
    expect(second).to.deep.equal({
      exitStatus: 1,
      stdout: '',
      stderr: `a cluster runs in ${directory}: end it with "down", or name another --dir\n`,
    });

    const status = await cluster('status', '--dir', directory);
    expect(status).to.deep.equal({ exitStatus: 0, stdout: up.stdout, stderr: up.stderr });

    const down = await cluster('down', '--dir', directory);
    expect(down).to.deep.equal({ exitStatus: 0, stdout: '', stderr: `ended; ${directory} is removed\n` });
    expect(existsSync(directory)).to.equal(false);
    expect((await run('sh', ['-c', `${up.stdout}\n'${kubectl}' get namespaces`])).exitStatus).to.equal(1);
  });

  it('says so when nothing runs', async () => {
    const stderr = `nothing runs in ${join(parent, 'nowhere')}\n`;
    expect(await cluster('status', '--dir', join(parent, 'nowhere'))).to.deep.equal({
      exitStatus: 3,
      stdout: '',
      stderr,
    });
    expect(await cluster('down', '--dir', join(parent, 'nowhere'))).to.deep.equal({
      exitStatus: 0,
      stdout: '',
      stderr,
    });
  });

  it('never removes a folder that it did not make', async () => {
    const foreign = join(parent, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'letter.txt'), 'dear');
    const down = await cluster('down', '--dir', foreign);
    expect(down.stderr).to.equal(`${foreign} was not made by "up": it is left as it is\n`);
    const up = await cluster('up', '--dir', foreign);
    expect(up.stderr).to.equal(`${foreign} is not empty: name a folder that is new or empty\n`);
    expect([down.exitStatus, up.exitStatus]).to.deep.equal([1, 1]);
    expect(existsSync(join(foreign, 'letter.txt'))).to.equal(true);
  });

  it('explains itself when asked', async () => {
    const { exitStatus, stdout } = await cluster('--help');
    expect(exitStatus).to.equal(0);
    expect(stdout).to.match(/^usage: npm run cluster -- up /);
  });

  const WRONG = [[], ['sideways'], ['up', 'down'], ['up', '--nonsense'], ['up', '--dir'], ['down', '--keep']];
  for (const args of WRONG) {
    it(`rejects the arguments "${args.join(' ')}"`, async () => {
      const { exitStatus, stdout, stderr } = await cluster(...args);
      expect(exitStatus).to.equal(64);
      expect(stdout).to.equal('');
      expect(stderr).to.contain('usage: npm run cluster -- up ');
    });
  }
});
