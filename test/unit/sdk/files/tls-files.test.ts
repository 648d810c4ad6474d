import { expect } from 'chai';
import { decodePem, encodePem, PEM_LIMIT_BYTES } from '../../../../src/crypto/pem.ts';
import { isProblem } from '../../../../src/sdk/files/file-problem.ts';
import { readIdentity } from '../../../../src/sdk/files/tls-files.ts';
import { LocalSwarm } from '../../../support/sdk/agent-folder.ts';
import { useOpenedDirectory } from '../../../support/sdk/opened-directory.ts';

const NAME = 'agent-deployer';

describe('readIdentity', () => {
  let swarm: LocalSwarm;
  beforeEach(() => {
    swarm = new LocalSwarm();
  });
  afterEach(() => swarm.close());

  /** What is wrong with `tls/` when one file of it is another; undefined when nothing is. */
  function problemWith(file: string, text: string): readonly [string, string] | undefined {
    const files = { ...swarm.files(NAME), [file]: text };
    const buffers = new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]));
    const read = readIdentity(buffers, Date.now());
    return isProblem(read) ? [read.code, read.file] : undefined;
  }

  const rootDer = (): Buffer => {
    const form = { label: 'CERTIFICATE', limitBytes: PEM_LIMIT_BYTES.bundle, maxBlocks: 1 } as const;
    const pem = decodePem(Buffer.from(swarm.certificate(NAME).ca), form);
    if (pem.kind === 'problem') throw new Error(pem.problem);
    return pem.blocks[0] ?? Buffer.alloc(0);
  };

  const junk = encodePem('CERTIFICATE', Buffer.from('no certificate'));
  const bad: readonly [string, () => string][] = [
    ['no certificate', () => junk],
    ['one good root and one that is no certificate', () => swarm.certificate(NAME).ca + junk],
    [
      'a certificate of an agent beside the root',
      () => swarm.certificate(NAME).ca + swarm.certificate(NAME).cert,
    ],
    [
      'a root with more behind it',
      () => encodePem('CERTIFICATE', Buffer.concat([rootDer(), Buffer.from('more')])),
    ],
  ];
  for (const [what, text] of bad) {
    it(`rejects roots of which the file holds ${what}`, () => {
      expect(problemWith('tls/ca.crt', text())).to.deep.equal(['roots_invalid', 'tls/ca.crt']);
    });
  }

  it('rejects a chain with something in it that is no certificate', () => {
    const chain = swarm.certificate(NAME).cert + junk;
    expect(problemWith('tls/tls.crt', chain)).to.deep.equal(['certificate_invalid', 'tls/tls.crt']);
  });

  it('accepts several roots', () => {
    swarm.addAuthority();
    expect(problemWith('tls/ca.crt', swarm.certificate(NAME).ca)).to.equal(undefined);
  });

  it('gives roots in lines of any length as OpenSSL reads them', () => {
    const { ca } = swarm.certificate(NAME);
    const body = rootDer().toString('base64').replaceAll(/.{3}/g, '$&\n');
    const text = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
    const files = { ...swarm.files(NAME), 'tls/ca.crt': text };
    const buffers = new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]));
    const read = readIdentity(buffers, Date.now());
    expect(isProblem(read) ? read.code : read.tls.caPem).to.equal(ca);
  });
});

describe('AgentDirectory with roots that are none', () => {
  const scene = useOpenedDirectory(NAME);

  it('keeps the good ones, with the certificate that came with them', async () => {
    const opened = await scene.open();
    const { tls } = opened.current;
    scene.swarm.renewCertificate(NAME);
    await scene.write({ files: { 'tls/ca.crt': encodePem('CERTIFICATE', Buffer.from('no certificate')) } });
    expect(opened.problems.map(({ code, file }) => [code, file])).to.deep.equal([
      ['roots_invalid', 'tls/ca.crt'],
    ]);
    expect(opened.current.tls).to.equal(tls);
  });
});
