/**
 * A process that presents tokens to a store in Redis, as one of several pods of an agent does. Started with the port of the
 * server and the prefix of the keys; gets uses, answers with outcomes.
 */

import { Redis } from 'ioredis';
import type { Consumption } from '../../../src/domain/token/replay/replay-store.ts';
import { redisReplayStore } from '../../../src/sdk/redis-store.ts';
import { AUDIENCE } from './redis-replay.ts';
import { presentAtOnce } from './replay-uses.ts';

const [port = '', prefix = ''] = process.argv.slice(2);
const store = redisReplayStore(new Redis({ port: Number(port), lazyConnect: true }), {
  audience: AUDIENCE,
  prefix,
});

process.on(
  'message',
  async ({ id, uses }: { readonly id: number; readonly uses: readonly Consumption[] }) => {
    process.send?.({ id, outcomes: await presentAtOnce(store, uses) });
  },
);
process.on('disconnect', () => store.close());
