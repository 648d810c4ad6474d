import { expect } from 'chai';
import type { ConsumptionResult } from '../../../src/domain/token/replay/replay-store.ts';
import { redisReplayStore } from '../../../src/sdk/redis-store.ts';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, startRedisServer, WITHOUT_FILES } from '../../support/redis-server.ts';
import {
  AUDIENCE,
  ageFence,
  completeSince,
  fenceOf,
  type OpenStore,
  openRedisStore,
} from '../../support/token/redis-replay.ts';
import { ACCEPTED, refused, useOf } from '../../support/token/replay-uses.ts';

/** A server as one of a primary and its replica should be. */
const GUARDED: readonly string[] = [
  ...WITHOUT_FILES,
  '--min-replicas-to-write',
  '1',
  '--min-replicas-max-lag',
  '10',
  '--repl-diskless-sync-delay',
  '0',
];

/** A token that was issued just now, of a store that has seen all for an hour; each time another attempt. */
class UsedToken {
  readonly open: OpenStore;

  constructor(open: OpenStore) {
    this.open = open;
  }

  /** Lets the store use it for the first time. */
  static async of(server: RedisServer): Promise<UsedToken> {
    const token = new UsedToken(await openRedisStore(server));
    await ageFence(server.admin, token.open.prefix);
    expect(await token.present(token.open)).to.deep.equal(ACCEPTED);
    expect(await token.present(token.open)).to.deep.equal(refused('replayed', { isSameRequest: true }));
    return token;
  }

  present({ store }: OpenStore): Promise<ConsumptionResult> {
    const { nowSeconds } = this.open;
    return store.consume(useOf(nowSeconds, { issuedAtSeconds: nowSeconds }));
  }

  /** Whether it is stored. */
  async isKept({ admin }: RedisServer): Promise<boolean> {
    return (await admin.keys(`${this.open.prefix}*token*`)).length > 0;
  }
}

/** Makes one server the replica of another and waits until it has everything. */
async function follow(replica: RedisServer, primary: RedisServer): Promise<void> {
  await replica.admin.replicaof('127.0.0.1', primary.port);
  await eventually('the replica to follow', async () => {
    const info = await primary.admin.info('replication');
    return /slave0:.*state=online/.test(info) && /min_slaves_good_slaves:1|^(?!.*min_slaves)/s.test(info);
  });
  await eventually('the replica to have everything', async () => (await primary.admin.wait(1, 100)) === 1);
}

