/** The command as authors run it: its files are those of a pod, and the SDK takes them. */

import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readPolicyFile } from '../../../src/domain/token/state/policy-file.ts';
import { type Agent, loadAgent } from '../../../src/sdk/index.ts';
import { DevProcess, runAgentTrust } from '../../support/dev/dev-process.ts';
import { agentText, manifest, policyText, SWARM, useFolder } from '../../support/dev/laptop.ts';
import { eventually } from '../../support/eventually.ts';

const PAIR = agentText('one', 'read_file') + agentText('two', 'read_file', 'write_file');
const ONE_TO_TWO = policyText('one', 'two', 'read_file');

describe('agent-trust', () => {
  it('explains itself and its commands', async () => {
    const [all, dev, help] = await Promise.all(
      [['--help'], ['dev', '--help'], ['help', 'dev']].map((args) => runAgentTrust(args)),
    );
    expect([all?.exitStatus, dev?.exitStatus, help?.exitStatus]).to.deep.equal([0, 0, 0]);
    expect(all?.stdout).to.match(/^usage: agent-trust COMMAND/);
    expect(dev?.stdout).to.match(/^usage: agent-trust dev/);
    expect(help?.stdout).to.equal(dev?.stdout);
  });

  it('names the nearest command for one that there is not', async () => {
    expect(await runAgentTrust(['dve', 'x'])).to.deep.equal({
      exitStatus: 64,
      stdout: '',
      stderr: 'agent-trust: there is no command "dve"; did you mean "dev"?\nSee agent-trust --help.\n',
    });
  });
});

