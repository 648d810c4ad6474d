/** docs/dev.md says what happens: its commands run in its order, each long-lived one until it is ready. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { codeBlocks, commandsOf } from '../../support/markdown.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/dev.md'), 'utf8');
const BLOCKS = codeBlocks(PAGE);
/** A first call waits half a minute. */
const CALL_MS = 90_000;

describe('docs/dev.md', () => {
  let desk: string;
  const children: ChildProcess[] = [];

  before(() => {
    desk = mkdtempSync(join(tmpdir(), 'agent-trust-docs-'));
    for (const name of ['examples', 'src', 'crds']) symlinkSync(join(ROOT, name), join(desk, name));
  });

  after(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
    rmSync(desk, { recursive: true, force: true });
  });

  /** The command without its variables, and these. */
  function parsed(command: string): { readonly words: string; readonly env: NodeJS.ProcessEnv } {
    const [, name, value, rest = ''] = /^(\w+)=(\S+) (.*)$/s.exec(command) ?? [];
    const words = (name === undefined ? command : rest).replace(
      'npm run --silent agent-trust --',
      'node src/cmd/agent-trust.ts',
    );
    return { words, env: { ...process.env, ...(name === undefined ? {} : { [name]: value }) } };
  }

  function run(command: string): Promise<{ readonly stdout: string; readonly exitStatus: number | null }> {
    const { promise, resolve } = Promise.withResolvers<{ stdout: string; exitStatus: number | null }>();
    const { words, env } = parsed(command);
    const options = { cwd: desk, env, timeout: CALL_MS };
    const child = execFile('sh', ['-c', `exec ${words}`], options, (_error, stdout) =>
      resolve({ stdout, exitStatus: child.exitCode }),
    );
    return promise;
  }

  async function keep(command: string, sign: string): Promise<void> {
    const { words, env } = parsed(command);
    const child = spawn('sh', ['-c', `exec ${words}`], { cwd: desk, env, stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    await eventually(`"${sign}" of ${command}`, () => output.includes(sign));
  }

  it('runs three agents that call each other', async () => {
    const ports = new Map([
      ['8442', await freePort()],
      ['8443', await freePort()],
    ]);
    const here = (command: string) => command.replace(/:(8442|8443)\b/g, (_, port) => `:${ports.get(port)}`);
    const commands = BLOCKS.filter(({ language }) => language === 'sh')
      .flatMap(commandsOf)
      .map(({ command }) => here(command));
    const [dev = '', validator = '', deployer = '', coordinator = '', curl = '', once = '', ...more] =
      commands;
    expect(more).to.deep.equal([]);
    await keep(dev, 'Ctrl-C ends it');
    await keep(validator, 'listens on');
    await keep(deployer, 'listens on');
    const answer = await run(coordinator);
    const [shown] = BLOCKS.filter(({ language }) => language === 'json');
    expect(JSON.parse(answer.stdout)).to.deep.equal(JSON.parse(shown?.text ?? ''));
    expect(await run(curl)).to.deep.equal({ stdout: '400\n', exitStatus: 0 });
    await Promise.all(children.splice(0).map((child) => ended(child)));
    const written = await run(once);
    expect(written.exitStatus).to.equal(0);
    expect(written.stdout).to.include('24 h');
    expect(existsSync(join(desk, '.agent-trust/ai-agents/agent-writer/bundle/bundle.jws'))).to.equal(true);
  });
});

async function ended(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGINT');
  await closed;
}
