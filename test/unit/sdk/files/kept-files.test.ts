import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { signCrl } from '../../../../src/crypto/crl.ts';
import { readRevocationLists } from '../../../../src/crypto/crl-reader.ts';
import type { FileProblem, FileProblemCode } from '../../../../src/sdk/files/file-problem.ts';
import { type FileChanges, LocalSwarm } from '../../../support/sdk/agent-folder.ts';
import { useOpenedDirectory } from '../../../support/sdk/opened-directory.ts';

const NAME = 'agent-deployer';

describe('AgentDirectory with files that are not right', () => {
  const scene = useOpenedDirectory(NAME);

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
        () => ({ claims: { sequence: scene.swarm.sequence - 1 } }),
        'bundle_older',
        'bundle.jws',
      ],
      [
        'an end that is over',
        () => ({ claims: { exp: Math.floor(scene.nowMs / 1000), iat: Math.floor(scene.nowMs / 1000) - 60 } }),
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
        () => ({ bundle: { 'jwks-1.json': String(scene.swarm.files(NAME)['bundle/jwks.json']) } }),
        'bundle_invalid',
        'jwks.json',
      ],
      [
        'revocations that say nothing',
        () => ({ bundle: { 'revocations.json': '' } }),
        'bundle_invalid',
        'revocations.json',
      ],
      [
        'no lists of revoked certificates although they are signed',
        () => ({ files: { 'bundle/ca.crl': undefined } }),
        'file_missing',
        'ca.crl',
      ],
      [
        'lists of revoked certificates that are none',
        () => ({ bundle: { 'ca.crl': 'none' } }),
        'bundle_invalid',
        'ca.crl',
      ],
      [
        'a list in the name of the authority that somebody else has signed',
        () => ({ bundle: { 'ca.crl': forgedList(String(scene.swarm.files(NAME)['bundle/ca.crl'])) } }),
        'bundle_invalid',
        'ca.crl',
      ],
    ];
    for (const [what, changes, code, file] of cases) {
      it(`when the new one has ${what}`, async () => {
        const opened = await scene.open();
        const { current } = opened;
        const told: FileProblem[] = [];
        opened.onProblem((problem) => told.push(problem));
        await scene.write(changes());
        expect(opened.current).to.equal(current);
        expect(told.map((problem) => [problem.code, problem.file])).to.deep.equal([[code, `bundle/${file}`]]);
        expect(told).to.deep.equal(opened.problems);
      });
    }

    it('but not when the new one has no lists of revoked certificates, as those of earlier operators', async () => {
      const opened = await scene.open();
      await scene.write({ bundle: { 'ca.crl': undefined } });
      expect([opened.current.bundle?.claims.sequence, opened.problems]).to.deep.equal([
        scene.swarm.sequence,
        [],
      ]);
    });

    it('but not when the new one has a list of an authority that is not trusted here yet', async () => {
      const opened = await scene.open();
      const other = new LocalSwarm({ nowMs: () => scene.nowMs });
      const crl =
        String(scene.swarm.files(NAME)['bundle/ca.crl']) + String(other.files(NAME)['bundle/ca.crl']);
      other.close();
      await scene.write({ bundle: { 'ca.crl': crl } });
      expect([opened.current.bundle?.claims.sequence, opened.problems]).to.deep.equal([
        scene.swarm.sequence,
        [],
      ]);
    });

    it('and takes the next one that is right', async () => {
      const opened = await scene.open();
      await scene.write({ claims: { aud: 'ai-data' } });
      scene.swarm.publish();
      await opened.reload();
      expect(opened.current.bundle?.claims.sequence).to.equal(scene.swarm.sequence);
      expect(opened.problems).to.deep.equal([]);
    });

    it('and takes new keys that came with a bad one', async () => {
      const opened = await scene.open();
      scene.swarm.renewCertificate(NAME);
      scene.swarm.keys(NAME).replace();
      const { bundle } = opened.current;
      await scene.write({ claims: { aud: 'ai-data' } });
      const { tls, signer } = opened.current;
      expect(opened.current.bundle).to.equal(bundle);
      expect(tls.certificatePem).to.equal(scene.swarm.certificate(NAME).cert);
      expect(signer.kid).to.equal(scene.swarm.keys(NAME).published()[0]?.kid);
    });
  });

  it('keeps certificate and key of one agent, and takes the bundle beside another one', async () => {
    const opened = await scene.open();
    const { tls } = opened.current;
    const { 'tls/tls.crt': crt, 'tls/tls.key': key } = scene.swarm.files('agent-stranger');
    await scene.write({ files: { 'tls/tls.crt': crt, 'tls/tls.key': key } });
    expect(opened.problems.map(({ code }) => code)).to.deep.equal(['certificate_of_another']);
    expect(opened.current.tls).to.equal(tls);
    expect(opened.current.bundle?.claims.sequence).to.equal(scene.swarm.sequence);
  });
});

/** The list with its signature made by another key. */
function forgedList(pem: string): string {
  const [list] = readRevocationLists(Buffer.from(pem)) ?? [];
  if (list === undefined) throw new Error('no list');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { issuerDer: subjectDer, entries: _, ...contents } = list;
  return signCrl({ ...contents, entries: [] }, { ...list, subjectDer, privateKey });
}
