import { expect } from 'chai';
import { LeafBook } from '../../../../src/controllers/ledger/leaf-book.ts';
import { IssuanceLedger } from '../../../../src/controllers/ledger/ledger.ts';
import type { LedgerLine } from '../../../../src/domain/ledger/ledger-line.ts';
import { ConfigMapStore } from '../../../support/config-map-store.ts';
import { HOUR, ledgerLine, NOW, storedLedger } from './fixture.ts';

describe('LeafBook', () => {
  let book: LeafBook;
  beforeEach(() => {
    book = new LeafBook();
  });
  const serials = (): readonly string[] => [...book.lines()].map(({ serialHex }) => serialHex);

  it('is complete once the ledger was taken over', () => {
    expect(book.isComplete).to.equal(false);
    book.replace([]);
    expect(book.isComplete).to.equal(true);
  });

  it('finds a leaf by its number, and those of an identity', () => {
    const again = { ...ledgerLine(2), identityUid: 'uid-1' };
    book.replace([ledgerLine(1)]);
    book.add([again, again]);
    expect(book.find(ledgerLine(1).serialHex)).to.deep.equal(ledgerLine(1));
    expect(book.find('00')).to.equal(undefined);
    expect([book.of('uid-1'), book.of('uid-2')]).to.deep.equal([[ledgerLine(1), again], []]);
  });

  it('tells of lines, and forgets those of an earlier term', () => {
    const told: LedgerLine[] = [];
    book.onAdded((lines) => told.push(...lines));
    book.replace([ledgerLine(1)]);
    book.add([ledgerLine(2)]);
    book.replace([ledgerLine(3)]);
    expect(told).to.deep.equal([1, 2, 3].map((n) => ledgerLine(n)));
    expect(serials()).to.deep.equal([ledgerLine(3).serialHex]);
  });

  it('forgets leaves two hours after their end', () => {
    const [short, long] = [
      { ...ledgerLine(1), notAfterMs: NOW },
      { ...ledgerLine(2), identityUid: 'uid-1' },
    ];
    book.replace([short, long]);
    book.prune(NOW + 2 * HOUR);
    expect(serials().length).to.equal(2);
    book.prune(NOW + 2 * HOUR + 1);
    expect([serials(), book.of('uid-1')]).to.deep.equal([[long.serialHex], [long]]);
    book.prune(NOW + 4 * HOUR);
    expect([serials(), book.of('uid-1')]).to.deep.equal([[], []]);
  });

  it('has every line that the ledger found or wrote, and none of text that is no line', async () => {
    const store = new ConfigMapStore();
    const stored = storedLedger(1, 2);
    const text = stored.data?.['ledger'] ?? '';
    store.objects.set(stored.metadata.name, { ...stored, data: { ledger: `${text}spoilt\n` } });
    const ledger = new IssuanceLedger({
      store,
      namespace: 'agent-trust-system',
      epoch: 'me',
      leaves: book,
      nowMs: () => NOW,
    });
    await ledger.takeOver();
    await ledger.commit(ledgerLine(7));
    expect(book.completeSinceMs).to.equal(NOW);
    expect(serials()).to.deep.equal([
      ...text
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[2]),
      ledgerLine(7).serialHex,
    ]);
  });
});
