import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { AgentDirectory } from '../../../../src/sdk/files/agent-directory.ts';
import type { FileProblem, FileProblemCode } from '../../../../src/sdk/files/file-problem.ts';
import { LoadFailed } from '../../../../src/sdk/load-failed.ts';
import { eventually } from '../../../support/eventually.ts';
import type { FileChanges } from '../../../support/sdk/agent-folder.ts';
import { swapFolder, writeFiles } from '../../../support/sdk/mounted-folder.ts';
import { useOpenedDirectory } from '../../../support/sdk/opened-directory.ts';

const NAME = 'agent-deployer';
const MINUTE_MS = 60_000;

describe('AgentDirectory', () => {
  const scene = useOpenedDirectory(NAME);

  describe('open', () => {
    it('reads who the agent is, its key and its bundle', async () => {
      const { current, problems } = await scene.open();
      const { identity, namespace, trustDomain, tls, signer, bundle } = current;
      const { cert, key, ca } = scene.swarm.certificate(NAME);
      expect({ identity, namespace, trustDomain }).to.deep.equal({
        identity: scene.swarm.id(NAME),
        namespace: 'ai-agents',
        trustDomain: 'cluster.local',
      });
      expect([tls.certificatePem, tls.privateKeyPem, tls.caPem]).to.deep.equal([cert, key, ca]);
      expect(signer.kid).to.equal(scene.swarm.keys(NAME).published()[0]?.kid);
      expect(bundle?.claims.sequence).to.equal(scene.swarm.sequence);
      expect(bundle?.policy.agents.get(identity)?.name).to.equal(`ai-agents/${NAME}`);
      expect(problems).to.deep.equal([]);
    });

    it('reads a folder that no kubelet has written', async () => {
      const plain = join(scene.swarm.root, 'plain');
      writeFiles(plain, scene.swarm.files(NAME));
      expect((await scene.open(plain)).current).to.deep.include({ identity: scene.swarm.id(NAME) });
    });

    it('puts the parts of a bundle together', async () => {
      const { 'bundle/policy.json': policy = '' } = scene.swarm.files(NAME);
      const { edges, ...rest } = JSON.parse(policy.toString());
      const parts = {
        'policy.json': JSON.stringify({ ...rest, edges: edges.slice(0, 1) }),
        'policy-1.json': JSON.stringify({ ...rest, agents: {}, edges: edges.slice(1) }),
        'jwks-1.json': JSON.stringify({ version: 1, issuers: {} }),
      };
      const opened = await scene.open();
      await scene.write({ bundle: parts });
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
        swapFolder(scene.swarm.folder(NAME), scene.swarm.files(NAME, changes));
        expect(await failureOf(scene.open())).to.deep.equal({ code, file });
      });
    }

    it('does not open a folder with the key of somebody else', async () => {
      const { key } = scene.swarm.certificate('agent-stranger');
      swapFolder(scene.swarm.folder(NAME), scene.swarm.files(NAME, { files: { 'tls/tls.key': key } }));
      expect(await failureOf(scene.open())).to.deep.equal({ code: 'key_mismatch', file: 'tls/tls.key' });
    });

    it('does not open a folder whose certificate has ended', async () => {
      scene.nowMs += 25 * 60 * MINUTE_MS;
      expect(await failureOf(scene.open())).to.deep.equal({
        code: 'certificate_expired',
        file: 'tls/tls.crt',
      });
    });

    it('says where files come from when there is no folder', async () => {
      const failed = await AgentDirectory.open('/nowhere/at/all').catch((error: unknown) => error);
      expect(failed)
        .to.be.instanceOf(LoadFailed)
        .and.deep.include({ code: 'folder_missing', file: undefined });
      expect(String(failed))
        .to.contain('/nowhere/at/all')
        .and.contain('docs/pods.md')
        .and.contain('docs/dev.md');
    });

    it('opens without a bundle that counts, and says why', async () => {
      swapFolder(scene.swarm.folder(NAME), scene.swarm.files(NAME, { claims: { aud: 'other' } }));
      const { current, problems } = await scene.open();
      expect([current.bundle, problems.map(({ code }) => code)]).to.deep.equal([
        undefined,
        ['bundle_foreign'],
      ]);
    });
  });

  it('tells of a problem once, however often it reads it', async () => {
    const opened = await scene.open();
    const told: FileProblem[] = [];
    opened.onProblem((problem) => told.push(problem));
    await scene.write({ claims: { aud: 'ai-data' } });
    await opened.reload();
    await opened.reload();
    expect(told.map(({ code }) => code)).to.deep.equal(['bundle_foreign']);
  });

  it('tells that the bundle has ended, and that there is no folder any more', async () => {
    const opened = await scene.open();
    const told: FileProblemCode[] = [];
    opened.onProblem(({ code }) => told.push(code));
    scene.nowMs += 30 * MINUTE_MS;
    await opened.reload();
    rmSync(scene.swarm.folder(NAME), { recursive: true });
    await opened.reload();
    expect(told).to.deep.equal(['bundle_expired', 'folder_missing']);
  });

  it('says which file is wrong, and nothing of what is in it', async () => {
    const opened = await scene.open();
    const { key } = scene.swarm.certificate('agent-stranger');
    await scene.write({ files: { 'tls/tls.key': key } });
    const [problem] = opened.problems;
    expect(problem).to.deep.equal({
      kind: 'problem',
      code: 'key_mismatch',
      file: 'tls/tls.key',
      message: 'tls/tls.key is not the key of tls/tls.crt.',
    });
  });

  it('is not changed by a swap that brings the same files', async () => {
    const opened = await scene.open();
    const { current } = opened;
    const files = scene.swarm.files(NAME);
    swapFolder(scene.swarm.folder(NAME), files);
    await opened.reload();
    const after = opened.current;
    swapFolder(scene.swarm.folder(NAME), files);
    await opened.reload();
    expect([opened.current === after, current.tls === after.tls]).to.deep.equal([true, true]);
  });

  describe('follows what is written', () => {
    for (const [how, publish] of [
      ['in one swap', () => scene.swarm.publish()],
      [
        'file by file',
        () => {
          scene.swarm.sequence += 1;
          writeFiles(scene.swarm.folder(NAME), scene.swarm.files(NAME));
        },
      ],
    ] as const) {
      it(`${how}, by the events of the file system`, async () => {
        if (how === 'file by file') {
          rmSync(scene.swarm.folder(NAME), { recursive: true });
          writeFiles(scene.swarm.folder(NAME), scene.swarm.files(NAME));
        }
        const opened = await scene.open();
        publish();
        await eventually('the bundle', () => opened.current.bundle?.claims.sequence === scene.swarm.sequence);
      });
    }

    it('by looking from time to time, after the folder was replaced', async () => {
      const opened = await scene.open(scene.swarm.folder(NAME), 20);
      rmSync(scene.swarm.folder(NAME), { recursive: true });
      await eventually('the problem', () => opened.problems[0]?.code === 'folder_missing');
      scene.swarm.publish();
      await eventually('the bundle', () => opened.current.bundle?.claims.sequence === scene.swarm.sequence);
    });

    it('until it is closed', async () => {
      const opened = await scene.open(scene.swarm.folder(NAME), 20);
      const { current } = opened;
      let changes = 0;
      opened.onChange(() => changes++);
      opened.close();
      scene.swarm.publish();
      await opened.reload();
      expect([opened.current, changes]).to.deep.equal([current, 0]);
    });
  });

  it('tells each listener of a change, also after one has thrown, until it listens no more', async () => {
    const opened = await scene.open();
    const heard: string[] = [];
    const warned = new Promise((resolve) => process.once('warning', resolve));
    const stop = opened.onChange(() => {
      heard.push('first');
      throw new Error('thrown by a listener of this test');
    });
    opened.onChange(() => heard.push('second'));
    scene.swarm.publish();
    await opened.reload();
    expect(String(await warned)).to.contain('thrown by a listener of this test');
    stop();
    scene.swarm.publish();
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
