import { expect } from 'chai';
import { Cluster } from 'ioredis';
import type { Consumption } from '../../../src/domain/token/replay/replay-store.ts';
import type { RedisStoreError } from '../../../src/sdk/redis/connection.ts';
import { redisReplayStore } from '../../../src/sdk/redis-store.ts';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, startRedisServer, WITHOUT_FILES } from '../../support/redis-server.ts';
import {
  AUDIENCE,
  completeSince,
  fenceOf,
  newPrefix,
  type OpenStoreOptions,
  openRedisStore,
} from '../../support/token/redis-replay.ts';
import { type BegunStore, itKeepsThePromisesOfAReplayStore } from '../../support/token/replay-conformance.ts';
import { ACCEPTED, refused, useOf } from '../../support/token/replay-uses.ts';

/** All commands that a store sends or its script calls. */
const COMMANDS = 'evalsha eval info time hmget hset pexpire get set append incr pttl'
  .split(' ')
  .map((name) => `+${name}`);

async function begin(server: RedisServer, options: OpenStoreOptions = {}): Promise<BegunStore> {
  const { store, prefix } = await openRedisStore(server, options);
  // a second may have begun since the fence
  const nowSeconds = Math.floor((await completeSince(server.admin, prefix)) ?? Number.NaN);
  return { store, nowSeconds, close: () => store.close() };
}

