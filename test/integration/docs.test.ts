/** What the pages say is so: their examples are applied, their commands run, their links followed. */

import { execFile, spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { ensureTools } from '../../hack/control-plane/tools.ts';
import { readAgentFiles } from '../../hack/demo/agent-files.ts';
import { secretFiles } from '../../hack/demo/pod-folder.ts';
import { type OperatorProcess, startOperatorProcess } from '../../hack/operator/operator-process.ts';
import { mountFiles } from '../../src/dev/folder.ts';
import { useControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import {
  anchors,
  codeBlocks,
  commandsOf,
  localLinks,
  namedPaths,
  type ShownCommand,
} from '../support/markdown.ts';
import { OPERATOR_ACCOUNT } from '../support/operator.ts';
import { AGENTS, useSwarm } from '../support/swarm.ts';

interface Run {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

const ROOT = join(import.meta.dirname, '../..');
const PAGES = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort();
/** What commands of the pages name relative to the repository. */
const LINKED = ['examples', 'manifests', 'helm'];
const RUNS = /^(kubectl|helm) /;

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

function run(
  command: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; stdin?: string } = {},
): Promise<Run> {
  const { promise, resolve } = Promise.withResolvers<Run>();
  const { stdin, ...rest } = options;
  const [program = '', ...args] = command;
  const child = execFile(program, args, rest, (_error, stdout, stderr) => {
    resolve({ exitStatus: child.exitCode ?? -1, stdout, stderr });
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin);
  return promise;
}

describe('the pages', () => {
  it('are there', () =>
    expect(PAGES).to.include.members(['README.md', 'docs/architecture.md', 'docs/kinds/agentidentity.md']));

  for (const page of PAGES) {
    it(`${page}: links lead somewhere`, () => {
      const dead = localLinks(read(page)).filter((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(ROOT, target))) return true;
        return anchor !== undefined && !anchors(read(target)).includes(anchor);
      });
      expect(dead).to.deep.equal([]);
    });

    it(`${page}: files that it names exist`, () => {
      const missing = namedPaths(read(page)).filter(
        (path) => globSync(path.replace(/\/$/, ''), { cwd: ROOT }).length === 0,
      );
      expect(missing).to.deep.equal([]);
    });
  }

  it('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = PAGES.flatMap((page) =>
      [...read(page).matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name),
    );
    expect(named).to.include('demo');
    expect(named.filter((name) => name === undefined || !Object.hasOwn(scripts, name))).to.deep.equal([]);
  });

  const HELPS = new Set(PAGES.flatMap((page) => read(page).match(/npm (?:run \w+|start) -- --help/g) ?? []));
  for (const command of HELPS) {
    it(`"${command}" explains itself`, async () => {
      const { exitStatus, stdout } = await run(command.split(' '), { cwd: ROOT });
      expect(stdout).to.match(/usage:|Flags:/);
      expect(exitStatus).to.equal(0);
    });
  }

  it('the README fits in a few screens', () => {
    expect(read('README.md').split('\n').length).to.be.at.most(150);
  });
});

