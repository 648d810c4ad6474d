import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { AgentDirectory } from '../../../../src/sdk/files/agent-directory.ts';
import type { FileProblem, FileProblemCode } from '../../../../src/sdk/files/file-problem.ts';
import { LoadFailed } from '../../../../src/sdk/load-failed.ts';
import { eventually } from '../../../support/eventually.ts';
import { type FileChanges, LocalSwarm } from '../../../support/sdk/agent-folder.ts';
import { swapFolder, writeFiles } from '../../../support/sdk/mounted-folder.ts';

const NAME = 'agent-deployer';
const MINUTE_MS = 60_000;
const NEVER_MS = 3_600_000;

describe('AgentDirectory', () => {
  let nowMs: number;
  let swarm: LocalSwarm;
  let directory: AgentDirectory | undefined;
  const clock = (): number => nowMs;

  beforeEach(() => {
    nowMs = Date.now();
    swarm = new LocalSwarm({ nowMs: clock });
  });

  afterEach(() => {
    directory?.close();
    directory = undefined;
    swarm.close();
  });

  async function open(dir: string = swarm.folder(NAME), pollMs = NEVER_MS): Promise<AgentDirectory> {
    directory = await AgentDirectory.open(dir, { nowMs: clock, pollMs });
    return directory;
  }

  /** Writes the next bundle with changes, and reads it. */
  async function write(changes: FileChanges): Promise<void> {
    swarm.sequence += 1;
    swapFolder(swarm.folder(NAME), swarm.files(NAME, changes));
    await directory?.reload();
  }

  describe('open', () => {
    it('reads who the agent is, its key and its bundle', async () => {
      const { current, problems } = await open();
      const { identity, namespace, trustDomain, tls, signer, bundle } = current;
      const { cert, key, ca } = swarm.certificate(NAME);
      expect({ identity, namespace, trustDomain }).to.deep.equal({
        identity: swarm.id(NAME),
        namespace: 'ai-agents',
        trustDomain: 'cluster.local',
      });
      expect([tls.certificatePem, tls.privateKeyPem, tls.caPem]).to.deep.equal([cert, key, ca]);
      expect(signer.kid).to.equal(swarm.keys(NAME).published()[0]?.kid);
      expect(bundle?.claims.sequence).to.equal(swarm.sequence);
      expect(bundle?.policy.agents.get(identity)?.name).to.equal(`ai-agents/${NAME}`);
      expect(problems).to.deep.equal([]);
    });

    it('reads a folder that no kubelet has written', async () => {
      const plain = join(swarm.root, 'plain');
      writeFiles(plain, swarm.files(NAME));
      expect((await open(plain)).current).to.deep.include({ identity: swarm.id(NAME) });
    });

    it('puts the parts of a bundle together', async () => {
      const { 'bundle/policy.json': policy = '' } = swarm.files(NAME);
      const { edges, ...rest } = JSON.parse(policy.toString());
      const parts = {
        'policy.json': JSON.stringify({ ...rest, edges: edges.slice(0, 1) }),
        'policy-1.json': JSON.stringify({ ...rest, agents: {}, edges: edges.slice(1) }),
        'jwks-1.json': JSON.stringify({ version: 1, issuers: {} }),
      };
      const opened = await open();
      await write({ bundle: parts });
      expect(opened.problems).to.deep.equal([]);
      expect(opened.current.bundle?.policy.edges).to.have.deep.members(edges);
    });

    const reasons: readonly [string, FileChanges, FileProblemCode, string | undefined][] = [
      ['without a certificate', { files: { 'tls/tls.crt': undefined } }, 'file_missing', 'tls/tls.crt'],
      ['whose certificate is none', { files: { 'tls/tls.crt': 'x' } }, 'certificate_invalid', 'tls/tls.crt'],
      ['without roots', { files: { 'tls/ca.crt': '' } }, 'roots_invalid', 'tls/ca.crt'],
      ['without a key', { files: { 'tls/tls.key': undefined } }, 'file_missing', 'tls/tls.key'],
      [
        'whose key is far too large',
        { files: { 'tls/tls.key': Buffer.alloc(20_000) } },
        'file_too_large',
        'tls/tls.key',
      ],
      [
        'without a signing key',
        { files: { 'signing/signing-keys.json': '{"version":1,"keys":[]}' } },
        'signing_key_invalid',
        'signing/signing-keys.json',
      ],
    ];
    for (const [what, changes, code, file] of reasons) {
      it(`does not open a folder ${what}`, async () => {
        swapFolder(swarm.folder(NAME), swarm.files(NAME, changes));
        expect(await failureOf(open())).to.deep.equal({ code, file });
      });
    }

    it('does not open a folder with the key of somebody else', async () => {
      const { key } = swarm.certificate('agent-stranger');
      swapFolder(swarm.folder(NAME), swarm.files(NAME, { files: { 'tls/tls.key': key } }));
      expect(await failureOf(open())).to.deep.equal({ code: 'key_mismatch', file: 'tls/tls.key' });
    });

    it('does not open a folder whose certificate has ended', async () => {
      nowMs += 25 * 60 * MINUTE_MS;
      expect(await failureOf(open())).to.deep.equal({ code: 'certificate_expired', file: 'tls/tls.crt' });
    });

    it('says where files come from when there is no folder', async () => {
      const failed = await AgentDirectory.open('/nowhere/at/all').catch((error: unknown) => error);
      expect(failed)
        .to.be.instanceOf(LoadFailed)
        .and.deep.include({ code: 'folder_missing', file: undefined });
      expect(String(failed)).to.contain('/nowhere/at/all').and.contain('docs/pods.md');
    });

    it('opens without a bundle that counts, and says why', async () => {
      swapFolder(swarm.folder(NAME), swarm.files(NAME, { claims: { aud: 'other' } }));
      const { current, problems } = await open();
      expect([current.bundle, problems.map(({ code }) => code)]).to.deep.equal([
        undefined,
        ['bundle_foreign'],
      ]);
    });
  });

  it('tells of a problem once, however often it reads it', async () => {
    const opened = await open();
    const told: FileProblem[] = [];
    opened.onProblem((problem) => told.push(problem));
    await write({ claims: { aud: 'ai-data' } });
    await opened.reload();
    await opened.reload();
    expect(told.map(({ code }) => code)).to.deep.equal(['bundle_foreign']);
  });

  it('tells that the bundle has ended, and that there is no folder any more', async () => {
    const opened = await open();
    const told: FileProblemCode[] = [];
    opened.onProblem(({ code }) => told.push(code));
    nowMs += 30 * MINUTE_MS;
    await opened.reload();
    rmSync(swarm.folder(NAME), { recursive: true });
    await opened.reload();
    expect(told).to.deep.equal(['bundle_expired', 'folder_missing']);
  });

  it('says which file is wrong, and nothing of what is in it', async () => {
    const opened = await open();
    const { key } = swarm.certificate('agent-stranger');
    await write({ files: { 'tls/tls.key': key } });
    const [problem] = opened.problems;
    expect(problem).to.deep.equal({
      kind: 'problem',
      code: 'key_mismatch',
      file: 'tls/tls.key',
      message: 'tls/tls.key is not the key of tls/tls.crt.',
    });
  });

  it('is not changed by a swap that brings the same files', async () => {
    const opened = await open();
    const { current } = opened;
    const files = swarm.files(NAME);
    swapFolder(swarm.folder(NAME), files);
    await opened.reload();
    const after = opened.current;
    swapFolder(swarm.folder(NAME), files);
    await opened.reload();
    expect([opened.current === after, current.tls === after.tls]).to.deep.equal([true, true]);
  });

  describe('follows what is written', () => {
    for (const [how, publish] of [
      ['in one swap', () => swarm.publish()],
      [
        'file by file',
        () => {
          swarm.sequence += 1;
          writeFiles(swarm.folder(NAME), swarm.files(NAME));
        },
      ],
    ] as const) {
      it(`${how}, by the events of the file system`, async () => {
        if (how === 'file by file') {
          rmSync(swarm.folder(NAME), { recursive: true });
          writeFiles(swarm.folder(NAME), swarm.files(NAME));
        }
        const opened = await open();
        publish();
        await eventually('the bundle', () => opened.current.bundle?.claims.sequence === swarm.sequence);
      });
    }

    it('by looking from time to time, after the folder was replaced', async () => {
      const opened = await open(swarm.folder(NAME), 20);
      rmSync(swarm.folder(NAME), { recursive: true });
      await eventually('the problem', () => opened.problems[0]?.code === 'folder_missing');
      swarm.publish();
      await eventually('the bundle', () => opened.current.bundle?.claims.sequence === swarm.sequence);
    });

    it('until it is closed', async () => {
      const opened = await open(swarm.folder(NAME), 20);
      const { current } = opened;
      let changes = 0;
      opened.onChange(() => changes++);
      opened.close();
      swarm.publish();
      await opened.reload();
      expect([opened.current, changes]).to.deep.equal([current, 0]);
    });
  });

  it('tells each listener of a change, also after one has thrown, until it listens no more', async () => {
    const opened = await open();
    const heard: string[] = [];
    const warned = new Promise((resolve) => process.once('warning', resolve));
    const stop = opened.onChange(() => {
      heard.push('first');
      throw new Error('thrown by a listener of this test');
    });
    opened.onChange(() => heard.push('second'));
    swarm.publish();
    await opened.reload();
    expect(String(await warned)).to.contain('thrown by a listener of this test');
    stop();
    swarm.publish();
    await opened.reload();
    expect(heard).to.deep.equal(['first', 'second', 'second']);
  });
});

async function failureOf(opening: Promise<unknown>): Promise<unknown> {
  const error: unknown = await opening.then(
    () => new Error('it opened'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof LoadFailed)) throw error;
  return { code: error.code, file: error.file };
}
