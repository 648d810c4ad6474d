import { expect } from 'chai';
import type { Consumption, ReplayStore } from '../../../src/domain/token/replay/replay-store.ts';
import type { TokenRequest } from '../../../src/domain/token/verify/verifier.ts';
import { verify } from '../../../src/domain/token/verify/verify.ts';
import { eventually } from '../../support/eventually.ts';
import { type AnswerFate, type LossyProxy, startLossyProxy } from '../../support/lossy-proxy.ts';
import { pseudoRandom } from '../../support/pseudo-random.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import {
  ageFence,
  completeSince,
  type OpenStore,
  type OpenStoreOptions,
  openRedisStore,
  secondsAt,
} from '../../support/token/redis-replay.ts';
import { ReplayProcesses } from '../../support/token/replay-processes.ts';
import {
  ACCEPTED,
  countOutcomes,
  type Outcomes,
  presentAtOnce,
  useOf,
} from '../../support/token/replay-uses.ts';
import { BUNDLE, C, claims, NOW, request, storeAt, verifierAt } from '../../support/token/scene.ts';

const PRESENTATIONS = 64;
const FATES: readonly AnswerFate[] = ['pass', 'hold', 'swallow', 'reset'];

/** How long the answer of a Redis is waited for that does not answer. */
const TIMEOUT_MS = 500;
/** Redis may stand still for a while, and answers all the same. */
const PATIENT: OpenStoreOptions = { timeoutMs: 10_000 };

/** So many attempts with one token that was issued now, each its own. */
function presentations(nowSeconds: number, maxUses: number): readonly Consumption[] {
  return Array.from({ length: PRESENTATIONS }, () =>
    useOf(nowSeconds, { issuedAtSeconds: nowSeconds, maxUses }),
  );
}

/** A store that has seen all for an hour. */
async function openSeasoned(server: RedisServer, options: OpenStoreOptions = {}): Promise<OpenStore> {
  const open = await openRedisStore(server, options);
  await ageFence(server.admin, open.prefix);
  return open;
}

/** The request B -> C, presented so many times with one token, each time with another proof. */
function requestsAt(nowSeconds: number): readonly TokenRequest[] {
  const root = claims({ iat: nowSeconds - 5, exp: nowSeconds + 115 });
  const leaf = claims({ iat: nowSeconds - 1, exp: nowSeconds + 59 });
  const [token = ''] = request({ root, leaf }).fields.authorization;
  return Array.from({ length: PRESENTATIONS }, (_, index) =>
    request({
      root,
      leafText: () => token.slice('DPoP '.length),
      proof: claims({ iat: nowSeconds - 1, jti: `proof-${index}` }),
      request: () => ({ attemptId: `attempt-${index}` }),
    }),
  );
}

/** Verifies all at once, spread over stores. */
async function outcomesOf(
  requests: readonly TokenRequest[],
  stores: readonly ReplayStore[],
  nowSeconds: number,
): Promise<Outcomes> {
  const verifier = verifierAt(C, { ...BUNDLE, expiresAtSeconds: nowSeconds + 1800 });
  const results = await Promise.all(
    requests.map((each, index) => {
      const store = stores[index % stores.length] ?? storeAt(nowSeconds);
      return verify(each, verifier, { nowSeconds, store });
    }),
  );
  return countOutcomes(results.map((result) => (result.kind === 'refused' ? result.name : result.kind)));
}

/** A token that was issued long enough after the store began anew. */
async function acceptsNewTokens(server: RedisServer, { store, prefix }: OpenStore): Promise<void> {
  await eventually('a new token to be accepted', async () => {
    const since = await completeSince(server.admin, prefix);
    if (since === undefined) return false;
    const issuedAtSeconds = Math.ceil(Math.max(await secondsAt(server.admin), since + 31));
    const use = useOf(issuedAtSeconds, { tokenId: 'a new token', issuedAtSeconds });
    expect(await store.consume(use)).to.deep.equal(ACCEPTED);
    return true;
  });
}

