import { join } from 'node:path';
import { expect } from 'chai';
import { readAgentFiles, spiffeIdsOf } from '../../../../hack/demo/agent-files.ts';
import { secretFiles } from '../../../../hack/demo/pod-folder.ts';
import { mountFiles } from '../../../../src/dev/folder.ts';
import { useFolder } from '../../../support/dev/laptop.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('readAgentFiles', () => {
  const folder = useFolder();

  it('reads the folder tls of a pod', () => {
    const data = { 'tls.crt': base64('leaf'), 'tls.key': base64('key'), 'ca.crt': base64('roots') };
    mountFiles(folder.path, secretFiles('tls', { metadata: { name: 'agent-tls' }, data }));
    expect(readAgentFiles(join(folder.path, 'tls'))).to.deep.equal({
      cert: 'leaf',
      key: 'key',
      ca: 'roots',
    });
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
