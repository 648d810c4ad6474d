import { expect } from 'chai';
import { peerFromXfcc } from '../../../../../src/domain/token/verify/xfcc.ts';
import { A, B, X } from '../../../../support/token/scene.ts';

const element = (uri: string): string =>
  `By=spiffe://cluster.local/ns/ai-agents/sa/agent-validator;Hash=abc;Subject="CN=a,O=\\"b\\"";URI=${uri}`;

describe('peerFromXfcc', () => {
  for (const [what, values] of [
    ['one element', [element(B)]],
    ['the last of several', [`${element(A)},${element(B)}`]],
    ['the last field line', [element(A), element(B)]],
    ['a value in quotes', [`By=x;URI="${B}"`]],
  ] as const)
    it(`believes ${what}`, () => {
      for (const address of ['127.0.0.6', '::1', '::ffff:127.0.0.1'])
        expect(peerFromXfcc(values, address)).to.deep.equal({ kind: 'mesh', spiffeId: B });
    });

  it('N5 takes the true last element X after a forged first one', () => {
    for (const forged of [element(A), `URI=${A};Subject="`, `URI=${A};Subject="\\`, `URI=${A};X`])
      expect(peerFromXfcc([`${forged},${element(X)}`], '127.0.0.6')).to.not.deep.equal({
        kind: 'mesh',
        spiffeId: A,
      });
    expect(peerFromXfcc([`${element(A)},${element(X)}`], '127.0.0.6')).to.deep.equal({
      kind: 'mesh',
      spiffeId: X,
    });
  });

  it('N6 believes nobody but the sidecar', () => {
    for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '127.0.0.1.example', 'fe80::1', ''])
      expect(peerFromXfcc([element(B)], address)).to.deep.equal({ kind: 'untrusted' });
  });

  for (const [what, values] of [
    ['no field', []],
    ['an empty field', ['']],
    ['no URI', ['By=x;Hash=y']],
    ['two URIs', [`URI=${A};URI=${B}`]],
    ['a URI that is no agent', ['URI=https://example.org']],
    ['a pair without a name', [`=x;URI=${B}`]],
    ['a quote that does not end', [`Subject="x;URI=${B}`]],
    ['text after a quote', [`Subject="x"y;URI=${B}`]],
  ] as const)
    it(`does not believe ${what}`, () =>
      expect(peerFromXfcc(values, '127.0.0.6')).to.deep.equal({ kind: 'untrusted' }));
});
