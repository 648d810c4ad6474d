import { expect } from 'chai';
import {
  type RevocationPorts,
  revocationReconciler,
} from '../../../../src/controllers/revocation/reconcile.ts';
import { silentLog } from '../../../../src/observe/log.ts';
import { DAY, NOW, RevocationWorld } from './fixture.ts';

describe('revocationReconciler', () => {
  let world: RevocationWorld;
  let deleted: readonly string[];
  beforeEach(async () => {
    world = await RevocationWorld.start();
    deleted = [];
  });
  afterEach(() => world.close());

  function run(): Promise<unknown> {
    const client: RevocationPorts['client'] = {
      async delete(_type, { name }) {
        deleted = [...deleted, name];
        return undefined;
      },
    };
    const reconcile = revocationReconciler({
      ...{ revocations: world.cache, book: world.book, client },
      missing: () => [],
      write: async () => true,
      nowMs: () => world.nowMs,
      surelyPastMs: () => world.surelyPastMs(),
    });
    return reconcile('ai-agents/stolen', { signal: AbortSignal.timeout(5000), log: silentLog });
  }

  it('deletes what asks for it once it is over, and not by a clock that is days ahead', async () => {
    world.put('stolen', '1h');
    Object.assign(world, { isClockTrusted: false, nowMs: NOW + 8 * DAY });
    expect([await run(), deleted]).to.deep.equal([{ kind: 'recheck', atMs: NOW + 8 * DAY + 60_000 }, []]);
    world.isClockTrusted = true;
    expect([await run(), deleted]).to.deep.equal([{ kind: 'settled' }, ['stolen']]);
  });
});
