import { expect } from 'chai';
import { SharedTexts } from '../../../src/kube/shared-texts.ts';

describe('SharedTexts', () => {
  it('gives a text back that is equal, whether it is known or not', () => {
    const texts = new SharedTexts(2);
    for (const text of ['a', 'b', 'a', 'c', 'a', 'b']) expect(texts.of(text)).to.equal(text);
  });

  it('knows no more than its limit', () => {
    const texts = new SharedTexts(2);
    for (let count = 0; count < 10; count += 1) texts.of(`text ${count}`);
    expect(texts.size).to.equal(2);
  });
});
