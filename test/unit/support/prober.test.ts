import { expect } from 'chai';
import { caFiles, type LeafFiles } from '../../support/authority/prober-files.ts';
import { shakeHands } from '../../support/authority/prober-handshake.ts';
import { Mount } from '../../support/authority/prober-mount.ts';
import { leafFilesOf } from '../../support/authority/prober-pace.ts';
import { type PodHabits, ProbePod } from '../../support/authority/prober-pod.ts';
import { kindOf, Tally } from '../../support/authority/prober-tally.ts';
import { eventually } from '../../support/eventually.ts';
import { LocalAuthority } from '../../support/sdk/local-authority.ts';

const atOnce = (): number => 0;
const BY_SECRET: PodHabits = { trusts: 'Secret', secretDelayMs: atOnce, bundleDelayMs: atOnce };
const BY_BUNDLE: PodHabits = { ...BY_SECRET, trusts: 'bundle' };

describe('Mount', () => {
  it('brings versions in their order, and never one that was overtaken', async () => {
    const delays = [60, 5, 20];
    const arrived: number[] = [];
    const mount = new Mount<number>({
      delayMs: () => delays.shift() ?? 0,
      arrive: (version) => arrived.push(version),
    });
    for (const version of [1, 2, 3]) mount.write(version);
    expect(mount.isBehind).to.equal(true);
    await eventually('the last one', () => arrived.includes(3));
    expect(mount.isBehind).to.equal(false);
    mount.write(4);
    await eventually('one more', () => arrived.includes(4));
    expect(arrived).to.deep.equal([2, 3, 4]);
  });

  it('brings nothing any more once it is closed', async () => {
    const arrived: number[] = [];
    const closed = new Mount<number>({ delayMs: atOnce, arrive: (version) => arrived.push(version) });
    closed.write(1);
    closed.close();
    const open = new Mount<number>({ delayMs: () => 5, arrive: (version) => arrived.push(version) });
    open.write(2);
    await eventually('the other one', () => arrived.length > 0);
    expect(arrived).to.deep.equal([2]);
  });
});

describe('shakeHands', () => {
  const pods: ProbePod[] = [];
  const authority = new LocalAuthority(() => Date.now());
  const [before] = caFiles(authority.rootsPem).carries;

  afterEach(() => Promise.all(pods.splice(0).map((pod) => pod.close())));

  const filesOf = (name: string): LeafFiles => leafFilesOf(authority, 'ai-agents', name);
  const pod = async (name: string, habits: PodHabits = BY_SECRET): Promise<ProbePod> => {
    const made = new ProbePod({ namespace: 'ai-agents', name, hasBundle: true }, habits);
    pods.push(made);
    made.secret.write(filesOf(name));
    made.bundle.write(caFiles(authority.rootsPem));
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
    server.secret.write(other);
    await eventually('the other leaf', () => !server.secret.isBehind);
    expect((await shakeHands({ client, server })).problem).to.contain('the server is URI:');
    const { problem = '' } = await shakeHands({ client: server, server: client });
    expect(problem).to.contain('the server said').and.to.contain('sa/agent-c');
  });

  it('tells who trusts what where a new leaf meets a bundle without its generation', async () => {
    const [late, early] = [await pod('agent-a', BY_BUNDLE), await pod('agent-b')];
    authority.addGeneration();
    early.secret.write(filesOf('agent-b'));
    await eventually('the new leaf', () => !early.secret.isBehind);
    const tally = new Tally(before ?? '');
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
      expect(failure).to.match(/: (the server refused it|SELF_SIGNED_CERT_IN_CHAIN)$/);
    }
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
