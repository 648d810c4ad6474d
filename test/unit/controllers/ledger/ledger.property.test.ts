/** The issuance ledger under random losses of answers, and two leaders at once in every order of their calls. */

import { expect } from 'chai';
import fc from 'fast-check';
import { ANNOTATION_LEASE_EPOCH } from '../../../../src/api/group.ts';
import { type IssuanceLedger, LeadershipLost } from '../../../../src/controllers/ledger/ledger.ts';
import { LINES_PER_LEDGER } from '../../../../src/domain/ledger/ledger-line.ts';
import { isKubeError } from '../../../../src/kube/errors.ts';
import { ConfigMapStore, type Fate } from '../../../support/config-map-store.ts';
import { ledgerLine, ledgerOf, linesOf, serials, storedLedger } from './fixture.ts';

const RUNS = { numRuns: 300 };

const fates = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant<Fate>('answered') },
    { weight: 2, arbitrary: fc.constant<Fate>('lost') },
    { weight: 1, arbitrary: fc.constant<Fate>('refused') },
  ),
  { maxLength: 40 },
);

/** Lines that are left in the first ledger; with few of them it is closed on the way. */
const room = fc.constantFrom(0, 1, 2, 5, 400);

function storeWith(roomLeft: number, fateOf: readonly Fate[]): ConfigMapStore {
  const store = new ConfigMapStore();
  const ledger = storedLedger(1, LINES_PER_LEDGER - roomLeft);
  store.objects.set(ledger.metadata.name, ledger);
  let next = 0;
  store.fate = () => fateOf[next++] ?? 'answered';
  return store;
}

/** Takes over as the process does: again and again until it works. */
async function takeOver(ledger: IssuanceLedger): Promise<void> {
  for (let isDone = false; !isDone; ) {
    isDone = await ledger.takeOver().then(
      () => true,
      (error: unknown) => {
        if (!isKubeError(error)) throw error;
        return false;
      },
    );
  }
}

/** How a commit ended. */
async function ending(commit: Promise<void>): Promise<'committed' | 'failed' | 'lost leadership'> {
  try {
    await commit;
    return 'committed';
  } catch (error) {
    if (error instanceof LeadershipLost) return 'lost leadership';
    if (isKubeError(error)) return 'failed';
    throw error;
  }
}

/** Serial numbers on the server that the test committed, sorted. */
function committedOn(store: ConfigMapStore): readonly string[] {
  return linesOf(store)
    .map((line) => line?.serialHex ?? 'unreadable')
    .filter((serial) => serial.startsWith('00000') || serial === 'unreadable')
    .sort();
}

describe('IssuanceLedger under faults', () => {
  it('has every committed line once, however many answers are lost', () =>
    fc.assert(
      fc.asyncProperty(
        room,
        fates,
        fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 }),
        async (roomLeft, fateOf, rounds) => {
          const store = storeWith(roomLeft, fateOf);
          const ledger = ledgerOf(store, 'first');
          await takeOver(ledger);
          const committed: string[] = [];
          let next = 0;
          const commitWithRetries = async (retries: number): Promise<void> => {
            const n = next++;
            for (let tries = 0; tries <= retries; tries++) {
              if ((await ending(ledger.commit(ledgerLine(n)))) !== 'committed') continue;
              committed.push(...serials(n));
              return;
            }
          };
          for (const round of rounds) await Promise.all(round.map(commitWithRetries));
          // What was lost on the way is gone with the first write that is answered.
          store.fate = () => 'answered';
          await commitWithRetries(0);
          expect(committedOn(store)).to.deep.equal(committed.toSorted());
          expect(largestLedger(store)).to.be.at.most(LINES_PER_LEDGER);
        },
      ),
      RUNS,
    ));

  it('takes no line of a leader after another has taken over, and loses none that it took before', () =>
    fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        room,
        fates,
        fc.record({ older: fc.integer({ min: 1, max: 8 }), newer: fc.integer({ min: 1, max: 4 }) }),
        async (scheduler, roomLeft, fateOf, counts) => {
          const store = storeWith(roomLeft, fateOf);
          const older = ledgerOf(store, 'older');
          const newer = ledgerOf(store, 'newer');
          await takeOver(older);
          store.arrival = ({ verb }) => scheduler.schedule(Promise.resolve(), verb);
          const committed: string[] = [];
          const late: string[] = [];
          let hasTakenOver = false;
          const commits = async (ledger: IssuanceLedger, first: number, count: number): Promise<void> => {
            for (let n = first; n < first + count; n++) {
              const isLate = ledger === older && hasTakenOver;
              const how = await ending(ledger.commit(ledgerLine(n)));
              if (how === 'committed') (isLate ? late : committed).push(...serials(n));
            }
          };
          const successor = async (): Promise<void> => {
            await takeOver(newer);
            hasTakenOver = true;
            await commits(newer, 100, counts.newer);
          };
          await scheduler.waitFor(Promise.all([commits(older, 0, counts.older), successor()]));
          // The next ledger is opened when nobody waits for it.
          await scheduler.waitIdle();
          store.fate = () => 'answered';
          store.arrival = async () => {};
          expect(await ending(older.commit(ledgerLine(50)))).to.equal('lost leadership');
          expect(await ending(newer.commit(ledgerLine(150)))).to.equal('committed');
          expect(late).to.deep.equal([]);
          const onServer = committedOn(store);
          expect(new Set(onServer).size).to.equal(onServer.length);
          expect(onServer).to.include.members([...committed, ...serials(150)]);
          expect(newestEpoch(store)).to.equal('newer');
        },
      ),
      RUNS,
    ));
});

function largestLedger(store: ConfigMapStore): number {
  const counts = [...store.objects.values()].map(
    ({ data }) => (data?.['ledger'] ?? '').split('\n').length - 1,
  );
  return Math.max(...counts);
}

function newestEpoch(store: ConfigMapStore): string | undefined {
  return [...store.objects.values()].at(-1)?.metadata.annotations?.[ANNOTATION_LEASE_EPOCH];
}
