import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import type { Agent } from '../../../src/sdk/agent.ts';
import type { ServeOptions } from '../../../src/sdk/http/agent-http.ts';
import type { CallInit } from '../../../src/sdk/http/outgoing-request.ts';
import type { WebHandler } from '../../../src/sdk/http/web-handler.ts';
import { eventually } from '../../support/eventually.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';

const A = 'agent-coordinator';
const B = 'agent-deployer';
const EDGES = [{ from: A, to: B, capabilities: [{ name: 'kubectl_get' }] }] as const;
const delegate = { capabilities: [{ name: 'kubectl_get', resources: ['namespaces/staging/*'] }] } as const;

describe('a handler in the form of fetch', () => {
  let agents: HttpSwarm;
  let a: Agent;
  let handler: WebHandler;
  let told: unknown[];

  before(async () => {
    const routes = (['GET', 'HEAD', 'PUT', 'POST'] as const).map((method) => ({
      method,
      path: '/{**}',
      accepts: 'Capability' as const,
    }));
    agents = new HttpSwarm({ agents: [{ name: A }, { name: B, server: { routes } }], edges: EDGES });
    const onError: ServeOptions['onError'] = (error, request) => told.push({ error, url: request?.url });
    await agents.serve(B, (request, call) => handler(request, call), { onError });
    a = await agents.open(A);
  });
  beforeEach(() => {
    told = [];
  });
  after(() => agents.close());

  const call = (init: Partial<CallInit> = {}): Promise<Response> =>
    a.fetch(`https://${B}:8443/a%20b?q=1`, { delegate, ...init });

  /** Calls a server that is not the one that everybody finds. */
  async function callAt(port: number): Promise<Response> {
    const caller = await agents.open(A, { connectTo: () => ({ host: '127.0.0.1', port }) });
    return caller.fetch(`https://${B}:8443/`, { delegate });
  }

  it('gets method, URL, header fields and body, and its answer comes back as it is', async () => {
    handler = async (request) =>
      new Response(`${request.method} ${request.url} ${request.headers.get('x-a')} ${await request.text()}`, {
        status: 207,
        headers: { 'x-b': 'b' },
      });
    const answer = await call({ method: 'PUT', headers: { 'x-a': 'a' }, body: new Uint8Array([104, 105]) });
    expect([answer.status, answer.headers.get('x-b'), await answer.text()]).to.deep.equal([
      207,
      'b',
      `PUT https://${B}:8443/a%20b?q=1 a hi`,
    ]);
  });

  it('may answer without a body', async () => {
    handler = ({ method }) =>
      method === 'HEAD'
        ? new Response('not sent', { headers: { 'x-b': 'b' } })
        : new Response(null, { status: 204 });
    const empty = await call();
    expect([empty.status, await empty.text()]).to.deep.equal([204, '']);
    const head = await call({ method: 'HEAD' });
    expect([head.status, head.headers.get('x-b'), await head.text()]).to.deep.equal([200, 'b', '']);
  });

  it('streams in both directions, not faster than it is read', async () => {
    handler = (request) => new Response(request.body);
    const size = 4 * 1024 * 1024;
    const body = new Blob([new Uint8Array(size).fill(120)]).stream();
    const answer = await call({ method: 'POST', body });
    const read = await answer.bytes();
    expect([read.length, read.every((octet) => octet === 120)]).to.deep.equal([size, true]);
  });

  it('is told that its caller is gone', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const started = Promise.withResolvers<void>();
    handler = async ({ signal }) => {
      started.resolve();
      signal.addEventListener('abort', () => resolve('gone'));
      await promise;
      return new Response();
    };
    const gaveUp = new AbortController();
    const failed = call({ signal: gaveUp.signal }).catch(({ code }) => code);
    await started.promise;
    gaveUp.abort();
    expect([await failed, await promise]).to.deep.equal(['aborted', 'gone']);
  });

  it('is not said to have failed when only its caller is gone', async () => {
    const [started, ended]: [string[], string[]] = [[], []];
    handler = async (request) => {
      started.push(request.method);
      try {
        if (request.method === 'PUT') await request.text();
        else await once(request.signal, 'abort').then(() => request.signal.throwIfAborted());
        return new Response();
      } finally {
        ended.push(request.method);
      }
    };
    const gaveUp = new AbortController();
    const { signal } = gaveUp;
    const body = new ReadableStream<Uint8Array>({ start: (pipe) => pipe.enqueue(new Uint8Array(1)) });
    const failed = [call({ signal }), call({ signal, method: 'PUT', body })].map((each) =>
      each.catch(({ code }) => code),
    );
    await eventually('both to begin', () => started.length === 2);
    gaveUp.abort();
    expect(await Promise.all(failed)).to.deep.equal(['aborted', 'aborted']);
    await eventually('both to end', () => ended.length === 2);
    handler = () => new Response();
    await call();
    expect(told).to.deep.equal([]);
  });

  it('cancels the body of an answer that its caller does not read to the end', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    handler = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
          cancel: () => resolve('cancelled'),
        }),
      );
    const answer = await call();
    await answer.body?.cancel();
    expect(await promise).to.equal('cancelled');
  });

  it('breaks an answer off that fails half-way, so that nobody takes it for whole', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      await promise;
      throw new Error('no');
    };
    handler = () => new Response(ReadableStream.from(body()));
    const answer = await call();
    const read = answer.text().then(
      () => 'whole',
      () => 'broken off',
    );
    resolve();
    expect([answer.status, await read]).to.deep.equal([200, 'broken off']);
    await eventually('the error to be told', () => told.length === 1);
  });

  it('fails with an answer that says nothing, and its author is told', async () => {
    const error = new RangeError('no');
    handler = () => {
      throw error;
    };
    expect((await call()).status).to.equal(500);
    handler = () => undefined as unknown as Response;
    expect((await call()).status).to.equal(500);
    expect(told).to.deep.equal([
      { error, url: '/a%20b?q=1' },
      { error: (told[1] as { error: unknown }).error, url: '/a%20b?q=1' },
    ]);
    expect(String((told[1] as { error: unknown }).error)).to.equal(
      'TypeError: the handler returned no Response',
    );
  });

  it('fails with a warning of the process where nobody listens, or the listener fails too', async () => {
    const b = await agents.open(B);
    const fails = (name: string) => () => {
      throw new RangeError(name);
    };
    const onError = async (): Promise<void> => fails('listener')();
    const failing = fails('handler');
    const ports = [
      await b.serve(failing, { port: 0, host: '127.0.0.1' }),
      await b.serve(failing, { port: 0, host: '127.0.0.1', onError }),
    ].map(({ port }) => port);
    const warnings: unknown[] = [];
    const keep = ({ name, message, ...more }: Error & { code?: string; detail?: string }): void => {
      const { code, detail = '' } = more;
      warnings.push({ name, message, code, isStack: /^RangeError: .*\n +at /.test(detail) });
    };
    process.on('warning', keep);
    try {
      for (const port of ports) expect((await callAt(port)).status).to.equal(500);
      await eventually('two warnings', () => warnings.length === 2);
    } finally {
      process.off('warning', keep);
    }
    const warning = (of: string) => ({
      name: 'AgentTrustWarning',
      message: `A request could not be answered: RangeError: ${of}`,
      code: 'application_failed',
      isStack: true,
    });
    expect(warnings).to.deep.equal([warning('handler'), warning('listener')]);
  });

  it('ends without waiting for a connection that never begins its handshake', async () => {
    const b = await agents.open(B);
    const limits = { handshakeMs: 600_000 };
    const serving = await b.serve(() => new Response('quick'), { port: 0, host: '127.0.0.1', limits });
    const silent = connect(serving.port, '127.0.0.1').resume();
    silent.on('error', () => {});
    await once(silent, 'connect');
    expect(await (await callAt(serving.port)).text()).to.equal('quick'); // so the one before is accepted
    const gone = once(silent, 'close');
    await serving.close(0);
    await gone;
  });

  it('ends in good order: what has begun is answered, nobody waits for idle callers, nobody new is taken', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const b = await agents.open(B);
    const serving = await b.serve(
      async ({ method }) => {
        if (method === 'GET') return new Response('quick');
        started.resolve();
        await promise;
        return new Response('last');
      },
      { port: 0, host: '127.0.0.1' },
    );
    agents.ports.delete(B);
    const url = `https://${B}:${serving.port}/`;
    const quick = [0, 1].map(async () => (await a.fetch(url, { delegate })).text());
    expect(await Promise.all(quick)).to.deep.equal(['quick', 'quick']);
    const last = a.fetch(url, { method: 'POST', delegate });
    await started.promise;
    const closed = serving.close();
    resolve();
    expect(await (await last).text()).to.equal('last');
    await closed;
    const late = await a.fetch(url, { delegate }).catch(({ code }) => code);
    expect(late).to.equal('unreachable');
  });
});
