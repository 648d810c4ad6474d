import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { expectProbed } from '../../support/authority/expect-probed.ts';
import { Wakefulness } from '../../support/authority/prober-awake.ts';
import { caFiles, type LeafFiles } from '../../support/authority/prober-files.ts';
import { shakeHands } from '../../support/authority/prober-handshake.ts';
import { Mount } from '../../support/authority/prober-mount.ts';
import { leafFilesOf, SLOWEST } from '../../support/authority/prober-pace.ts';
import { type PodHabits, ProbePod } from '../../support/authority/prober-pod.ts';
import { MIN_HANDSHAKES, type ProbedRotation } from '../../support/authority/prober-rotation.ts';
import { KINDS, kindOf, Tally } from '../../support/authority/prober-tally.ts';
import { eventually } from '../../support/eventually.ts';
import { LocalAuthority } from '../../support/sdk/local-authority.ts';

const atOnce = (): number => 0;
const BY_SECRET: PodHabits = { trusts: 'Secret', secretDelayMs: atOnce, bundleDelayMs: atOnce };
const BY_BUNDLE: PodHabits = { ...BY_SECRET, trusts: 'bundle' };

describe('Mount', () => {
  it('brings versions in their order, and never one that was overtaken', async () => {
    const delays = [60, 5, 20];
    const arrived: string[] = [];
    const mount = new Mount<number>({
      delayMs: () => delays.shift() ?? 0,
      arrive: (version) => arrived.push(`${version}, behind since ${mount.behindSinceMs}`),
    });
    for (const version of [1, 2, 3]) mount.write(version, version * 100);
    expect(mount.behindSinceMs).to.equal(100);
    await eventually('the last one', () => arrived.length === 2);
    expect(mount.behindSinceMs).to.equal(undefined);
    mount.write(4, 400);
    await eventually('one more', () => arrived.length === 3);
    expect(arrived).to.deep.equal([
      '2, behind since 300',
      '3, behind since undefined',
      '4, behind since undefined',
    ]);
  });

  it('brings nothing any more once it is closed', async () => {
    const arrived: number[] = [];
    const closed = new Mount<number>({ delayMs: atOnce, arrive: (version) => arrived.push(version) });
    closed.write(1, 0);
    closed.close();
    const open = new Mount<number>({ delayMs: () => 5, arrive: (version) => arrived.push(version) });
    open.write(2, 0);
    await eventually('the other one', () => arrived.length > 0);
    expect(arrived).to.deep.equal([2]);
  });
});

describe('Wakefulness', () => {
  it('is as old as the last look at what came in, also when a process stood still', async () => {
    const awake = new Wakefulness();
    try {
      const stoodStillMs = performance.now();
      while (performance.now() < stoodStillMs + 100);
      expect(awake.awakeAtMs).to.be.at.most(stoodStillMs);
      // A timer comes first, and only then what has come in meanwhile.
      await nextTurn();
      expect(awake.awakeAtMs).to.be.at.most(stoodStillMs);
      await eventually('it to be awake again', () => awake.awakeAtMs >= stoodStillMs + 100);
    } finally {
      awake.close();
    }
  });
});

describe('handshakes of pods', () => {
  const pods: ProbePod[] = [];
  const authority = new LocalAuthority(() => Date.now());
  const [before] = caFiles(authority.rootsPem).carries;

  afterEach(() => Promise.all(pods.splice(0).map((pod) => pod.close())));

  const filesOf = (name: string): LeafFiles => leafFilesOf(authority, 'ai-agents', name);
  const AWAKE = {
    get awakeAtMs() {
      return performance.now();
    },
  };
  const pod = async (
    name: string,
    habits: PodHabits = BY_SECRET,
    awake: Pick<Wakefulness, 'awakeAtMs'> = AWAKE,
  ): Promise<ProbePod> => {
    const made = new ProbePod({ namespace: 'ai-agents', name, hasBundle: true }, habits, awake);
    pods.push(made);
    made.secret.write(filesOf(name), 0);
    made.bundle.write(caFiles(authority.rootsPem), 0);
    await eventually(`${name} to listen`, () => made.port !== undefined);
    return made;
  };

  it('accepts two pods that trust each other, whichever file says so', async () => {
    const [client, server] = [await pod('agent-a'), await pod('agent-b', BY_BUNDLE)];
    for (const pair of [
      { client, server },
      { client: server, server: client },
    ]) {
      const { problem, clientUse, serverUse } = await shakeHands(pair);
      expect(problem).to.equal(undefined);
      for (const use of [clientUse, serverUse])
        expect(use).to.deep.include({ signedBy: before, trusted: [before] });
    }
  });

  it('refuses another agent than the one that is meant, on either side', async () => {
    const [client, server] = [await pod('agent-a'), await pod('agent-b')];
    const other = filesOf('agent-c');
    server.secret.write(other, 0);
    await eventually('the other leaf', () => !server.isBehind);
    expect((await shakeHands({ client, server })).problem).to.contain('the server is URI:');
    const { problem = '' } = await shakeHands({ client: server, server: client });
    expect(problem).to.contain('the server said').and.to.contain('sa/agent-c');
  });

  it('tells who trusts what where a new leaf meets a bundle without its generation', async () => {
    const [late, early] = [await pod('agent-a', BY_BUNDLE), await pod('agent-b')];
    authority.addGeneration();
    early.secret.write(filesOf('agent-b'), 0);
    await eventually('the new leaf', () => !early.isBehind);
    const tally = new Tally({ outgoing: before ?? '', maxMountDelayMs: 60_000 });
    for (const pair of [
      { client: late, server: early },
      { client: early, server: late },
    ])
      tally.add(await shakeHands(pair), false);
    expect([tally.failed, tally.verified]).to.deep.equal([2, 0]);
    const after = early.inUse?.signedBy;
    for (const failure of tally.failures) {
      expect(failure).to.contain(`leaf of ${after}; by its Secret trusts ${before} (outgoing) and ${after}`);
      expect(failure).to.contain(`leaf of ${before} (outgoing); by its bundle trusts ${before} (outgoing))`);
      expect(failure).to.match(/: (the server refused it|SELF_SIGNED_CERT_IN_CHAIN), with files that may /);
    }
    expect(tally.stalls).to.deep.equal([]);
  });

  it('are laid at the door of this machine when they fail with files that are older than a pod may have', async () => {
    const MAX_MS = 60_000;
    const minutesAgo = (minutes: number): number => performance.now() - minutes * 60_000;
    const places: readonly (readonly [
      awakeMinutesAgo: number,
      writtenMinutesAgo: number,
      isStall: boolean,
    ])[] = [
      [0, 0, false],
      [0, 0.5, false],
      [0.5, 0, false],
      [0, 1.1, true],
      [1.1, 0, true],
    ];
    for (const [awakeMinutesAgo, writtenMinutesAgo, isStall] of places) {
      const bundleDelays = [0];
      const habits = { ...BY_BUNDLE, bundleDelayMs: () => bundleDelays.shift() ?? 3_600_000 };
      const late = await pod('agent-a', habits, { awakeAtMs: minutesAgo(awakeMinutesAgo) });
      const early = await pod('agent-b');
      authority.addGeneration();
      late.bundle.write(caFiles(authority.rootsPem), minutesAgo(writtenMinutesAgo));
      early.secret.write(filesOf('agent-b'), 0);
      await eventually('the new leaf', () => !early.isBehind);
      expect(late.isBehind).to.equal(true);
      const tally = new Tally({ outgoing: before ?? '', maxMountDelayMs: MAX_MS });
      tally.add(await shakeHands({ client: late, server: early }), true);
      tally.add(await shakeHands({ client: early, server: late }), true);
      expect([awakeMinutesAgo, writtenMinutesAgo, tally.failed, tally.stalls.length]).to.deep.equal([
        awakeMinutesAgo,
        writtenMinutesAgo,
        ...(isStall ? [0, 2] : [2, 0]),
      ]);
    }
  });
});

