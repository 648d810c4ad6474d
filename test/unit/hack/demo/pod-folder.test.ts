import { expect } from 'chai';
import { secretFiles } from '../../../../hack/demo/pod-folder.ts';

describe('secretFiles', () => {
  it('gives the keys of a Secret to a folder, for its owner alone', () => {
    const secret = {
      metadata: { name: 'agent-tls' },
      data: { 'tls.key': Buffer.from('key').toString('base64') },
    };
    expect([...secretFiles('tls', secret)]).to.deep.equal([
      ['tls/tls.key', { text: 'key', isPrivate: true }],
    ]);
  });

  it('gives nothing of a Secret that is not there', () => {
    expect([...secretFiles('tls', undefined)]).to.deep.equal([]);
  });
});