describe('redisReplayStore', () => {
  let server: RedisServer;

  before(async () => {
    server = await startRedisServer();
  });
  after(() => server.stop());

  describe('on a server', () => {
    itKeepsThePromisesOfAReplayStore({ open: () => begin(server), sequences: 150 });
  });

  describe('on a cluster', () => {
    let node: RedisServer;
    before(async () => {
      node = await startRedisServer([
        ...WITHOUT_FILES,
        '--cluster-enabled',
        'yes',
        '--cluster-announce-ip',
        '127.0.0.1',
      ]);
      await node.admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
      await eventually('the cluster', async () => (await node.admin.cluster('INFO')).includes('state:ok'));
    });
    after(() => node.stop());
    itKeepsThePromisesOfAReplayStore({
      open: () => {
        const startupNodes = [{ host: '127.0.0.1', port: node.port }];
        return begin(node, { client: new Cluster(startupNodes, { lazyConnect: true }) });
      },
      sequences: 20,
    });
  });

  it('keeps all of an audience below its prefix, in short keys that end', async () => {
    const { store, prefix, nowSeconds } = await openRedisStore(server);
    const long = 'x'.repeat(10_000);
    const keepUntilSeconds = nowSeconds + 203;
    const parent = { key: long, maxChildren: 3, keepUntilSeconds: nowSeconds + 3607 };
    const rateLimit = { key: long, delegations: 3, periodSeconds: 40 };
    const uses = [1, 2, 3].map(() =>
      useOf(nowSeconds, { tokenId: long, maxUses: 3, keepUntilSeconds, parent, rateLimit }),
    );
    for (const use of uses) expect(await store.consume(use)).to.deep.equal(ACCEPTED);
    store.close();

    const tag = /^\{[\w-]{22}\}:/;
    const kept: Record<string, readonly [number, number]> = {};
    for (const key of await server.admin.keys(`${prefix}*`)) {
      const rest = key.slice(prefix.length);
      expect(rest).to.match(tag);
      const endsAt = (await server.admin.pexpiretime(key)) / 1000;
      kept[rest.replace(tag, '').replace(/:[\w-]{22}$/, '')] = [
        endsAt - nowSeconds,
        (await server.admin.memory('USAGE', key)) ?? 0,
      ];
    }
    expect(Object.keys(kept).sort()).to.deep.equal(['complete-since', 'parent', 'rule', 'token']);
    // forgotten at the next full ten seconds, by the server's clock
    expect(kept['token']?.[0]).to.be.within(203, 213);
    expect(kept['parent']?.[0]).to.be.within(3607, 3617);
    expect(kept['rule']?.[0]).to.be.within(38, 50);
    for (const [, octets] of Object.values(kept)) expect(octets).to.be.below(450);
  });

  it('forgets a token only when it would no longer know it', async () => {
    const { store, prefix, nowSeconds } = await openRedisStore(server);
    const short = useOf(nowSeconds, { keepUntilSeconds: nowSeconds + 1 });
    expect(await store.consume(short)).to.deep.equal(ACCEPTED);
    const again = { ...short, attemptId: 'another' };
    await eventually('the token to be forgotten', async () => {
      const result = await store.consume(again);
      if (result.kind === 'accepted') throw new Error('accepted twice');
      return result.name === 'replay_unknown' && (await server.admin.keys(`${prefix}*token*`)).length === 0;
    });
    expect(await store.consume(again)).to.deep.equal(refused('replay_unknown'));
    store.close();
  });

  describe('whose server has a clock that went back', () => {
    /** What is left when the clock was ahead for a while: tokens have ended, and the fence knows until when. */
    async function goBack(prefix: string, forgottenSeconds: number): Promise<void> {
      for (const key of await server.admin.keys(`${prefix}*token*`)) await server.admin.del(key);
      await server.admin.hset(
        (await fenceOf(server.admin, prefix)) ?? '',
        'forgotten',
        forgottenSeconds * 1000,
      );
    }

    it('does not know a token that it has forgotten, however often it is asked', async () => {
      const { store, prefix, nowSeconds } = await openRedisStore(server);
      const use = (): Consumption => useOf(nowSeconds, { issuedAtSeconds: nowSeconds + 60 });
      expect(await store.consume(use())).to.deep.equal(ACCEPTED);
      await goBack(prefix, nowSeconds + 3600);
      for (let time = 0; time < 3; time++)
        expect(await store.consume(use())).to.deep.equal(refused('replay_unknown'));
      expect(await server.admin.keys(`${prefix}*token*`)).to.deep.equal([]);
      store.close();
    });

    it('does not know a token that ended unseen, after the last one was used', async () => {
      const { store, prefix, nowSeconds } = await openRedisStore(server);
      const use = (): Consumption =>
        useOf(nowSeconds, { issuedAtSeconds: nowSeconds + 65, keepUntilSeconds: nowSeconds + 275 });
      expect(await store.consume(use())).to.deep.equal(ACCEPTED);
      await goBack(prefix, nowSeconds + 30);
      expect(await store.consume(use())).to.deep.equal(refused('replay_unknown'));
      store.close();
    });

    it('takes tokens from after it was', async () => {
      const { store, prefix, nowSeconds } = await openRedisStore(server);
      const lot = Math.ceil(nowSeconds / 10) * 10;
      await goBack(prefix, lot + 30);
      const issuedAt = (tokenId: string, seconds: number): Consumption =>
        useOf(nowSeconds, { tokenId, issuedAtSeconds: seconds, keepUntilSeconds: seconds + 210 });
      expect(await store.consume(issuedAt('a', lot + 70))).to.deep.equal(refused('replay_unknown'));
      expect(await store.consume(issuedAt('b', lot + 71))).to.deep.equal(ACCEPTED);
      expect(await store.consume(issuedAt('b', lot + 71))).to.deep.equal(
        refused('replayed', { isSameRequest: true }),
      );
      store.close();
    });
  });

  it('needs few commands and the keys below its prefix, and tells no more than that it was refused', async () => {
    const prefix = newPrefix();
    const password = 'a secret of the test';
    await server.admin.acl(
      'SETUSER',
      'agent',
      'on',
      `>${password}`,
      `~${prefix}*`,
      'resetchannels',
      '-@all',
      ...COMMANDS,
    );
    const client = server.client({ username: 'agent', password });
    const { store, nowSeconds } = await openRedisStore(server, { client, prefix });
    expect(await store.consume(useOf(nowSeconds))).to.deep.equal(ACCEPTED);
    store.close();

    const errors: RedisStoreError[] = [];
    const other = redisReplayStore(client, {
      audience: AUDIENCE,
      prefix: newPrefix(),
      onFailure: (error) => errors.push(error),
    });
    const use = useOf(nowSeconds);
    await eventually('a refusal', async () => {
      await other.consume(use).catch(() => {});
      return errors.some(({ code }) => code === 'REDIS_REFUSED');
    });
    other.close();
    const { message, stack = '', cause } = errors.at(-1) ?? new Error('none');
    expect({ message, cause }).to.deep.equal({ message: 'Redis refused with NOPERM', cause: undefined });
    for (const secret of [password, use.attemptId, prefix]) expect(stack).not.to.include(secret);
  });

  it('leaves the client that it was given as it is', async () => {
    const client = server.client();
    const { store } = await openRedisStore(server, { client });
    expect(client.status).to.equal('wait');
    expect(client.options.enableOfflineQueue).to.equal(true);
    store.close();
  });

  it('refuses a prefix with braces, which would scatter the keys of an audience over a cluster', () => {
    const client = server.client();
    for (const prefix of ['{}', 'a{b', 'a b', 'x'.repeat(129)])
      expect(() => redisReplayStore(client, { audience: AUDIENCE, prefix })).to.throw(RangeError, 'prefix');
  });

  it('stays closed', async () => {
    const { store, nowSeconds, failures } = await openRedisStore(server);
    store.close();
    const outcome = await eventually('an end', () =>
      store.consume(useOf(nowSeconds)).then(
        () => undefined,
        (error: RedisStoreError) => error.code,
      ),
    );
    expect(outcome).to.equal('REDIS_UNREACHABLE');
    expect(failures).to.include('REDIS_UNREACHABLE');
  });
});