describe('the pages on a cluster', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const swarm = useSwarm(controlPlane);
  let operator: OperatorProcess | undefined;
  /** Where a reader would have the files of a page. */
  let desk: string;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    desk = mkdtempSync(join(tmpdir(), 'docs-'));
    for (const name of LINKED) symlinkSync(join(ROOT, name), join(desk, name));
    const { directory } = await ensureTools();
    const { kubeconfigPath } = controlPlane();
    env = {
      ...process.env,
      PATH: `${directory}:${process.env['PATH']}`,
      KUBECONFIG: kubeconfigPath,
      KUBERC: 'off',
    };
    operator = await startOperatorProcess({
      server: controlPlane().server,
      serviceAccountDirectory: await controlPlane().serviceAccountDirectory(OPERATOR_ACCOUNT),
      flags: [`--namespaces=${AGENTS}`],
      logPath: join(controlPlane().directory, 'operator.log'),
    });
  });
  after(async () => {
    await operator?.stop();
    rmSync(desk, { recursive: true, force: true });
  });

  /** Names of the AgentIdentities in a file of examples. */
  function identitiesIn(path: string): readonly { readonly name: string; readonly namespace: string }[] {
    const documents = parseAllDocuments(read(path)).map((document) => document.toJS());
    return documents.filter((object) => object?.kind === 'AgentIdentity').map(({ metadata }) => metadata);
  }

  it('examples become Ready, as they are', async () => {
    const folders = new Set(globSync('examples/*/*.yaml', { cwd: ROOT }).map(dirname));
    for (const folder of folders)
      await controlPlane().kubectl(['apply', `--filename=${join(ROOT, folder)}`, '--validate=strict']);
    const identities = globSync('examples/**/*.yaml', { cwd: ROOT }).flatMap(identitiesIn);
    expect(identities).to.not.have.length(0);
    for (const { name, namespace } of identities) await swarm().ready(name, 'Issued', { namespace });
  });

  it('manifests/agent-trust.yaml is taken by the API server', async () => {
    const path = join(ROOT, 'manifests/agent-trust.yaml');
    const { stdout } = await controlPlane().kubectl([
      'apply',
      '--dry-run=server',
      '--validate=strict',
      `--filename=${path}`,
    ]);
    expect(stdout).to.match(/^deployment\.apps\/agent-trust-controller configured \(server dry run\)$/m);
  });

  for (const page of PAGES) {
    const blocks = codeBlocks(read(page));
    const manifests = blocks.filter(
      ({ language, text }) => language === 'yaml' && /^apiVersion:/m.test(text),
    );
    const exempt = manifests.filter(({ info }) => info.startsWith('no-apply'));
    for (const { text, line } of manifests.filter((block) => !exempt.includes(block))) {
      it(`${page}:${line}: the API server takes the example`, async () => {
        const args = [
          'apply',
          '--server-side',
          '--dry-run=server',
          '--validate=strict',
          '--force-conflicts',
          '--filename=-',
        ];
        await controlPlane().kubectl(args, { stdin: text });
      });
    }
    for (const { info, line } of exempt) {
      it(`${page}:${line}: says why its example is not applied`, () =>
        expect(info).to.match(/^no-apply \S+ \S+/));
    }

    const shells = blocks.filter(({ language }) => ['console', 'sh'].includes(language));
    if (!shells.flatMap(commandsOf).some(({ command }) => RUNS.test(command))) continue;
    it(`${page}: commands do what it shows, one after the other`, async () => {
      for (const { info, text } of blocks) {
        const [, file] = /\bfile=(\S+)/.exec(info) ?? [];
        if (file !== undefined) writeFileSync(join(desk, file), text);
      }
      for (const block of shells) {
        if (block.info.startsWith('no-run'))
          expect(block.info, `${page}:${block.line}`).to.match(/^no-run \S+ \S+/);
        else await runBlock(block);
      }
    });
  }

  async function runBlock(block: ReturnType<typeof codeBlocks>[number]): Promise<void> {
    const [, status = '0'] = /\bexit=(\d+)/.exec(block.info) ?? [];
    for (const shown of commandsOf(block).filter(({ command }) => RUNS.test(command))) {
      const command = shown.command.startsWith('helm ') ? `${shown.command} --dry-run=server` : shown.command;
      const { exitStatus, stdout, stderr } = await run(['sh', '-c', command], { cwd: desk, env });
      expect(exitStatus, `${command}\n${stdout}${stderr}`).to.equal(Number(status));
      expectShown(shown, stdout);
    }
  }

  /** Tables are compared by their headings and by the rows that the page shows; everything else word by word. */
  function expectShown({ command, output }: ShownCommand, stdout: string): void {
    if (output.length === 0) return;
    const lines = stdout.trimEnd().split('\n');
    if (!command.startsWith('kubectl get ')) expect(lines, command).to.deep.equal(output);
    else expect(lines.map(cells), command).to.deep.include.members(output.map(cells));
  }

  /** The cells of a row without what differs each time. */
  function cells(row: string): readonly string[] {
    return row.split(/ {2,}/).map((cell) => {
      if (/^\d{4}-\d\d-\d\dT[\d:]+Z$/.test(cell)) return 'a time';
      if (/^[0-9a-f]{16,40}$/.test(cell)) return 'a number';
      return /^(\d+[smhd])+$/.test(cell) ? 'an age' : cell;
    });
  }

  it('docs/reference/metrics.md lists what /metrics prints, no more and no less', async () => {
    const scraped = await eventually('metrics', async () => (await fetch(`${operator?.url}/metrics`)).text());
    const kinds = new Map(
      [...scraped.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]),
    );
    const printed = [...scraped.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name, help]) => [
      name,
      kinds.get(name),
      help,
    ]);
    const [controllers = ''] = read('docs/reference/metrics.md').split('## The webhook');
    const rows = [...controllers.matchAll(/^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm)];
    expect(rows.map(([, name, type, , help]) => [name, type, help])).to.have.deep.members(printed);
    for (const [, name = '', , labels = ''] of rows) {
      const samples = scraped.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\} `, 'gm'));
      const used = new Set(
        [...samples].flatMap(([, set = '']) => [...set.matchAll(/(\w+)="/g)].map(([, label = '']) => label)),
      );
      used.delete('le');
      expect(labels.match(/\w+/g) ?? [], name).to.include.members([...used]);
    }
  });

  it('the Node server of docs/kinds/agentidentity.md answers whom it names and nobody else', async () => {
    const [block] = codeBlocks(read('docs/kinds/agentidentity.md')).filter(
      ({ language }) => language === 'js',
    );
    writeFileSync(join(desk, 'server.mjs'), block?.text ?? '');
    for (const agent of ['agent-deployer', 'agent-coordinator', 'agent-writer']) {
      mountFiles(join(desk, agent), secretFiles('tls', await swarm().secret(`${agent}-tls`)));
    }
    const port = await freePort();
    const server = spawn(process.execPath, ['server.mjs'], {
      cwd: desk,
      env: { TLS_DIR: 'agent-deployer/tls', PORT: String(port) },
      stdio: 'ignore',
    });
    try {
      const ask = (agent?: string): Promise<string> => firstLine(port, agent);
      await eventually('the server', async () => (await ask('agent-coordinator')) === 'HTTP/1.1 200 OK');
      expect(await ask('agent-writer')).to.equal('HTTP/1.1 403 Forbidden');
      expect(await ask()).to.contain('certificate required');
    } finally {
      server.kill();
    }
  });

  /** First line of the answer to an agent, or the error. */
  function firstLine(port: number, agent: string | undefined): Promise<string> {
    const { cert, key, ca } = readAgentFiles(join(desk, agent ?? 'agent-deployer', 'tls'));
    const own = agent === undefined ? {} : { cert, key };
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: `agent-deployer.${AGENTS}.svc`,
      ca,
      ...own,
    });
    socket.on('error', ({ message }) => resolve(message));
    socket.on('data', (data: Buffer) => {
      resolve(data.toString().split('\r\n')[0] ?? '');
      socket.destroy();
    });
    socket.write('GET / HTTP/1.1\r\nhost: agent-deployer\r\n\r\n');
    return promise;
  }
});
