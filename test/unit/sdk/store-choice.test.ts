import cluster from 'node:cluster';
import { once } from 'node:events';
import { expect } from 'chai';

const WORKER = new URL('../../support/sdk/store-worker.ts', import.meta.url);

describe('storeMismatch in a worker of node:cluster', () => {
  it('refuses the memory of one worker, unless the author has named it', async () => {
    const { exec, execArgv } = cluster.settings;
    cluster.setupPrimary({ exec: WORKER.pathname, execArgv: [] });
    const worker = cluster.fork();
    try {
      const [codes] = await once(worker, 'message', { signal: AbortSignal.timeout(60_000) });
      expect(codes).to.deep.equal({ byDefault: 'store_not_shared', named: 'none' });
    } finally {
      worker.process.kill();
      cluster.setupPrimary({ ...(exec === undefined ? {} : { exec }), execArgv: execArgv ?? [] });
    }
  });
});
