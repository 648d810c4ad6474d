/** A verifier that knows nothing of us but RFCs: the Python program of docs/tokens.md, with PyJWT. */

import { type ExecFileException, execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadAgent } from '../../../src/sdk/agent.ts';
import { codeBlocks } from '../../support/markdown.ts';
import { LocalSwarm } from '../../support/sdk/agent-folder.ts';

const PAGE = join(import.meta.dirname, '../../../docs/tokens.md');
const CAPABILITIES = [{ name: 'kubectl_get', resources: ['namespaces/staging/deployments/web'] }];

interface Verdict {
  readonly stdout: string;
  readonly stderr: string;
  readonly isAccepted: boolean;
}

describe('the verifier of docs/tokens.md', () => {
  let swarm: LocalSwarm;
  let program: string;
  let python: string;

  before(async () => {
    python = await pythonWithJwt();
    swarm = new LocalSwarm();
    program = join(swarm.folder('agent-deployer'), 'verify.py');
    const block = codeBlocks(readFileSync(PAGE, 'utf8')).find(({ language }) => language === 'python');
    writeFileSync(program, block?.text ?? '');
  });
  after(() => swarm?.close());

  function verify(token: string, audience: string): Promise<Verdict> {
    const bundle = join(swarm.folder('agent-deployer'), 'bundle');
    return run(python, [program, bundle, audience], token);
  }

  async function mint(): Promise<string> {
    const coordinator = await loadAgent(swarm.folder('agent-coordinator'), { store: 'none' });
    try {
      const made = coordinator.delegate({ to: 'agent-deployer', capabilities: CAPABILITIES });
      if (made.kind === 'refused') throw new Error(made.name);
      return made.token;
    } finally {
      await coordinator.close();
    }
  }

  it('accepts a token that the SDK makes, and reads what it grants', async () => {
    const { stdout, stderr } = await verify(await mint(), swarm.id('agent-deployer'));
    expect(stderr).to.equal('');
    expect(JSON.parse(stdout)).to.deep.equal(CAPABILITIES);
  });

  it('refuses it at another audience', async () => {
    const { isAccepted, stderr } = await verify(await mint(), swarm.id('agent-validator'));
    expect(isAccepted).to.equal(false);
    expect(stderr).to.contain('InvalidAudienceError');
  });

  it('refuses it with another payload', async () => {
    const [header = '', payload = '', signature = ''] = (await mint()).split('.');
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), max_uses: 5 };
    const altered = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const { isAccepted, stderr } = await verify(
      [header, altered, signature].join('.'),
      swarm.id('agent-deployer'),
    );
    expect(isAccepted).to.equal(false);
    expect(stderr).to.contain('InvalidSignatureError');
  });
});

/** @throws when no Python of this machine has PyJWT. */
async function pythonWithJwt(): Promise<string> {
  for (const each of ['python3', '/usr/bin/python3'])
    if ((await run(each, ['-c', 'import jwt, cryptography'], '')).isAccepted) return each;
  throw new Error('PyJWT is missing: apt-get install python3-jwt, or pip install pyjwt cryptography');
}

function run(program: string, args: readonly string[], stdin: string): Promise<Verdict> {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  const child = execFile(program, args, (error: ExecFileException | null, stdout, stderr) =>
    resolve({ stdout, stderr, isAccepted: error === null }),
  );
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin);
  return promise;
}
