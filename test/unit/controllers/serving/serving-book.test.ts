import { expect } from 'chai';
import { ServingBook } from '../../../../src/controllers/serving/serving-book.ts';
import {
  type ServingRecord,
  servingRecord,
  servingSecret,
} from '../../../../src/controllers/serving/serving-record.ts';
import type { SelfSigned } from '../../../../src/crypto/self-signed.ts';
import { createServingCertificate } from '../../../../src/crypto/serving-certificate.ts';
import { ManualClock, T0 } from '../../../support/manual-clock.ts';

const NAMES = ['hook.system.svc'];
const HOUR_MS = 3_600_000;

function pair(dnsNames: readonly string[] = NAMES): SelfSigned {
  return createServingCertificate({ commonName: 'hook', dnsNames, nowMs: T0, lifeMs: HOUR_MS });
}

function recordOf(current: SelfSigned): ServingRecord {
  return servingRecord(servingSecret('system', { current, next: undefined, trusted: [] }));
}

function start(): { readonly clock: ManualClock; readonly book: ServingBook; readonly told: SelfSigned[] } {
  const clock = new ManualClock();
  const book = new ServingBook({ clock, names: NAMES });
  const told: SelfSigned[] = [];
  book.onChange((each) => told.push(each));
  return { clock, book, told };
}

describe('ServingBook', () => {
  it('tells each pair once, and the present one to whoever comes later', () => {
    const { book, told } = start();
    const [first, second] = [pair(), pair()];
    for (const each of [first, first, second]) book.take(recordOf(each));
    const late: SelfSigned[] = [];
    book.onChange((each) => late.push(each));
    expect({ told, late }).to.deep.equal({ told: [first, second], late: [second] });
  });

  it('goes on with what it has when the Secret holds nothing that can be served', () => {
    const { clock, book, told } = start();
    const good = pair();
    book.take(recordOf(good));
    book.take(undefined);
    book.take(recordOf(pair(['elsewhere'])));
    clock.freeze(HOUR_MS);
    book.take(recordOf(pair()));
    expect(told).to.deep.equal([good]);
  });

  it('counts from the moment at which Secret and API server came to say the same', async () => {
    const { clock, book } = start();
    const [first, second] = [recordOf(pair()), recordOf(pair())];
    const seen = [book.trustedForMs(first, true)];
    clock.freeze(5);
    seen.push(book.trustedForMs(first, true), book.trustedForMs(second, true));
    clock.freeze(5);
    seen.push(
      book.trustedForMs(second, true),
      book.trustedForMs(second, false),
      book.trustedForMs(second, true),
    );
    expect(seen).to.deep.equal([0, 5, 0, 5, undefined, 0]);
  });
});
