import { expect } from 'chai';
import fc from 'fast-check';
import { peerFromXfcc } from '../../../../../src/domain/token/verify/xfcc.ts';
import { A, B, X } from '../../../../support/token/scene.ts';

const element = (uri: string): string =>
  `By=spiffe://cluster.local/ns/ai-agents/sa/agent-validator;Hash=abc;Subject="CN=a,O=\\"b\\"";URI=${uri}`;

/** URIs of the last element, by patterns that are shorter, and slow for quotes that do not end. */
function slowUris(value: string): readonly string[] {
  const comma = [...value.matchAll(/"(?:[^"\\]|\\.)*"|,/g)].findLast(([match]) => match === ',');
  const element = value.slice((comma?.index ?? -1) + 1);
  const pair = /([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(?:;|$)/gy;
  const pairs = [...element.matchAll(pair)];
  const isWhole = pairs.reduce((length, [{ length: more }]) => length + more, 0) === element.length;
  const uris = pairs.filter(([, key]) => key === 'URI').map(([, , uri = '']) => uri);
  return isWhole ? uris : [];
}

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

  it('takes the element that a pattern with backtracking takes, whatever was sent', () => {
    const piece = fc.constantFrom('"', '\\', ',', ';', 'x', `URI=${B}`, `URI=${A}`, `By="x,y\\""`);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const value = pieces.join('');
        const uris = slowUris(value);
        const [spiffeId] = uris;
        const isAgent = uris.length === 1 && [A, B].includes(spiffeId?.replace(/x+$/, '') ?? '');
        const expected = isAgent ? { kind: 'mesh', spiffeId } : { kind: 'untrusted' };
        expect(peerFromXfcc([value], '::1')).to.deep.equal(expected);
      }),
    );
  });

  it('reads a field full of quotes that do not end in one pass', () => {
    for (const quotes of ['\\"'.repeat(200_000), `"${'\\"'.repeat(200_000)}`])
      expect(peerFromXfcc([`${quotes},URI=${B}`], '::1')).to.deep.equal({ kind: 'mesh', spiffeId: B });
  });
});
