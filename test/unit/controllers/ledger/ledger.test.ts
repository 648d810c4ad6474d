/** The issuance ledger against a server that compares and swaps, loses answers, and is written by others too. */

import { expect } from 'chai';
import {
  ANNOTATION_CLOSED,
  ANNOTATION_COMPLETE_SINCE,
  ANNOTATION_HIGHEST_NOT_AFTER,
  ANNOTATION_LEASE_EPOCH,
} from '../../../../src/api/group.ts';
import type { ConfigMap } from '../../../../src/controllers/bundle/bundle-record.ts';
import { type IssuanceLedger, LeadershipLost } from '../../../../src/controllers/ledger/ledger.ts';
import { LINES_PER_LEDGER } from '../../../../src/domain/ledger/ledger-line.ts';
import { isKubeError } from '../../../../src/kube/errors.ts';
import { ConfigMapStore, type Fate, type StoreCall } from '../../../support/config-map-store.ts';
import { otherCharacter } from '../../../support/flipped-byte.ts';
import { HOUR, ledgerLine, ledgerOf, linesOf, NOW, serials, storedLedger } from './fixture.ts';

describe('IssuanceLedger', () => {
  let store: ConfigMapStore;
  let nowMs = NOW;
  const begin = async (epoch = 'first'): Promise<IssuanceLedger> => {
    const ledger = ledgerOf(store, epoch, () => nowMs);
    await ledger.takeOver();
    store.calls.length = 0;
    return ledger;
  };
  const fates = (...of: readonly Fate[]): ((call: StoreCall) => Fate) => {
    let next = 0;
    return () => of[next++] ?? 'answered';
  };

  beforeEach(() => {
    store = new ConfigMapStore();
    nowMs = NOW;
  });

  describe('takeOver', () => {
    it('opens the first ledger, so that an older leader cannot', async () => {
      await ledgerOf(store, 'first').takeOver();
      expect(store.writes).to.deep.equal(['create agent-trust-ledger-1']);
      expect(contentOf(1)).to.deep.equal({ epoch: 'first', isClosed: false, serials: [] });
    });

    it('writes the epoch into the open ledger and keeps its lines', async () => {
      const older = await begin();
      await older.commit(ledgerLine(1));
      const newer = await begin('second');
      await newer.commit(ledgerLine(2));
      expect(contentOf(1)).to.deep.equal({ epoch: 'second', isClosed: false, serials: serials(1, 2) });
    });

    it('opens the next ledger when the last is closed', async () => {
      put(storedLedger(7, LINES_PER_LEDGER));
      await ledgerOf(store, 'second').takeOver();
      expect(store.writes).to.deep.equal(['create agent-trust-ledger-8']);
    });

    it('takes the newest of several open ledgers', async () => {
      put(storedLedger(2, 3));
      put(storedLedger(10, 1));
      const ledger = await begin();
      await ledger.commit(ledgerLine(99));
      expect(store.writes).to.deep.equal(['replace agent-trust-ledger-10']);
    });

    it('leaves alone what only begins like a ledger', async () => {
      for (const name of ['agent-trust-ledger-x', 'agent-trust-ledger-01', 'agent-trust-ledger-']) {
        store.objects.set(name, { metadata: { name, uid: name, resourceVersion: '1' } });
      }
      await ledgerOf(store, 'first').takeOver();
      expect(store.writes).to.deep.equal(['create agent-trust-ledger-1']);
    });

    it('counts a commit of the older leader that came first', async () => {
      const older = await begin();
      let isFirst = true;
      store.arrival = async ({ verb }) => {
        if (verb !== 'replace' || !isFirst) return;
        isFirst = false;
        await older.commit(ledgerLine(1));
      };
      await ledgerOf(store, 'second').takeOver();
      expect(contentOf(1)).to.deep.equal({ epoch: 'second', isClosed: false, serials: serials(1) });
    });

    it('follows an older leader that closed the ledger first', async () => {
      put(storedLedger(1, LINES_PER_LEDGER - 1));
      const older = await begin();
      let isFirst = true;
      store.arrival = async ({ verb }) => {
        if (verb !== 'replace' || !isFirst) return;
        isFirst = false;
        await Promise.all([older.commit(ledgerLine(1)), older.commit(ledgerLine(2))]);
      };
      const newer = ledgerOf(store, 'second');
      await newer.takeOver();
      expect(contentOf(2)).to.deep.equal({ epoch: 'second', isClosed: false, serials: serials(2) });
      await newer.commit(ledgerLine(3));
      expect(await outcome(older.commit(ledgerLine(4)))).to.be.instanceOf(LeadershipLost);
    });

    it('may be repeated after a lost answer', async () => {
      const ledger = ledgerOf(store, 'first');
      store.fate = fates('answered', 'lost');
      expect(isKubeError(await outcome(ledger.takeOver()))).to.equal(true);
      await ledger.takeOver();
      await ledger.commit(ledgerLine(1));
      expect([...store.objects.keys()]).to.deep.equal(['agent-trust-ledger-1']);
      expect(contentOf(1)).to.deep.equal({ epoch: 'first', isClosed: false, serials: serials(1) });
    });

    it('gives up when somebody else writes again and again', async () => {
      put(storedLedger(1, 1));
      store.arrival = async ({ verb, name }) => {
        if (verb === 'replace') store.edit(name, (object) => object);
      };
      expect(isKubeError(await outcome(ledgerOf(store, 'first').takeOver()), 'KUBE_CONFLICT')).to.equal(true);
    });

    it('ends a last line that somebody left without a line end', async () => {
      put(storedLedger(1, 1));
      store.edit('agent-trust-ledger-1', (object) => ({
        ...object,
        data: { ledger: object.data?.['ledger']?.trimEnd() ?? '' },
      }));
      const ledger = await begin();
      await ledger.commit(ledgerLine(2));
      expect(linesOf(store).map((line) => line?.serialHex)).to.deep.equal(['0001000000', ...serials(2)]);
    });
  });

  describe('commit', () => {
    it('writes the lines of all who wait at once', async () => {
      const ledger = await begin();
      await Promise.all(Array.from({ length: 20 }, (_, at) => ledger.commit(ledgerLine(at))));
      expect(store.writes).to.deep.equal(['replace agent-trust-ledger-1']);
      expect(contentOf(1).serials).to.deep.equal(serials(...Array.from({ length: 20 }, (_, at) => at)));
    });

    it('writes the lines of those who came during a write together', async () => {
      const ledger = await begin();
      const later: Promise<void>[] = [];
      store.arrival = async () => {
        if (later.length === 0) later.push(...[2, 3, 4].map((at) => ledger.commit(ledgerLine(at))));
      };
      await ledger.commit(ledgerLine(1));
      await Promise.all(later);
      expect(store.writes.length).to.equal(2);
      expect(contentOf(1).serials).to.deep.equal(serials(1, 2, 3, 4));
    });

    it('resolves only when the line is on the server', async () => {
      const ledger = await begin();
      const arrived = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      store.arrival = () => {
        arrived.resolve();
        return released.promise;
      };
      let isDone = false;
      const done = ledger.commit(ledgerLine(1)).then(() => {
        isDone = true;
      });
      await arrived.promise;
      expect([isDone, contentOf(1).serials]).to.deep.equal([false, []]);
      released.resolve();
      await done;
      expect(contentOf(1).serials).to.deep.equal(serials(1));
    });

    it('tells everybody whose write failed, and goes on', async () => {
      const ledger = await begin();
      store.fate = fates('refused');
      const failed = await Promise.all([1, 2].map((at) => outcome(ledger.commit(ledgerLine(at)))));
      expect(failed.map((error) => isKubeError(error, 'KUBE_TOO_MANY_REQUESTS'))).to.deep.equal([true, true]);
      await ledger.commit(ledgerLine(3));
      expect(contentOf(1).serials).to.deep.equal(serials(3));
    });

    it('writes a line once whose first answer was lost', async () => {
      const ledger = await begin();
      store.fate = fates('lost');
      expect(isKubeError(await outcome(ledger.commit(ledgerLine(1))), 'KUBE_UNAVAILABLE')).to.equal(true);
      await Promise.all([ledger.commit(ledgerLine(2)), ledger.commit(ledgerLine(1))]);
      expect(contentOf(1).serials).to.deep.equal(serials(2, 1));
    });

    it('drops a line whose answer was lost and that nobody commits again', async () => {
      const ledger = await begin();
      store.fate = fates('lost');
      await outcome(ledger.commit(ledgerLine(1)));
      await ledger.commit(ledgerLine(2));
      expect(contentOf(1).serials).to.deep.equal(serials(2));
    });

    it('writes over what somebody changed', async () => {
      const ledger = await begin();
      await ledger.commit(ledgerLine(1));
      store.edit('agent-trust-ledger-1', (object) => ({ ...object, data: { ledger: 'nonsense' } }));
      await ledger.commit(ledgerLine(2));
      expect(contentOf(1).serials).to.deep.equal(serials(1, 2));
    });

    it('makes a ledger anew that somebody deleted', async () => {
      const ledger = await begin();
      await ledger.commit(ledgerLine(1));
      store.objects.clear();
      await ledger.commit(ledgerLine(2));
      expect(contentOf(1)).to.deep.equal({ epoch: 'first', isClosed: false, serials: serials(1, 2) });
    });

    it('ends with the term when another leader has taken over', async () => {
      const older = await begin('first');
      await older.commit(ledgerLine(1));
      await begin('second');
      expect(await outcome(older.commit(ledgerLine(2)))).to.be.instanceOf(LeadershipLost);
      expect(await older.lost).to.equal('another leader has taken the ledger over');
      store.calls.length = 0;
      expect(await outcome(older.commit(ledgerLine(3)))).to.be.instanceOf(LeadershipLost);
      expect(store.calls).to.deep.equal([]);
      expect(contentOf(1)).to.deep.equal({ epoch: 'second', isClosed: false, serials: serials(1) });
    });

    it('ends with the term when another leader has opened the next ledger', async () => {
      put(storedLedger(1, LINES_PER_LEDGER - 1));
      const older = await begin('first');
      await older.commit(ledgerLine(1));
      await begin('second');
      expect(await outcome(older.commit(ledgerLine(2)))).to.be.instanceOf(LeadershipLost);
      expect(contentOf(2)).to.deep.equal({ epoch: 'second', isClosed: false, serials: [] });
    });

    it('closes a ledger at its last line and opens the next, also within one batch', async () => {
      put(storedLedger(1, LINES_PER_LEDGER - 2));
      const ledger = await begin();
      await Promise.all([1, 2, 3].map((at) => ledger.commit(ledgerLine(at))));
      expect(store.writes).to.deep.equal(['replace agent-trust-ledger-1', 'create agent-trust-ledger-2']);
      expect([contentOf(1).serials.length, contentOf(1).isClosed]).to.deep.equal([LINES_PER_LEDGER, true]);
      expect(contentOf(2)).to.deep.equal({ epoch: 'first', isClosed: false, serials: serials(3) });
    });

    it('closes a ledger once although the answer of that write was lost', async () => {
      put(storedLedger(1, LINES_PER_LEDGER - 1));
      const ledger = await begin();
      store.fate = fates('lost');
      await outcome(ledger.commit(ledgerLine(1)));
      await Promise.all([ledger.commit(ledgerLine(2)), ledger.commit(ledgerLine(1))]);
      expect([contentOf(1).serials.at(-1), contentOf(1).isClosed]).to.deep.equal([...serials(2), true]);
      expect(contentOf(2).serials).to.deep.equal(serials(1));
    });

    it('notes the latest end of all lines', async () => {
      const ledger = await begin();
      await ledger.commit(ledgerLine(1, NOW + 3 * HOUR));
      await ledger.commit(ledgerLine(2, NOW + HOUR));
      const { annotations = {} } = store.objects.get('agent-trust-ledger-1')?.metadata ?? {};
      expect(annotations[ANNOTATION_HIGHEST_NOT_AFTER]).to.equal(new Date(NOW + 3 * HOUR).toISOString());
    });

    it('says from when on none is missing, and carries that on from ledger to ledger', async () => {
      await begin();
      nowMs += HOUR;
      const ledger = await begin('second');
      const lines = Array.from({ length: LINES_PER_LEDGER + 1 }, (_, at) => ledgerLine(at));
      await Promise.all(lines.map((line) => ledger.commit(line)));
      expect([1, 2].map(completeSince)).to.deep.equal([NOW, NOW]);
    });

    it('says so from now on when somebody has deleted what there was, or taken that word away', async () => {
      const ledger = await begin();
      store.objects.clear();
      nowMs += HOUR;
      await ledger.commit(ledgerLine(1));
      expect(completeSince(1)).to.equal(NOW + HOUR);
      store.objects.clear();
      nowMs += HOUR;
      await begin('second');
      expect(completeSince(1)).to.equal(NOW + 2 * HOUR);
      store.edit('agent-trust-ledger-1', annotated(ANNOTATION_COMPLETE_SINCE, 'always'));
      nowMs += HOUR;
      await begin('third');
      expect(completeSince(1)).to.equal(NOW + 3 * HOUR);
    });

    it('opens the next ledger with the next line when it could not at once', async () => {
      put(storedLedger(1, LINES_PER_LEDGER - 1));
      const ledger = await begin();
      store.fate = fates('answered', 'refused', 'lost');
      await ledger.commit(ledgerLine(1));
      expect(isKubeError(await outcome(ledger.commit(ledgerLine(2))))).to.equal(true);
      await ledger.commit(ledgerLine(3));
      expect(contentOf(2)).to.deep.equal({ epoch: 'first', isClosed: false, serials: serials(3) });
    });

    it('gives every call a time-out, since many wait for it', async () => {
      const ledger = await begin();
      store.edit('agent-trust-ledger-1', (object) => object);
      await ledger.commit(ledgerLine(1));
      expect(store.calls.map(({ verb, options }) => [verb, options?.timeoutMs])).to.deep.equal([
        ['replace', 20_000],
        ['find', 20_000],
        ['replace', 20_000],
      ]);
    });
  });

  describe('mend', () => {
    const texts = (): readonly (string | undefined)[] =>
      [...store.objects.keys()].sort().map((name) => store.objects.get(name)?.data?.['ledger']);
    let ledger: IssuanceLedger;
    let good: readonly (string | undefined)[];

    beforeEach(async () => {
      put(storedLedger(1, LINES_PER_LEDGER));
      put(storedLedger(2, 3));
      ledger = await begin();
      await ledger.commit(ledgerLine(1));
      good = texts();
      store.calls.length = 0;
    });

    it('puts back every character that is another, in open and closed ledgers', async () => {
      for (const name of ['agent-trust-ledger-1', 'agent-trust-ledger-2']) {
        const { length } = store.objects.get(name)?.data?.['ledger'] ?? '';
        for (let at = 0; at < length; at += at < 200 || at > length - 200 ? 1 : 997) {
          store.edit(name, ({ data = {}, ...rest }) => ({
            ...rest,
            data: { ledger: otherCharacter(data['ledger'] ?? '', at, 1 + (at % 126)) },
          }));
          expect(await ledger.mend()).to.deep.equal([name]);
          expect(texts()).to.deep.equal(good);
        }
      }
      expect(contentOf(1).isClosed).to.equal(true);
      await ledger.commit(ledgerLine(2));
      expect(contentOf(2).serials.slice(-2)).to.deep.equal(serials(1, 2));
    });

    it('puts back ledgers that are deleted, and takes other keys out', async () => {
      store.objects.delete('agent-trust-ledger-1');
      store.edit('agent-trust-ledger-2', (object) => ({ ...object, data: { ...object.data, more: 'x' } }));
      expect(await ledger.mend()).to.deep.equal(['agent-trust-ledger-1', 'agent-trust-ledger-2']);
      expect(texts()).to.deep.equal(good);
      expect(await ledger.mend()).to.deep.equal([]);
      await ledger.trim(NOW + 2 * HOUR);
      expect([...store.objects.keys()]).to.deep.equal(['agent-trust-ledger-2']);
    });

    it('writes nothing while all is as it was, or somebody appends, or another leader has it', async () => {
      expect(await ledger.mend()).to.deep.equal([]);
      expect(store.writes).to.deep.equal([]);
      store.edit('agent-trust-ledger-2', (object) => ({ ...object, data: { ledger: '' } }));
      const committed = ledger.commit(ledgerLine(2));
      expect(await ledger.mend()).to.deep.equal([]);
      await committed;
      expect(contentOf(2).serials.slice(-2)).to.deep.equal(serials(1, 2));
      await ledgerOf(store, 'second').takeOver();
      const kept = texts();
      store.edit('agent-trust-ledger-2', (object) => ({ ...object, data: { ledger: 'x\n' } }));
      expect(await ledger.mend()).to.deep.equal([]);
      expect(texts()).to.deep.equal([kept[0], 'x\n']);
    });

    it('lets those commit who came meanwhile', async () => {
      store.edit('agent-trust-ledger-2', (object) => ({ ...object, data: { ledger: '' } }));
      const committed: Promise<void>[] = [];
      store.arrival = async ({ verb }) => {
        if (verb === 'find') committed.push(ledger.commit(ledgerLine(2)));
      };
      expect(await ledger.mend()).to.deep.equal(['agent-trust-ledger-2']);
      await Promise.all(committed);
      expect(contentOf(2).serials.slice(-2)).to.deep.equal(serials(1, 2));
    });
  });

  describe('trim', () => {
    beforeEach(() => {
      put(storedLedger(1, LINES_PER_LEDGER, NOW + HOUR));
      put(storedLedger(2, LINES_PER_LEDGER, NOW + 3 * HOUR));
      put(storedLedger(3, 1, NOW));
    });

    it('deletes closed ledgers whose last leaf has expired, and no other', async () => {
      const ledger = await begin();
      await ledger.trim(NOW + 2 * HOUR);
      await ledger.trim(NOW + 2 * HOUR);
      expect(store.writes).to.deep.equal(['delete agent-trust-ledger-1']);
      expect([...store.objects.keys()]).to.deep.equal(['agent-trust-ledger-2', 'agent-trust-ledger-3']);
    });

    it('deletes a ledger that was closed in this term', async () => {
      const ledger = await begin();
      const lines = Array.from({ length: LINES_PER_LEDGER }, (_, at) => ledgerLine(at, NOW));
      await Promise.all(lines.map((line) => ledger.commit(line)));
      await ledger.trim(NOW + 1);
      expect(store.writes.at(-1)).to.equal('delete agent-trust-ledger-3');
    });

    it('keeps a ledger whose date cannot be read', async () => {
      store.edit('agent-trust-ledger-1', annotated(ANNOTATION_HIGHEST_NOT_AFTER, 'soon'));
      await (await begin()).trim(NOW + 2 * HOUR);
      expect(store.writes).to.deep.equal([]);
    });

    it('forgets a ledger that somebody deleted or made anew', async () => {
      const ledger = await begin();
      store.objects.delete('agent-trust-ledger-1');
      await ledger.trim(NOW + 2 * HOUR);
      await ledger.trim(NOW + 2 * HOUR);
      expect(store.writes).to.deep.equal(['delete agent-trust-ledger-1']);
    });

    it('tries a ledger again that could not be deleted', async () => {
      const ledger = await begin();
      store.fate = fates('refused');
      expect(isKubeError(await outcome(ledger.trim(NOW + 2 * HOUR)))).to.equal(true);
      await ledger.trim(NOW + 2 * HOUR);
      expect(store.objects.has('agent-trust-ledger-1')).to.equal(false);
    });
  });

  function put(object: ConfigMap): void {
    store.objects.set(object.metadata.name, object);
  }

  function completeSince(number: number): number {
    const { annotations = {} } = store.objects.get(`agent-trust-ledger-${number}`)?.metadata ?? {};
    return Date.parse(annotations[ANNOTATION_COMPLETE_SINCE] ?? '');
  }

  function contentOf(number: number): { epoch: string; isClosed: boolean; serials: string[] } {
    const { metadata, data } = store.objects.get(`agent-trust-ledger-${number}`) ?? {
      metadata: { name: '' },
    };
    return {
      epoch: metadata.annotations?.[ANNOTATION_LEASE_EPOCH] ?? '',
      isClosed: metadata.annotations?.[ANNOTATION_CLOSED] === 'true',
      serials: [...(data?.['ledger'] ?? '').matchAll(/^\S+ \S+ (\S+) /gm)].map(([, serial = '']) => serial),
    };
  }
});

function annotated(name: string, value: string): (object: ConfigMap) => ConfigMap {
  return (object) => ({
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [name]: value } },
  });
}

/** What a call rejects with; undefined when it succeeds. */
function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}