describe('64 presentations of one token', () => {
  let server: RedisServer;

  // a second of what was written last may be lost, as is the custom
  before(async () => {
    server = await startRedisServer(['--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec']);
  });
  after(() => server.stop());

  it('are one execution on one process', async () => {
    expect(await outcomesOf(requestsAt(NOW), [storeAt(NOW)], NOW)).to.deep.equal({
      accepted: 1,
      replayed: PRESENTATIONS - 1,
    });
  });

  it('N7 are one execution on two replicas with a shared store', async () => {
    const first = await openSeasoned(server, PATIENT);
    const second = await openRedisStore(server, { ...PATIENT, prefix: first.prefix });
    const stores = [first.store, second.store];
    const { nowSeconds } = second;
    expect(await outcomesOf(requestsAt(nowSeconds), stores, nowSeconds)).to.deep.equal({
      accepted: 1,
      replayed: PRESENTATIONS - 1,
    });
    for (const store of stores) store.close();
  });

  for (const maxUses of [1, 3]) {
    describe(`with max_uses ${maxUses}`, () => {
      it('are so many executions on 4 processes', async () => {
        const { store, prefix, nowSeconds } = await openSeasoned(server);
        store.close();
        const processes = new ReplayProcesses(4, server, prefix);
        try {
          await processes.ready();
          const outcomes = await processes.present(presentations(nowSeconds, maxUses));
          expect(countOutcomes(outcomes)).to.deep.equal({
            accepted: maxUses,
            replayed: PRESENTATIONS - maxUses,
          });
        } finally {
          await processes.stop();
        }
      });

      it('are at most so many on 4 processes while Redis is killed and restarted', async () => {
        const open = await openSeasoned(server);
        const processes = new ReplayProcesses(4, server, open.prefix);
        try {
          await processes.ready();
          const seen: string[] = [];
          const present = async (): Promise<readonly string[]> => {
            const outcomes = await processes.present(presentations(open.nowSeconds, maxUses));
            seen.push(...outcomes);
            return outcomes;
          };
          const [atKill] = await Promise.all([present(), server.kill()]);
          expect(countOutcomes(atKill)['accepted'] ?? 0).to.be.at.most(maxUses);
          expect(countOutcomes(await present())).to.deep.equal({ store_unavailable: PRESENTATIONS });
          const [, restarting] = await Promise.all([server.start(), present()]);
          expect(countOutcomes(restarting)['accepted'] ?? 0).to.equal(0);
          await eventually('all processes to be connected again', async () => {
            const outcomes = countOutcomes(await present());
            return outcomes['replay_unknown'] === PRESENTATIONS;
          });
          expect(countOutcomes(seen)['accepted'] ?? 0).to.be.at.most(maxUses);
          await acceptsNewTokens(server, open);
        } finally {
          open.store.close();
          await processes.stop();
        }
      });

      it('are refused while Redis does not answer, and at most so many afterwards', async () => {
        const open = await openSeasoned(server, { timeoutMs: TIMEOUT_MS });
        const seen: string[] = [];
        server.pause();
        try {
          const startedAtMs = performance.now();
          for (let round = 0; round < 3; round++)
            seen.push(...(await presentAtOnce(open.store, presentations(open.nowSeconds, maxUses))));
          expect(countOutcomes(seen)).to.deep.equal({ store_unavailable: 3 * PRESENTATIONS });
          // One after the other, they would take twice as long at least.
          expect(performance.now() - startedAtMs).to.be.below((3 * PRESENTATIONS * TIMEOUT_MS) / 2);
        } finally {
          server.resume();
        }
        expect(open.failures).to.include('REDIS_TIMEOUT');
        await eventually('an answer', async () => {
          const outcomes = await presentAtOnce(open.store, presentations(open.nowSeconds, maxUses));
          seen.push(...outcomes);
          return !outcomes.includes('store_unavailable');
        });
        expect(countOutcomes(seen)['accepted'] ?? 0).to.be.at.most(maxUses);
        await acceptsNewTokens(server, open);
        open.store.close();
      });

      it('are at most so many when Redis is flushed in between', async () => {
        const open = await openSeasoned(server, PATIENT);
        const present = (): Promise<readonly string[]> =>
          presentAtOnce(open.store, presentations(open.nowSeconds, maxUses));
        expect(countOutcomes(await present())).to.deep.equal({
          accepted: maxUses,
          replayed: PRESENTATIONS - maxUses,
        });
        const [during] = await Promise.all([present(), server.admin.flushall()]);
        expect(countOutcomes(during)['accepted'] ?? 0).to.equal(0);
        expect(countOutcomes(await present())).to.deep.equal({ replay_unknown: PRESENTATIONS });
        await acceptsNewTokens(server, open);
        open.store.close();
      });

      it('are at most so many when answers are lost', async () => {
        const proxy = await startLossyProxy(server.port);
        const open = await openSeasoned(server, {
          client: server.client({ port: proxy.port }),
          timeoutMs: 100,
        });
        const random = pseudoRandom(maxUses);
        const seen: string[] = [];
        for (let round = 0; round < 10; round++) {
          proxy.decide(() => FATES[Math.floor(random() * FATES.length)] ?? 'pass');
          seen.push(...(await presentAtOnce(open.store, presentations(open.nowSeconds, maxUses))));
          proxy.decide(() => 'pass');
          await eventually('an answer', () => open.store.consume(useOf(0)));
        }
        expect(seen).to.include('store_unavailable');
        await eventually('all to be answered', async () => {
          const outcomes = await presentAtOnce(open.store, presentations(open.nowSeconds, maxUses));
          seen.push(...outcomes);
          return !outcomes.includes('store_unavailable');
        });
        expect(seen.at(-1)).to.equal('replayed');
        expect(countOutcomes(seen)['accepted'] ?? 0).to.be.at.most(maxUses);
        await acceptsNewTokens(server, open);
        open.store.close();
        await proxy.close();
      });
    });
  }
});

