/** Lines out of chunks. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import { LineSplitter } from '../../../src/kube/line-splitter.ts';

const TEXT = Buffer.from('{"a":"ü€😀"}\n\n{}\nrest');

describe('LineSplitter', () => {
  const split = (...chunks: readonly Buffer[]): readonly string[] => {
    const lines: string[] = [];
    const splitter = new LineSplitter(
      20,
      (line) => lines.push(line.toString('utf8')),
      () => new Error('too long'),
    );
    for (const chunk of chunks) splitter.push(chunk);
    return lines;
  };

  it('gives the same lines wherever the stream is cut', () => {
    for (let first = 0; first <= TEXT.length; first++) {
      for (let second = first; second <= TEXT.length; second++) {
        const chunks = [TEXT.subarray(0, first), TEXT.subarray(first, second), TEXT.subarray(second)];
        expect(split(...chunks)).to.deep.equal(['{"a":"ü€😀"}', '{}']);
      }
    }
  });

  it('accepts a line of the greatest length', () => {
    expect(split(Buffer.from(`${'x'.repeat(20)}\n`))).to.deep.equal(['x'.repeat(20)]);
  });

  it('rejects a longer one, ended or not', () => {
    expect(() => split(Buffer.from(`${'x'.repeat(21)}\n`))).to.throw('too long');
    expect(() => split(Buffer.from('x'.repeat(15)), Buffer.from('x'.repeat(6)))).to.throw('too long');
  });
});
