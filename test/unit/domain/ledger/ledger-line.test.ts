import { expect } from 'chai';
import {
  formatLedgerLine,
  type LedgerLine,
  parseLedgerLine,
} from '../../../../src/domain/ledger/ledger-line.ts';

const LINE: LedgerLine = {
  identityUid: '2b1c7f0e-92c5-4d5e-9e44-0e5a4a3f7c11',
  namespace: 'ai-agents',
  serviceAccountName: 'agent-deployer-sa',
  serialHex: '0b7c12e1',
  notAfterMs: Date.UTC(2026, 10, 21, 10),
  generation: '7f3a',
};
const TEXT =
  '2b1c7f0e-92c5-4d5e-9e44-0e5a4a3f7c11 ai-agents/agent-deployer-sa 0b7c12e1 2026-11-21T10:00:00Z 7f3a';

describe('formatLedgerLine', () => {
  it('writes the five fields, the date in whole seconds', () => {
    expect(formatLedgerLine(LINE)).to.equal(TEXT);
  });
});

describe('parseLedgerLine', () => {
  it('accepts what formatLedgerLine writes', () => {
    expect(parseLedgerLine(TEXT)).to.deep.equal(LINE);
  });

  for (const text of [
    '',
    'x',
    TEXT.replace(' 7f3a', ''),
    TEXT.replace('0b7c', 'zz'),
    TEXT.replace('2026', '20y6'),
  ]) {
    it(`rejects ${JSON.stringify(text.slice(0, 60))}`, () => {
      expect(parseLedgerLine(text)).to.equal(undefined);
    });
  }
});
