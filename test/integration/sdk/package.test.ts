/** The package as authors of agents have it: from its tarball, in a folder of their own, on every Node that it says. */

import { copyFileSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../../hack/checks.ts';
import { OLDEST_NODE, packSdk } from '../../../hack/sdk-package/pack.ts';
import { NpmFolder } from '../../support/npm-folder.ts';

const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
};
const NODES = ['this Node', OLDEST_NODE] as const;
/** The package with that Node, where there is one. */
const OLDEST_NODE_PACKAGE = `node-linux-${process.arch}`;
const HAS_OLDEST_NODE = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);

const AUTHORS_TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    outDir: 'built',
  },
};
const COORDINATOR = 'spiffe://dev.agent-trust.invalid/ns/ai-agents/sa/agent-coordinator-sa';
const DEPLOYER = 'spiffe://dev.agent-trust.invalid/ns/ai-agents/sa/agent-deployer-sa';
const AGENTS = `
import { type Delegation, loadAgent, MemoryReplayStore } from 'agent-trust/sdk';

// as if it had run for an hour: a new store takes no token for its first 30 s
let ageSeconds = 3600;
const store = new MemoryReplayStore({ capacity: 1000, now: () => Date.now() / 1000 - ageSeconds });
ageSeconds = 0;

const paths: Delegation['path'][] = [];
const deployer = await loadAgent('swarm/ai-agents/agent-deployer', { store });
const serving = await deployer.serve(
  (_request, call) => {
    call.require('kubectl_get', 'namespaces/staging/deployments/web');
    paths.push(call.path);
    return Response.json({ by: call.principal });
  },
  { port: 0, host: '127.0.0.1' },
);
const connectTo = () => ({ host: '127.0.0.1', port: serving.port });
const coordinator = await loadAgent('swarm/ai-agents/agent-coordinator', { store: 'none', client: { connectTo } });
const answer = await coordinator.fetch('https://agent-deployer:8443/v1/delegate', {
  method: 'POST',
  delegate: { capabilities: [{ name: 'kubectl_get' }] },
});
const { node } = process.versions;
console.log(JSON.stringify({ node, status: answer.status, body: await answer.json(), paths }));
await coordinator.close();
await deployer.close();
`;
/** The types are types, not `any`. */
const WRONG = `
import { type Agent, loadAgent } from 'agent-trust/sdk';

const agent: Agent = await loadAgent();
export const name: number = agent.name;
`;

describe('the package agent-trust', () => {
  let author: NpmFolder;

  before(async () => {
    author = new NpmFolder();
    const tarball = await packSdk(author.path);
    const types = `@types/node@${devDependencies['@types/node']}`;
    const oldest = HAS_OLDEST_NODE ? [`${OLDEST_NODE_PACKAGE}@${OLDEST_NODE}`] : [];
    await author.install(tarball, types, ...oldest);
    author.write('tsconfig.json', JSON.stringify({ ...AUTHORS_TSCONFIG, include: ['*.ts'] }));
    author.write('agents.ts', AGENTS);
    for (const file of globSync(join(ROOT, 'examples/laptop/*.ts')))
      copyFileSync(file, author.file(basename(file)));
  });

  after(() => author?.remove());

  const tsc = (...args: readonly string[]) =>
    author.run(process.execPath, [
      join(ROOT, 'node_modules/typescript/bin/tsc'),
      '--pretty',
      'false',
      ...args,
    ]);

  it('brings what it runs on, and nothing of Kubernetes', () => {
    const text = readFileSync(author.file('node_modules/agent-trust/package.json'), 'utf8');
    const { name, version, license, exports, bin, engines, ...manifest } = JSON.parse(text);
    expect({ name, license, exports, bin, engines }).to.deep.equal({
      name: 'agent-trust',
      license: 'Apache-2.0',
      exports: { './sdk': { types: './dist/sdk/index.d.ts', default: './dist/sdk/index.js' } },
      bin: { 'agent-trust': 'dist/cmd/agent-trust.js' },
      engines: { node: `>=${OLDEST_NODE}` },
    });
    const { ajv, 'node-forge': forge, undici, yaml } = dependencies;
    expect(manifest.dependencies).to.deep.equal({ ajv, 'node-forge': forge, undici, yaml });
    expect(manifest.peerDependencies).to.deep.equal({ ioredis: `^${dependencies['ioredis']}` });
    expect(manifest.peerDependenciesMeta).to.deep.equal({ ioredis: { optional: true } });
    expect(readdirSync(author.file('node_modules')))
      .to.include('undici')
      .and.not.include('ioredis');
    expect(readdirSync(author.file('node_modules')).join(' ')).to.not.match(/kubernetes/);
  });

  it('has types that a strict compiler takes, with every library checked', async () => {
    expect(await tsc('--project', '.')).to.deep.equal({ exitStatus: 0, stdout: '', stderr: '' });
  });

  it('has types that a strict compiler refuses to mistake', async () => {
    author.write('wrong.mts', WRONG);
    author.write('wrong.json', JSON.stringify({ ...AUTHORS_TSCONFIG, files: ['wrong.mts'] }));
    const { exitStatus, stdout } = await tsc('--project', 'wrong.json', '--noEmit');
    expect({ exitStatus, stdout }).to.deep.equal({
      exitStatus: 1,
      stdout: "wrong.mts(5,14): error TS2322: Type 'string' is not assignable to type 'number'.\n",
    });
  });

  for (const version of NODES)
    describe(`on ${version}`, () => {
      const node = () =>
        version === OLDEST_NODE
          ? author.file(`node_modules/${OLDEST_NODE_PACKAGE}/bin/node`)
          : process.execPath;

      before(function () {
        if (version === OLDEST_NODE && !HAS_OLDEST_NODE) this.skip();
      });

      it('makes the files of a swarm, from whose agents one calls another', async () => {
        const swarm = join(ROOT, 'examples/swarm');
        const command = author.file('node_modules/.bin/agent-trust');
        const made = await author.run(node(), [command, 'dev', '--once', '--out', 'swarm', swarm]);
        expect(made).to.include({ exitStatus: 0, stderr: 'passed over: 5 ServiceAccount\n' });
        const { stdout, ...ended } = await author.run(node(), ['built/agents.js']);
        expect(ended).to.deep.equal({ exitStatus: 0, stderr: '' });
        expect(JSON.parse(stdout)).to.deep.equal({
          node: version === OLDEST_NODE ? OLDEST_NODE : process.versions.node,
          status: 200,
          body: { by: COORDINATOR },
          paths: [[COORDINATOR, DEPLOYER]],
        });
      });
    });

  it('has a command that npx finds', async () => {
    const { exitStatus, stdout } = await author.run('npx', ['--no-install', 'agent-trust', 'dev', '--help']);
    expect(stdout).to.match(/^usage: agent-trust dev/);
    expect(exitStatus).to.equal(0);
  });
});