describe('agent-trust dev', () => {
  const folder = useFolder();
  let running: DevProcess | undefined;
  const agents: Agent[] = [];

  const out = () => join(folder.path, 'out');
  const dirOf = (agent: string) => join(out(), agent);
  const once = (...args: readonly string[]) => runAgentTrust(['dev', '--once', '--out', out(), ...args]);
  const read = (path: string) => readFileSync(join(out(), path), 'utf8');
  const readState = () => JSON.parse(read('state.json')) as Record<string, object>;

  async function start(...args: readonly string[]): Promise<DevProcess> {
    running = await DevProcess.start(['--out', out(), ...args]);
    return running;
  }

  async function load(agent: string): Promise<Agent> {
    const loaded = await loadAgent(dirOf(agent), { store: 'none', onProblem: () => undefined });
    agents.push(loaded);
    return loaded;
  }

  afterEach(async () => {
    for (const agent of agents.splice(0)) await agent.close();
    await running?.end('SIGKILL');
    running = undefined;
  });

  it('writes files that the SDK takes, for every agent of the swarm', async () => {
    const { exitStatus, stdout, stderr } = await once(SWARM);
    expect({ exitStatus, stderr }).to.deep.equal({
      exitStatus: 0,
      stderr: 'passed over: 5 ServiceAccount\n',
    });
    for (const name of ['coordinator', 'deployer', 'analyst', 'writer', 'validator']) {
      const agent = await load(`ai-agents/agent-${name}`);
      expect([agent.name, agent.id, agent.problems]).to.deep.equal([
        `ai-agents/agent-${name}`,
        `spiffe://dev.agent-trust.invalid/ns/ai-agents/sa/agent-${name}-sa`,
        [],
      ]);
      expect(stdout).to.include(`${agent.id} `);
    }
    const [coordinator] = agents;
    const wish = { capabilities: [{ name: 'kubectl_get', resources: ['namespaces/staging/pods/x'] }] };
    expect(coordinator?.delegate({ to: 'agent-deployer', ...wish }).kind).to.equal('delegated');
    expect(coordinator?.delegate({ to: 'agent-validator', ...wish })).to.include({ name: 'not_delegable' });
  });

  it('keeps bundles good for a day when nobody is there to sign them again, and says so', async () => {
    const { stdout } = await once(folder.write('a.yaml', PAIR));
    const { bundle } = (await load('default/one')).current;
    expect((bundle?.claims.exp ?? 0) - (bundle?.claims.iat ?? 0)).to.equal(86_400);
    expect(stdout).to.include('the bundles are good for 24 h, since nobody renews them');
  });

  it('lets nobody else read what it writes, and git not see it', async () => {
    await once(folder.write('a.yaml', PAIR));
    const modes = [
      '',
      'state.json',
      'default/one',
      'default/one/tls/tls.key',
      'default/one/signing/signing.key',
    ].map((path) => statSync(join(out(), path)).mode & 0o777);
    expect(modes).to.deep.equal([0o700, 0o600, 0o700, 0o600, 0o600]);
    expect(read('.gitignore')).to.equal('*\n');
  });

  it('keeps authority, certificates and keys from run to run, and bundles grow', async () => {
    const file = folder.write('a.yaml', PAIR);
    await once(file);
    const before = (await load('default/one')).current;
    const certificate = read('default/one/tls/tls.crt');
    await once(file);
    const after = (await load('default/one')).current;
    expect(read('default/one/tls/tls.crt')).to.equal(certificate);
    expect(after.tls.caPem).to.equal(before.tls.caPem);
    expect(after.signer.kid).to.equal(before.signer.kid);
    expect(after.bundle?.claims.sequence).to.be.greaterThan(before.bundle?.claims.sequence ?? Number.NaN);
  });

  it('says in policy.json and certificate where agents listen', async () => {
    const hosts = ['--host', 'one=localhost:8441', '--host=default/two=192.0.2.7:8442'];
    await once(folder.write('a.yaml', PAIR + ONE_TO_TWO), ...hosts);
    const policy = readPolicyFile(read('default/one/bundle/policy.json'));
    const said = [...(policy?.agents.values() ?? [])].map(({ name, address, server }) => [
      name,
      address,
      server?.port,
      server?.hosts.at(-1),
    ]);
    expect(said).to.deep.equal([
      ['default/one', 'localhost:8441', 8441, 'localhost'],
      ['default/two', '192.0.2.7:8442', 8442, '192.0.2.7'],
    ]);
    const { subjectAltName } = new X509Certificate(read('default/two/tls/tls.crt'));
    expect(subjectAltName?.split(', ').slice(1)).to.deep.equal([
      'DNS:two.default.svc',
      'DNS:two.default.svc.cluster.local',
      'DNS:two',
      'DNS:two.default',
      'DNS:localhost',
      'IP Address:127.0.0.1',
      'IP Address:192.0.2.7',
    ]);
  });

  it('takes a change of the manifests over while agents run', async () => {
    const file = folder.write('a.yaml', PAIR);
    const dev = await start(file);
    const one = await load('default/one');
    const wish = { to: 'two', capabilities: [{ name: 'read_file', resources: ['/data/x'] }] };
    expect(one.delegate(wish)).to.include({ kind: 'refused', name: 'not_delegable' });
    writeFileSync(file, PAIR + ONE_TO_TWO);
    await eventually('the edge to be there', () => one.delegate(wish).kind === 'delegated');
    writeFileSync(file, PAIR + ONE_TO_TWO + agentText('three', 'read_file'));
    await eventually('the new agent to be there', () => existsSync(dirOf('default/three/tls/tls.key')));
    writeFileSync(file, PAIR);
    await eventually('what went to be gone', () => !existsSync(dirOf('default/three')));
    await eventually('the edge to be gone', () => one.delegate(wish).kind === 'refused');
    expect(dev.stderr).to.match(/Warning: .*two gains read_file/);
  });

  it('refuses a policy that widens on the screen, and all stays as it was', async () => {
    const file = folder.write('a.yaml', PAIR + ONE_TO_TWO);
    const dev = await start(file);
    const before = readlinkSync(dirOf('default/one/..data'));
    writeFileSync(file, PAIR + policyText('one', 'two', 'read_file', 'write_file'));
    await eventually('the refusal', () => dev.stderr.includes('what is refused stays as it was'));
    expect(dev.stderr).to.include(
      'this would widen capabilities\n  spec.rules[0].capabilities[1] write_file: one does not hold it for Delegate (it holds read_file).',
    );
    expect(readlinkSync(dirOf('default/one/..data'))).to.equal(before);
    writeFileSync(file, '{');
    await eventually('the error', () => dev.stderr.includes(`${file}:1: `));
    rmSync(file);
    await eventually('the loss', () => dev.stderr.includes(`${file} does not exist.`));
    expect(readlinkSync(dirOf('default/one/..data'))).to.equal(before);
    writeFileSync(file, PAIR);
    await eventually('it to go on', () => readlinkSync(dirOf('default/one/..data')) !== before);
  });

  it('withdraws the keys of an agent that is suspended, and tells the others', async () => {
    const file = folder.write('a.yaml', PAIR + ONE_TO_TWO);
    await start(file);
    const two = await load('default/two');
    const { id } = await load('default/one');
    const suspended = manifest('AgentIdentity', 'one', {
      suspended: true,
      capabilities: [{ name: 'read_file' }],
    });
    writeFileSync(file, suspended + agentText('two', 'read_file', 'write_file') + ONE_TO_TWO);
    await eventually('the bundle to say so', () => two.current.bundle?.state.revocations.isSuspended(id));
    expect(existsSync(dirOf('default/one/tls'))).to.equal(false);
    expect(existsSync(dirOf('default/one/bundle'))).to.equal(true);
  });

  it('revives nothing when a revocation is taken away', async () => {
    const file = folder.write('a.yaml', PAIR + manifest('TokenRevocation', 'r', { agent: 'one' }));
    await start(file);
    const revoked = () => readState()['revocations'];
    expect(revoked()).to.have.length(1);
    const before = revoked();
    const sequence = () => JSON.stringify(readState()['sequences']);
    const first = sequence();
    writeFileSync(file, PAIR + ONE_TO_TWO);
    await eventually('the next bundle', () => sequence() !== first);
    expect(revoked()).to.deep.equal(before);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`ends cleanly on ${signal}`, async () => {
      const dev = await start(folder.write('a.yaml', PAIR));
      const { exitStatus, stdout } = await dev.end(signal);
      expect(exitStatus).to.equal(0);
      expect(stdout).to.match(/ended: .* at most 30 min\n$/);
      expect(existsSync(dirOf('.lock'))).to.equal(false);
    });
  }

  it('leaves a folder to the process that keeps it, and takes over that of one that was killed', async () => {
    const file = folder.write('a.yaml', PAIR);
    const dev = await start(file);
    const second = await once(file);
    expect(second.exitStatus).to.equal(75);
    expect(second.stderr).to.match(/is kept by another agent-trust dev \(process \d+\)/);
    await dev.end('SIGKILL');
    expect((await once(file)).exitStatus).to.equal(0);
  });

  describe('wrong input', () => {
    const cases: readonly {
      readonly what: string;
      readonly text?: string;
      readonly args?: readonly string[];
      readonly status: number;
      readonly says: RegExp;
    }[] = [
      { what: 'no file', args: ['nowhere.yaml'], status: 66, says: /nowhere\.yaml does not exist\./ },
      { what: 'no YAML', text: 'a: [', status: 65, says: /a\.yaml:1: / },
      { what: 'no agent', text: '', status: 65, says: /there is no AgentIdentity in it/ },
      {
        what: 'a field of another type',
        text: manifest('AgentIdentity', 'one', { suspended: 1 }),
        status: 65,
        says: /a\.yaml:2: AgentIdentity default\/one: spec\.suspended must be boolean/,
      },
      {
        what: 'two identities on one ServiceAccount',
        text: PAIR + manifest('AgentIdentity', 'three', { serviceAccountName: 'one' }),
        status: 65,
        says: /ServiceAccount default\/one is the identity of the older AgentIdentity one\./,
      },
      {
        what: 'a policy that widens',
        text: PAIR + policyText('one', 'two', 'write_file'),
        status: 65,
        says: /this would widen capabilities/,
      },
      {
        what: 'a host of nobody',
        text: PAIR,
        args: ['--host=six=localhost:1'],
        status: 64,
        says: /--host: six is no agent\. Agents are: default\/one, default\/two/,
      },
      {
        what: 'a flag that it does not know',
        text: PAIR,
        args: ['--insecure'],
        status: 64,
        says: /Unknown option/,
      },
      {
        what: 'a folder below a file',
        text: PAIR,
        args: ['--out=/dev/null/out'],
        status: 73,
        says: /\/dev\/null\/out cannot be written \(ENOTDIR\)/,
      },
      {
        what: 'a folder where the kernel makes none',
        text: PAIR,
        args: ['--out=/proc/agent-trust/out'],
        status: 73,
        says: /\/proc\/agent-trust\/out cannot be written \(ENOENT\)/,
      },
      {
        what: "somebody else's folder",
        text: PAIR,
        args: [`--out=${SWARM}`],
        status: 73,
        says: /is not empty/,
      },
    ];
    for (const { what, text, args = [], status, says } of cases) {
      it(`${what}: exit status ${status}, a sentence, and nothing is written`, async () => {
        const files = text === undefined ? [] : [folder.write('a.yaml', text)];
        const { exitStatus, stdout, stderr } = await once(...files, ...args);
        expect({ exitStatus, stdout }).to.deep.equal({ exitStatus: status, stdout: '' });
        expect(stderr).to.match(says);
        expect(existsSync(out())).to.equal(false);
      });
    }

    it('another trust domain than before: exit status 65', async () => {
      const file = folder.write('a.yaml', PAIR);
      await once(file);
      const before = read('state.json');
      const { exitStatus, stderr } = await once(file, '--trust-domain=other.test');
      expect(exitStatus).to.equal(65);
      expect(stderr).to.match(/was made for trust domain dev\.agent-trust\.invalid/);
      expect(read('state.json')).to.equal(before);
    });

    it('a state that somebody has altered: exit status 65', async () => {
      const file = folder.write('a.yaml', PAIR);
      await once(file);
      writeFileSync(join(out(), 'state.json'), '{"version":2}');
      const { exitStatus, stderr } = await once(file);
      expect(exitStatus).to.equal(65);
      expect(stderr).to.match(/is not what agent-trust dev wrote/);
    });
  });
});
