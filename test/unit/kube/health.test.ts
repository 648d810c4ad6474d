/** The health server, over real connections. */

import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import type { HealthServer, HealthServerOptions } from '../../../src/kube/health.ts';
import { eventLoopCheck, startHealthServer, workersCheck } from '../../../src/kube/health.ts';
import { recordingLog } from '../../support/recording-log.ts';

interface Reply {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

function ask(port: number, path: string, method = 'GET', body?: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, method, host: '127.0.0.1' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode, type: response.headers['content-type'], text }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Everything the server writes to a connection that sends `bytes`, until it closes. */
function exchangeRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

describe('startHealthServer', () => {
  const PLAIN = 'text/plain; charset=utf-8';
  let server: HealthServer | undefined;

  async function serve(options: Partial<HealthServerOptions> = {}): Promise<number> {
    server = await startHealthServer({
      port: 0,
      host: '127.0.0.1',
      live: { loop: () => undefined, workers: () => undefined },
      ready: { secrets: () => undefined, identities: () => undefined },
      metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', metrics: async () => 'up 1\n' },
      ...options,
    });
    return server.port;
  }

  afterEach(() => server?.close());

  for (const path of ['/healthz', '/readyz', '/healthz?timeout=3s']) {
    it(`says ok to ${path} when every check passes`, async () => {
      expect(await ask(await serve(), path)).to.deep.equal({ status: 200, type: PLAIN, text: 'ok\n' });
    });
  }

  it('prints each check of /readyz?verbose', async () => {
    expect(await ask(await serve(), '/readyz?verbose')).to.deep.equal({
      status: 200,
      type: PLAIN,
      text: '[+]secrets ok\n[+]identities ok\nreadyz check passed\n',
    });
  });

  it('fails /readyz when one check fails, and names it', async () => {
    const port = await serve({ ready: { secrets: () => undefined, identities: () => 'not in sync' } });
    expect(await ask(port, '/readyz')).to.deep.equal({
      status: 503,
      type: PLAIN,
      text: '[+]secrets ok\n[-]identities failed: not in sync\nreadyz check failed\n',
    });
    expect((await ask(port, '/healthz')).status).to.equal(200);
  });

  it('takes a check that throws as failed, without what it threw', async () => {
    const port = await serve({
      live: {
        broken: () => {
          throw new Error('secret');
        },
      },
    });
    expect(await ask(port, '/healthz')).to.deep.equal({
      status: 503,
      type: PLAIN,
      text: '[-]broken failed: the check itself failed\nhealthz check failed\n',
    });
  });

  it('answers /metrics with the text of the registry', async () => {
    expect(await ask(await serve(), '/metrics')).to.deep.equal({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      text: 'up 1\n',
    });
  });

  it('logs why metrics could not be collected, and does not tell', async () => {
    const log = recordingLog();
    const metrics = { contentType: PLAIN, metrics: () => Promise.reject(new Error('secret')) };
    expect(await ask(await serve({ metrics, log }), '/metrics')).to.deep.equal({
      status: 500,
      type: PLAIN,
      text: 'metrics could not be collected\n',
    });
    expect(log.texts).to.deep.equal(['error metrics could not be collected']);
  });

  it('answers HEAD without a body', async () => {
    expect(await ask(await serve(), '/healthz', 'HEAD')).to.deep.equal({
      status: 200,
      type: PLAIN,
      text: '',
    });
  });

  for (const path of ['/', '/healthz/', '/debug/pprof', '//healthz', '/HEALTHZ']) {
    it(`rejects ${path}`, async () => {
      expect(await ask(await serve(), path)).to.deep.equal({ status: 404, type: PLAIN, text: 'not found\n' });
    });
  }

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    it(`rejects ${method}`, async () => {
      expect((await ask(await serve(), '/healthz', method)).status).to.equal(405);
    });
  }

  it('answers a request with a body without reading it, and closes the connection', async () => {
    const head = 'GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n';
    const text = await exchangeRaw(await serve(), head);
    expect(text).to.match(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).to.match(/connection: close\r\n/i);
  });

  it('rejects a head of more than 8 KiB', async () => {
    const text = await exchangeRaw(
      await serve(),
      `GET /healthz HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(9000)}\r\n\r\n`,
    );
    expect(text).to.match(/^HTTP\/1\.1 431 /);
  });

  it('rejects with the reason when its port is taken', async () => {
    const port = await serve();
    const first = server;
    const error = await serve({ port }).catch((reason: unknown) => reason);
    server = first;
    expect((error as { code?: unknown }).code).to.equal('EADDRINUSE');
  });

  it('closes although a connection is kept alive', async () => {
    const socket = connect(await serve(), '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await server?.close();
    await closed;
  });
});

describe('workersCheck', () => {
  it('accepts reconciles within the limit', () => {
    expect(workersCheck(() => 600, 600)()).to.equal(undefined);
  });

  it('rejects a reconcile that does not end', () => {
    expect(workersCheck(() => 600.6, 600)()).to.equal('a reconcile has been running for 601 s');
  });
});

describe('eventLoopCheck', () => {
  function delays(medianMs: number): { percentile(p: number): number; reset(): void } {
    let nanoseconds = medianMs * 1e6;
    return {
      percentile: (p) => (p === 50 ? nanoseconds : Number.NaN),
      reset: () => {
        nanoseconds = 0;
      },
    };
  }

  it('accepts a loop that turns in time', () => {
    expect(eventLoopCheck(1000, delays(1000))()).to.equal(undefined);
  });

  it('rejects a loop that is late most of the time, and looks afresh at the next call', () => {
    const check = eventLoopCheck(1000, delays(1500));
    expect([check(), check()]).to.deep.equal(['the event loop is 1500 ms late', undefined]);
  });

  it('accepts the loop of this process', () => {
    expect(eventLoopCheck(5000)()).to.equal(undefined);
  });
});