describe('an attempt whose answer is lost', () => {
  let server: RedisServer;
  let proxy: LossyProxy;
  let open: OpenStore;

  before(async () => {
    server = await startRedisServer();
    proxy = await startLossyProxy(server.port);
  });
  after(async () => {
    await proxy.close();
    await server.stop();
  });
  beforeEach(async () => {
    open = await openRedisStore(server, { client: server.client({ port: proxy.port }) });
    expect(await open.store.consume(useOf(open.nowSeconds, { tokenId: 'first' }))).to.deep.equal(ACCEPTED);
  });
  afterEach(() => {
    proxy.decide(() => 'pass');
    open.store.close();
  });

  for (const fate of ['hold', 'reset'] as const) {
    it(`is asked for again and is one use (${fate})`, async () => {
      let lost = 0;
      proxy.decide(() => (lost++ === 0 ? fate : 'pass'));
      expect(await open.store.consume(useOf(open.nowSeconds))).to.deep.equal(ACCEPTED);
      expect(lost).to.be.at.least(2);
      expect(countOutcomes(await presentAtOnce(open.store, [useOf(open.nowSeconds)]))).to.deep.equal({
        replayed: 1,
      });
    });
  }

  it('is refused when it stays lost', async () => {
    proxy.decide(() => 'swallow');
    expect(await presentAtOnce(open.store, [useOf(open.nowSeconds)])).to.deep.equal(['store_unavailable']);
    proxy.decide(() => 'pass');
    const outcome = await eventually('an answer', async () => {
      const [each] = await presentAtOnce(open.store, [useOf(open.nowSeconds)]);
      return each !== 'store_unavailable' && each;
    });
    expect(outcome).to.equal('replayed');
  });
});
