import { expect } from 'chai';
import { recognising, remembering } from '../../../../src/domain/token/text-memo.ts';

describe('remembering', () => {
  const counted = (): { readonly read: (text: string) => object | undefined; readonly made: string[] } => {
    const made: string[] = [];
    const read = remembering((text) => {
      made.push(text);
      return text.startsWith('-') ? undefined : { text };
    });
    return { read, made };
  };

  it('makes a thing of a text once', () => {
    const { read, made } = counted();
    expect(read('a')).to.equal(read('a')).and.deep.equal({ text: 'a' });
    expect(read('b')).to.deep.equal({ text: 'b' });
    expect(made).to.deep.equal(['a', 'b']);
  });

  it('takes no text for another one, not even those that UTF-8 cannot tell apart', () => {
    const { read } = counted();
    for (const text of ['\ud800', '\udfff', '\ufffd', 'é', '\u0141', 'A'])
      for (let time = 0; time < 2; time++) expect(read(text)).to.deep.equal({ text });
  });

  it('remembers neither what it makes nothing of nor what is long', () => {
    const { read, made } = counted();
    const long = 'x'.repeat(257);
    for (const text of ['-', '-', long, long]) read(text);
    expect(made).to.deep.equal(['-', '-', long, long]);
  });

  it('begins anew when it holds 1,024', () => {
    const { read, made } = counted();
    for (let number = 0; number < 1024; number++) read(`${number}`);
    read('0');
    expect(made).to.have.length(1024);
    read('one more');
    read('0');
    expect(made).to.have.length(1026);
  });
});

describe('recognising', () => {
  it('gives what the predicate admits, and asks it again only for the rest', () => {
    const asked: string[] = [];
    const short = recognising((text) => asked.push(text) > 0 && text.length < 3);
    const given = ['ab', 'abc', 'ab', 'abc', '', 'ab'].map(short);
    expect(given).to.deep.equal(['ab', undefined, 'ab', undefined, '', 'ab']);
    expect(asked).to.deep.equal(['ab', 'abc', 'abc', '']);
  });
});
