import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { REFUSAL_NAMES } from '../../../src/domain/token/refusal.ts';

const PAGE = join(import.meta.dirname, '../../../docs/tokens.md');

describe('docs/tokens.md', () => {
  it('lists every refusal once, in the order of the steps', () => {
    const [, section = ''] = readFileSync(PAGE, 'utf8').split('\n## Refusals\n');
    const [table = ''] = section.split('\n## ');
    const cells = [...table.matchAll(/^\| (`.*?`) \|/gm)].map(([, cell = '']) => cell);
    const names = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(names).to.deep.equal([...REFUSAL_NAMES]);
  });
});
