import { expect } from 'chai';
import { AgentDirectory } from '../../../../src/sdk/files/agent-directory.ts';
import type { FileProblem, FileProblemCode } from '../../../../src/sdk/files/file-problem.ts';
import { type FileChanges, LocalSwarm } from '../../../support/sdk/agent-folder.ts';
import { swapFolder } from '../../../support/sdk/mounted-folder.ts';

const NAME = 'agent-deployer';
const NEVER_MS = 3_600_000;

describe('AgentDirectory with files that are not right', () => {
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

  describe('keeps the bundle that it has', () => {
    const otherAuthority = new LocalSwarm();
    const stranger = otherAuthority.newBundleSigner();
    otherAuthority.close();
    const cases: readonly [string, () => FileChanges, FileProblemCode, string][] = [
      [
        'a file that was altered',
        () => ({ files: { 'bundle/policy.json': '{}' } }),
        'bundle_altered',
        'policy.json',
      ],
      [
        'a file that is missing',
        () => ({ files: { 'bundle/jwks.json': undefined } }),
        'file_missing',
        'jwks.json',
      ],
      [
        'a file that is far too large',
        () => ({ files: { 'bundle/jwks.json': Buffer.alloc(2_000_000) } }),
        'file_too_large',
        'jwks.json',
      ],
      ['no signature', () => ({ files: { 'bundle/bundle.jws': undefined } }), 'file_missing', 'bundle.jws'],
      [
        'a signature that was cut off',
        () => ({ files: { 'bundle/bundle.jws': 'eyJ0eXAi.eyJ2.' } }),
        'bundle_unsigned',
        'bundle.jws',
      ],
      [
        'a signature far too large',
        () => ({ files: { 'bundle/bundle.jws': 'x'.repeat(70_000) } }),
        'file_too_large',
        'bundle.jws',
      ],
      ['the signature of another authority', () => ({ signer: stranger }), 'bundle_unsigned', 'bundle.jws'],
      ['another namespace', () => ({ claims: { aud: 'ai-data' } }), 'bundle_foreign', 'bundle.jws'],
      ['an older sequence', () => ({ claims: { sequence: 7 } }), 'bundle_older', 'bundle.jws'],
      [
        'the same sequence with another content',
        () => ({ claims: { sequence: swarm.sequence - 1 } }),
        'bundle_older',
        'bundle.jws',
      ],
      [
        'an end that is over',
        () => ({ claims: { exp: Math.floor(nowMs / 1000), iat: Math.floor(nowMs / 1000) - 60 } }),
        'bundle_expired',
        'bundle.jws',
      ],
      [
        'a policy of another version',
        () => ({ bundle: { 'policy.json': '{"version":2}' } }),
        'bundle_invalid',
        'policy.json',
      ],
      [
        'keys that are none',
        () => ({ bundle: { 'jwks.json': '{"version":1,"issuers":{},"more":1}' } }),
        'bundle_invalid',
        'jwks.json',
      ],
      [
        'an issuer in two parts',
        () => ({ bundle: { 'jwks-1.json': String(swarm.files(NAME)['bundle/jwks.json']) } }),
        'bundle_invalid',
        'jwks.json',
      ],
      [
        'revocations that say nothing',
        () => ({ bundle: { 'revocations.json': '' } }),
        'bundle_invalid',
        'revocations.json',
      ],
    ];
    for (const [what, changes, code, file] of cases) {
      it(`when the new one has ${what}`, async () => {
        const opened = await open();
        const { current } = opened;
        const told: FileProblem[] = [];
        opened.onProblem((problem) => told.push(problem));
        await write(changes());
        expect(opened.current).to.equal(current);
        expect(told.map((problem) => [problem.code, problem.file])).to.deep.equal([[code, `bundle/${file}`]]);
        expect(told).to.deep.equal(opened.problems);
      });
    }

    it('and takes the next one that is right', async () => {
      const opened = await open();
      await write({ claims: { aud: 'ai-data' } });
      swarm.publish();
      await opened.reload();
      expect(opened.current.bundle?.claims.sequence).to.equal(swarm.sequence);
      expect(opened.problems).to.deep.equal([]);
    });

    it('and takes new keys that came with a bad one', async () => {
      const opened = await open();
      swarm.renewCertificate(NAME);
      swarm.keys(NAME).replace();
      const { bundle } = opened.current;
      await write({ claims: { aud: 'ai-data' } });
      const { tls, signer } = opened.current;
      expect(opened.current.bundle).to.equal(bundle);
      expect(tls.certificatePem).to.equal(swarm.certificate(NAME).cert);
      expect(signer.kid).to.equal(swarm.keys(NAME).published()[0]?.kid);
    });
  });

  it('keeps certificate and key of one agent, and takes the bundle beside another one', async () => {
    const opened = await open();
    const { tls } = opened.current;
    const { 'tls/tls.crt': crt, 'tls/tls.key': key } = swarm.files('agent-stranger');
    await write({ files: { 'tls/tls.crt': crt, 'tls/tls.key': key } });
    expect(opened.problems.map(({ code }) => code)).to.deep.equal(['certificate_of_another']);
    expect(opened.current.tls).to.equal(tls);
    expect(opened.current.bundle?.claims.sequence).to.equal(swarm.sequence);
  });
});
