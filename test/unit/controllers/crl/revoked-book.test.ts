import { expect } from 'chai';
import { crlReconciler } from '../../../../src/controllers/crl/reconcile.ts';
import { rejectedLeaf } from '../../../../src/controllers/crl/rejected-leaf.ts';
import type { KubeObject } from '../../../../src/kube/object.ts';
import { silentLog } from '../../../../src/observe/log.ts';
import { CrlWorld, GENERATION, HOUR, lineOf, NOW } from './fixture.ts';

describe('RevokedBook', () => {
  let world: CrlWorld;
  beforeEach(async () => {
    world = await CrlWorld.start();
  });
  afterEach(() => world.close());

  it('revokes every live leaf of an identity that is suspended or deleted, at once', () => {
    world.put('one', 'uid-1');
    world.put('two', 'uid-2');
    world.leaves.replace([lineOf('uid-1', 1), lineOf('uid-1', 2), lineOf('uid-2', 3)]);
    expect(world.entries).to.deep.equal([]);
    world.put('one', 'uid-1', { suspended: true });
    world.put('two', 'uid-2', { isDeleting: true });
    expect(world.entries).to.deep.equal([
      [lineOf('', 1).serialHex, 'privilegeWithdrawn'],
      [lineOf('', 2).serialHex, 'privilegeWithdrawn'],
      [lineOf('', 3).serialHex, 'cessationOfOperation'],
    ]);
  });

  it('revokes what the ledger says of an identity that is suspended already, and not what has ended', () => {
    world.put('one', 'uid-1', { suspended: true });
    world.leaves.replace([lineOf('uid-1', 1), lineOf('uid-1', 2, { notAfterMs: NOW - 1000 })]);
    world.leaves.add([lineOf('uid-1', 3)]);
    expect(world.entries.map(([serialHex]) => serialHex)).to.deep.equal([
      lineOf('', 1).serialHex,
      lineOf('', 3).serialHex,
    ]);
  });

  it('brings no leaf back when a suspension is lifted, and revokes none that is made then', () => {
    world.put('one', 'uid-1', { suspended: true });
    world.leaves.replace([lineOf('uid-1', 1)]);
    world.put('one', 'uid-1', { suspended: false });
    world.leaves.add([lineOf('uid-1', 2)]);
    expect(world.entries).to.deep.equal([[lineOf('', 1).serialHex, 'privilegeWithdrawn']]);
  });

  it('tells of leaves that are revoked, once', () => {
    const told: string[] = [];
    world.revoked.onChange((leaves) => told.push(...leaves.map(({ serialHex }) => serialHex)));
    world.put('one', 'uid-1');
    world.leaves.replace([lineOf('uid-1', 1)]);
    const before = world.revoked.revision;
    world.put('one', 'uid-1', { suspended: true });
    world.put('one', 'uid-1', { suspended: true, isDeleting: true });
    expect([told, world.revoked.revision]).to.deep.equal([[lineOf('', 1).serialHex], before + 1]);
  });

  it('takes over what an earlier leader has revoked, with the end that the ledger knows', () => {
    world.put('one', 'uid-1');
    world.leaves.replace([lineOf('uid-1', 1)]);
    const revokedAtMs = NOW - HOUR;
    const reason = 'privilegeWithdrawn';
    const adopted = [1, 2].map((n) => {
      return { serialHex: lineOf('', n).serialHex, generation: GENERATION, revokedAtMs, reason } as const;
    });
    world.revoked.adopt(adopted);
    world.revoked.adopt(adopted);
    expect(
      [...world.revoked.entries()].map(({ namespace, notAfterMs }) => [namespace, notAfterMs]),
    ).to.deep.equal([
      ['ai-agents', NOW + 24 * HOUR],
      [undefined, revokedAtMs + 168 * HOUR],
    ]);
  });

  it('forgets leaves some time after their end', () => {
    world.put('one', 'uid-1', { suspended: true });
    world.leaves.replace([lineOf('uid-1', 1, { notAfterMs: NOW + HOUR }), lineOf('uid-1', 2)]);
    world.revoked.prune(NOW + 2 * HOUR);
    expect(world.entries.length).to.equal(2);
    world.revoked.prune(NOW + 3 * HOUR);
    expect(world.entries).to.deep.equal([[lineOf('', 2).serialHex, 'privilegeWithdrawn']]);
  });

  it('revokes whatever may live, and takes it over, while nobody can say what has ended', () => {
    world.put('one', 'uid-1');
    world.leaves.replace([lineOf('uid-1', 1), lineOf('uid-2', 2)]);
    Object.assign(world, { isClockTrusted: false, nowMs: NOW + 192 * HOUR });
    world.put('one', 'uid-1', { suspended: true });
    const { serialHex, generation } = lineOf('', 3);
    world.revoked.adopt([{ serialHex, generation, revokedAtMs: NOW, reason: 'privilegeWithdrawn' }]);
    world.nowMs = NOW + HOUR;
    expect(world.entries.map(([serialHex]) => serialHex)).to.deep.equal([
      lineOf('', 1).serialHex,
      lineOf('', 3).serialHex,
    ]);
    expect(world.revoked.missing()).to.deep.equal(new Map([['ai-agents', new Set(['uid-2'])]]));
  });

  describe('crlReconciler', () => {
    const lists: string[] = [];

    async function run(alive: readonly string[]): Promise<unknown> {
      lists.length = 0;
      const list = async (
        _type: unknown,
        { namespace = '' }: { readonly namespace?: string | undefined } = {},
      ) => {
        lists.push(namespace);
        const items = alive.map((uid) => ({ metadata: { name: uid, uid } })) as readonly KubeObject[];
        return { items, resourceVersion: '1' };
      };
      const client = { list } as unknown as Parameters<typeof crlReconciler>[0]['client'];
      const { view, leaves, revoked } = world;
      const reconcile = crlReconciler({
        ...{ view, leaves, revoked, client },
        nowMs: () => world.nowMs,
        surelyPastMs: () => world.surelyPastMs(),
      });
      return reconcile('any', { signal: AbortSignal.timeout(5000), log: silentLog });
    }

    it('revokes the leaves of identities that the API server does not have either', async () => {
      world.put('one', 'uid-1');
      world.leaves.replace([lineOf('uid-1', 1), lineOf('uid-2', 2), lineOf('uid-3', 3)]);
      expect(await run(['uid-1', 'uid-3'])).to.deep.equal({ kind: 'recheck', atMs: NOW + 10 * 60_000 });
      expect(world.entries).to.deep.equal([[lineOf('', 2).serialHex, 'cessationOfOperation']]);
      expect(lists).to.deep.equal(['ai-agents']);
    });

    it('asks nobody when all are known, or are gone for sure already, whose later leaves are dead at once', async () => {
      world.leaves.replace([lineOf('uid-2', 2)]);
      await run([]);
      world.leaves.add([lineOf('uid-2', 4)]);
      await run([]);
      expect(lists).to.deep.equal([]);
      expect(world.entries.map(([serialHex]) => serialHex)).to.deep.equal([
        lineOf('', 2).serialHex,
        lineOf('', 4).serialHex,
      ]);
    });

    it('forgets leaves and what is revoked of them once they have ended for sure, not by a clock that is days ahead', async () => {
      world.put('one', 'uid-1', { suspended: true });
      world.leaves.replace([lineOf('uid-1', 1)]);
      const known = (): readonly unknown[] => [world.entries.length, world.leaves.of('uid-1').length];
      Object.assign(world, { isClockTrusted: false, nowMs: NOW + 192 * HOUR });
      await run(['uid-1']);
      expect(known()).to.deep.equal([1, 1]);
      world.isClockTrusted = true;
      await run(['uid-1']);
      expect(known()).to.deep.equal([0, 0]);
    });

    it('waits until the ledger is known', async () => {
      expect(await run([])).to.deep.equal({ kind: 'recheck', atMs: NOW + 1000 });
      expect(lists).to.deep.equal([]);
    });
  });

  describe('rejectedLeaf', () => {
    const judged = (n: number, authorityId = GENERATION, notAfterMs = NOW + HOUR): unknown =>
      rejectedLeaf(
        {
          leaves: world.leaves,
          revoked: world.revoked,
          generations: () => [{ id: GENERATION }],
          nowMs: () => NOW,
        },
        { serialHex: lineOf('', n).serialHex, authorityId, notAfterMs },
      );

    it('has nothing against a leaf before the ledger is known', () => {
      expect(judged(1)).to.equal(undefined);
    });

    it('tells recorded ones from those that nobody has recorded, and from revoked ones', () => {
      world.put('one', 'uid-1');
      world.put('two', 'uid-2', { suspended: true });
      world.leaves.replace([lineOf('uid-1', 1), lineOf('uid-2', 2)]);
      expect([1, 2, 3].map((n) => judged(n))).to.deep.equal([
        undefined,
        { serialHex: lineOf('', 2).serialHex, because: 'revoked' },
        { serialHex: lineOf('', 3).serialHex, because: 'unknown' },
      ]);
    });

    it('has nothing against leaves of others, and those that have ended', () => {
      world.leaves.replace([]);
      expect([judged(1, 'bbbbbbbbbbbbbbbb'), judged(1, GENERATION, NOW - 1)]).to.deep.equal([
        undefined,
        undefined,
      ]);
    });
  });
});
