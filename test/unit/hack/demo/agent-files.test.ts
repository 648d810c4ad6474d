/** Files of an agent, as a kubelet lays them out. */

import { lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { mountSecret, readAgentFiles, spiffeIdsOf } from '../../../../hack/demo/agent-files.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('mountSecret', () => {
  let parent: string;
  let directory: string;

  before(() => {
    parent = mkdtempSync(join(tmpdir(), 'agent-files-'));
    directory = join(parent, 'agent');
    const data = { 'tls.crt': base64('leaf'), 'tls.key': base64('key'), 'ca.crt': base64('roots') };
    mountSecret(directory, { metadata: { name: 'agent-tls' }, data });
  });
  after(() => rmSync(parent, { recursive: true }));

  it('links each file through ..data to a folder named after the time', () => {
    const [folder = ''] = readdirSync(directory);
    expect(folder).to.match(/^\.\.\d{4}(_\d\d){5}\.\d+$/);
    expect(readdirSync(directory).sort()).to.deep.equal(
      [folder, '..data', 'ca.crt', 'tls.crt', 'tls.key'].sort(),
    );
    expect(readlinkSync(join(directory, '..data'))).to.equal(folder);
    expect(readlinkSync(join(directory, 'tls.crt'))).to.equal('..data/tls.crt');
  });

  it('keeps the key from others', () => {
    expect(lstatSync(join(directory, '..data', 'tls.key')).mode & 0o777).to.equal(0o600);
  });

  it('is read through the links', () => {
    expect(readAgentFiles(directory)).to.deep.equal({ cert: 'leaf', key: 'key', ca: 'roots' });
  });
});

describe('spiffeIdsOf', () => {
  it('finds the SPIFFE ID among other names', () => {
    expect(spiffeIdsOf('URI:spiffe://a/ns/b/sa/c, DNS:c.b.svc')).to.deep.equal(['spiffe://a/ns/b/sa/c']);
  });
  it('finds every one of several', () => {
    expect(spiffeIdsOf('URI:spiffe://a/b, URI:https://a/b, URI:spiffe://a/c')).to.have.length(2);
  });
  it('finds none in a certificate without names', () => {
    expect(spiffeIdsOf(undefined)).to.deep.equal([]);
  });
});