describe('a store whose Redis loses what it was told', () => {
  const servers: RedisServer[] = [];
  const start = async (settings?: readonly string[]): Promise<RedisServer> => {
    const server = await startRedisServer(settings);
    servers.push(server);
    return server;
  };
  const stores: OpenStore[] = [];
  const used = async (server: RedisServer): Promise<UsedToken> => {
    const token = await UsedToken.of(server);
    stores.push(token.open);
    return token;
  };
  const reopen = async (server: RedisServer, { open }: UsedToken): Promise<OpenStore> => {
    const again = await openRedisStore(server, { prefix: open.prefix });
    stores.push(again);
    return again;
  };
  afterEach(async () => {
    for (const { store } of stores.splice(0)) store.close();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  it('does not know tokens from before a flush, of all or of its keys', async () => {
    const server = await start();
    for (const flush of [
      () => server.admin.flushall(),
      () => server.admin.flushdb(),
      async (prefix: string) => server.admin.del(await server.admin.keys(`${prefix}*`)),
    ]) {
      const token = await used(server);
      await flush(token.open.prefix);
      expect(await token.present(token.open)).to.deep.equal(refused('replay_unknown'));
      expect(await token.isKept(server)).to.equal(false);
    }
  });

  it('does not know tokens from before a restart with an older file', async () => {
    const server = await start();
    const token = await UsedToken.of(server);
    token.open.store.close();
    await server.admin.del(await server.admin.keys(`${token.open.prefix}*token*`));
    await server.admin.save();
    await server.kill();
    await server.start();
    expect(await completeSince(server.admin, token.open.prefix)).to.be.below(token.open.nowSeconds - 3000);
    expect(await token.isKept(server)).to.equal(false);
    expect(await token.present(await reopen(server, token))).to.deep.equal(refused('replay_unknown'));
  });

  it('does not know which uses of a token are missing after a restart', async () => {
    const server = await start();
    const open = await openRedisStore(server);
    await ageFence(server.admin, open.prefix);
    const { nowSeconds } = open;
    const use = (attemptId: string) =>
      useOf(nowSeconds, { issuedAtSeconds: nowSeconds, maxUses: 2, attemptId });
    expect(await open.store.consume(use('a'))).to.deep.equal(ACCEPTED);
    await server.admin.save();
    expect(await open.store.consume(use('b'))).to.deep.equal(ACCEPTED);
    open.store.close();
    await server.kill();
    await server.start();
    const again = await reopen(server, new UsedToken(open));
    expect(await again.store.consume(use('c'))).to.deep.equal(refused('replay_unknown'));
    // it was accepted, and nothing that is lost can change that
    expect(await again.store.consume(use('a'))).to.deep.equal(ACCEPTED);
  });

  it('does not know tokens from before a key was evicted', async () => {
    const server = await start();
    const token = await used(server);
    // what ends first goes first: the token, then others, and the fence stays
    await server.admin.config('SET', 'maxmemory-policy', 'volatile-ttl');
    await server.admin.config('SET', 'maxmemory-samples', 64);
    for (let index = 0; index < 20; index++)
      await server.admin.set(`ends-later-${index}`, 'x'.repeat(5000), 'EX', 7200);
    const [, usedMemory] = /used_memory:(\d+)/.exec(await server.admin.info('memory')) ?? [];
    await server.admin.config('SET', 'maxmemory', Number(usedMemory) + 100_000);
    for (let index = 0; await token.isKept(server); index++)
      await server.admin.set(`filler-${index}`, 'x'.repeat(2000));
    expect(await fenceOf(server.admin, token.open.prefix)).to.be.a('string');
    await server.admin.config('SET', 'maxmemory', 0);
    expect(await token.present(token.open)).to.deep.equal(refused('replay_unknown'));
    expect(await token.present(token.open)).to.deep.equal(refused('replay_unknown'));
  });

  it('refuses when there is no room left, and leaves nothing behind', async () => {
    const server = await start();
    const open = await openRedisStore(server);
    stores.push(open);
    await server.admin.config('SET', 'maxmemory', 1);
    await open.store.consume(useOf(open.nowSeconds)).catch(() => {});
    expect(open.failures).to.deep.equal(['REDIS_REFUSED']);
    await server.admin.config('SET', 'maxmemory', 0);
    expect((await server.admin.keys(`${open.prefix}*`)).length).to.equal(1);
    expect(await open.store.consume(useOf(open.nowSeconds))).to.deep.equal(ACCEPTED);
  });

  it('does not know tokens from before a failover', async () => {
    const [primary, replica] = [await start(GUARDED), await start(WITHOUT_FILES)];
    await follow(replica, primary);
    const token = await used(primary);
    await follow(replica, primary);
    expect(await token.isKept(replica)).to.equal(true);
    await primary.kill();
    await replica.admin.replicaof('NO', 'ONE');
    expect(await token.present(await reopen(replica, token))).to.deep.equal(refused('replay_unknown'));
  });

  it('does not know tokens from before a failover there and back', async () => {
    const [primary, replica] = [await start(GUARDED), await start(WITHOUT_FILES)];
    await follow(replica, primary);
    const token = await used(primary);
    await follow(replica, primary);
    await replica.admin.replicaof('NO', 'ONE');
    // what the other had not yet heard of
    await replica.admin.del(await replica.admin.keys(`${token.open.prefix}*token*`));
    await follow(primary, replica);
    await primary.admin.replicaof('NO', 'ONE');
    await follow(replica, primary);
    expect(await token.isKept(primary)).to.equal(false);
    const result = await eventually('the store to answer', () => token.present(token.open));
    expect(result).to.deep.equal(refused('replay_unknown'));
  });

  it('uses no token on a replica, were it writable', async () => {
    const [primary, replica] = [
      await start(GUARDED),
      await start([...WITHOUT_FILES, '--replica-read-only', 'no']),
    ];
    await follow(replica, primary);
    const token = await used(primary);
    const messages: string[] = [];
    const store = redisReplayStore(replica.client(), {
      audience: AUDIENCE,
      prefix: token.open.prefix,
      onFailure: ({ message }) => messages.push(message),
    });
    try {
      await eventually('a refusal', async () => {
        await token.present({ ...token.open, store }).catch(() => {});
        return messages.includes('Redis refused with READONLY');
      });
    } finally {
      store.close();
    }
    expect(await token.present(token.open)).to.deep.equal(refused('replayed', { isSameRequest: true }));
  });

  it('uses no token on a primary that would go on without its replicas', async () => {
    const [primary, replica] = [await start(), await start()];
    const open = await openRedisStore(primary);
    stores.push(open);
    expect(await open.store.consume(useOf(open.nowSeconds))).to.deep.equal(ACCEPTED);
    await follow(replica, primary);
    const error = await open.store
      .consume(useOf(open.nowSeconds, { tokenId: 'b' }))
      .catch((reason: Error) => reason);
    expect(error).to.include({ code: 'REDIS_REFUSED', message: 'Redis refused with UNGUARDED' });
    await primary.admin.config('SET', 'min-replicas-to-write', 1);
    await eventually('the primary to count its replica', async () =>
      (await primary.admin.info('replication')).includes('min_slaves_good_slaves:1'),
    );
    expect(await open.store.consume(useOf(open.nowSeconds, { tokenId: 'b' }))).to.deep.equal(ACCEPTED);
    await replica.kill();
    const alone = await eventually('the primary to stop', async () =>
      open.store.consume(useOf(open.nowSeconds, { tokenId: `${Math.random()}` })).then(
        () => undefined,
        (reason: Error) => reason,
      ),
    );
    expect(alone.message).to.equal('Redis refused with NOREPLICAS');
  });
});