describe('expectProbed', () => {
  const good: ProbedRotation = {
    handshakes: MIN_HANDSHAKES,
    failed: 0,
    failures: [],
    stalls: [],
    kinds: new Map(KINDS.map((kind) => [kind, 1])),
    summary: 'a rotation',
  };
  const stalled: ProbedRotation = { ...good, stalls: ['a handshake failed'] };
  const slow: ProbedRotation = { ...good, handshakes: MIN_HANDSHAKES - 1 };
  const failed: ProbedRotation = { ...good, failed: 1, failures: ['a handshake failed'] };

  /** What became of it, what it told, and how many rotations it has not asked for. */
  async function outcomeOf(...rotations: readonly ProbedRotation[]): Promise<readonly unknown[]> {
    const left = [...rotations];
    const told: string[] = [];
    const asked: (number | undefined)[] = [];
    const probe = async (acceleration?: number): Promise<ProbedRotation> => {
      asked.push(acceleration);
      return left.shift() ?? failed;
    };
    const [outcome] = await Promise.allSettled([expectProbed(probe, (what) => told.push(what))]);
    expect(asked).to.deep.equal([undefined, SLOWEST].slice(0, asked.length));
    return [outcome.status, told, left.length];
  }

  it('accepts a good rotation, and one that follows one in which this machine stalled or was too slow', async () => {
    expect(await outcomeOf(good, failed)).to.deep.equal(['fulfilled', [], 1]);
    for (const [first, why] of [
      [stalled, 'a handshake failed'],
      [slow, 'it made 19999 handshakes in a rotation, and 20000 are wanted'],
    ] as const)
      expect(await outcomeOf(first, good, failed)).to.deep.equal([
        'fulfilled',
        [`Once more, since this machine stalled: ${why}`],
        1,
      ]);
  });

  it('rejects a rotation in which a handshake failed, and probes it no more, stalled or not', async () => {
    expect(await outcomeOf(failed, good)).to.deep.equal(['rejected', [], 1]);
    expect(await outcomeOf({ ...stalled, failed: 1 }, good)).to.deep.equal(['rejected', [], 1]);
  });

  it('rejects one in which a leaf did not meet a bundle that it may meet', async () => {
    const kinds = new Map(good.kinds).set('old leaf, new bundle', 0);
    expect(await outcomeOf({ ...good, kinds }, good)).to.deep.equal(['rejected', [], 1]);
  });

  it('rejects a second rotation in which this machine stalled, or one failed', async () => {
    const told = ['Once more, since this machine stalled: a handshake failed'];
    for (const second of [stalled, slow, failed])
      expect(await outcomeOf(stalled, second, good)).to.deep.equal(['rejected', told, 1]);
  });
});

describe('kindOf', () => {
  it('tells old from new by the generation that goes out', () => {
    const cases: readonly (readonly [string, readonly string[], string])[] = [
      ['one', ['one'], 'old leaf, old bundle'],
      ['one', ['one', 'two'], 'old leaf, new bundle'],
      ['two', ['one', 'two'], 'new leaf, old bundle'],
      ['two', ['two'], 'new leaf, new bundle'],
      ['three', ['two', 'three'], 'new leaf, new bundle'],
    ];
    for (const [signedBy, trusted, kind] of cases) expect(kindOf(signedBy, trusted, 'one')).to.equal(kind);
  });
});
