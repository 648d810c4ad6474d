/** Ledgers that somebody deletes while no operator runs. */

import { expect } from 'chai';
import { ANNOTATION_COMPLETE_SINCE, ANNOTATION_EARLIER_LEDGERS } from '../../../../src/api/group.ts';
import type { ConfigMap } from '../../../../src/controllers/bundle/bundle-record.ts';
import type { IssuanceLedger } from '../../../../src/controllers/ledger/ledger.ts';
import { LINES_PER_LEDGER } from '../../../../src/domain/ledger/ledger-line.ts';
import { ConfigMapStore } from '../../../support/config-map-store.ts';
import { HOUR, ledgerLine, ledgerOf, NOW } from './fixture.ts';

const FULL = Array.from({ length: LINES_PER_LEDGER }, (_, at) => ledgerLine(at));
const EARLIER = `1=${new Date(NOW + HOUR).toISOString()}`;

/** What a ledger says of those before it. */
interface Said {
  readonly completeSinceMs: number;
  readonly earlier: string | undefined;
}

describe('foundLedgers', () => {
  let store: ConfigMapStore;
  let nowMs: number;
  beforeEach(() => {
    store = new ConfigMapStore();
    nowMs = NOW;
  });

  async function leader(epoch: string): Promise<IssuanceLedger> {
    const ledger = ledgerOf(store, epoch, () => nowMs);
    await ledger.takeOver();
    return ledger;
  }

  /** What the second ledger says. */
  function second(): Said {
    const { annotations = {} } = store.objects.get('agent-trust-ledger-2')?.metadata ?? {};
    return {
      completeSinceMs: Date.parse(annotations[ANNOTATION_COMPLETE_SINCE] ?? ''),
      earlier: annotations[ANNOTATION_EARLIER_LEDGERS],
    };
  }

  /** What it says when the next leader begins, half an hour after one ledger was filled and the next begun. */
  async function secondAfter(meanwhile: () => void): Promise<Said> {
    const first = await leader('first');
    await Promise.all([...FULL, ledgerLine(1000)].map((line) => first.commit(line)));
    meanwhile();
    nowMs += HOUR / 2;
    await leader('second');
    return second();
  }

  it('goes on as before when all are there', async () => {
    expect(await secondAfter(() => {})).to.deep.equal({ completeSinceMs: NOW, earlier: EARLIER });
  });

  it('goes on as before when the last line had just filled one', async () => {
    const first = await leader('first');
    await Promise.all(FULL.map((line) => first.commit(line)));
    nowMs += HOUR / 2;
    await leader('second');
    expect(second()).to.deep.equal({ completeSinceMs: NOW, earlier: EARLIER });
  });

  it('goes on as before when one is gone whose leaves have ended', async () => {
    await secondAfter(() => {});
    nowMs += HOUR;
    await (await leader('third')).trim(nowMs);
    expect([...store.objects.keys()]).to.deep.equal(['agent-trust-ledger-2']);
    await leader('fourth');
    expect(second()).to.deep.equal({ completeSinceMs: NOW, earlier: '' });
  });

  it('begins anew when one is gone whose leaves have not ended', async () => {
    const said = await secondAfter(() => store.objects.delete('agent-trust-ledger-1'));
    expect(said).to.deep.equal({ completeSinceMs: NOW + HOUR / 2, earlier: '' });
  });

  it('begins anew when the open one is gone', async () => {
    const said = await secondAfter(() => store.objects.delete('agent-trust-ledger-2'));
    expect(said).to.deep.equal({ completeSinceMs: NOW + HOUR / 2, earlier: EARLIER });
  });

  for (const word of [undefined, 'some'])
    it(`begins anew when the open one says ${word ?? 'nothing'} of earlier ones`, async () => {
      const said = await secondAfter(() => store.edit('agent-trust-ledger-2', saying(word)));
      expect(said).to.deep.equal({ completeSinceMs: NOW + HOUR / 2, earlier: EARLIER });
    });
});

function saying(word: string | undefined): (object: ConfigMap) => ConfigMap {
  return (object) => {
    const { [ANNOTATION_EARLIER_LEDGERS]: _, ...rest } = object.metadata.annotations ?? {};
    const annotations = word === undefined ? rest : { ...rest, [ANNOTATION_EARLIER_LEDGERS]: word };
    return { ...object, metadata: { ...object.metadata, annotations } };
  };
}
