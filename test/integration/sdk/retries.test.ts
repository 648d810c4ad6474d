import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import { expect } from 'chai';
import type { Agent } from '../../../src/sdk/agent.ts';
import { CallFailed } from '../../../src/sdk/http/call-failed.ts';
import type { CallInit } from '../../../src/sdk/http/outgoing-request.ts';
import { eventually } from '../../support/eventually.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';
import { done, hangUp, refusal, ScriptedServer, type Step } from '../../support/sdk/scripted-server.ts';

const A = 'agent-coordinator';
const B = 'agent-deployer';
const TO_B = `https://${B}:8443/v1/delegate?x=1`;
const delegate = { capabilities: [{ name: 'kubectl_get', resources: ['namespaces/staging/web'] }] } as const;

describe('a call that is tried again', () => {
  let agents: HttpSwarm;
  let a: Agent;
  let server: ScriptedServer;

  before(async () => {
    agents = new HttpSwarm();
    a = await agents.open(A);
  });
  afterEach(() => server.close());
  after(() => agents.close());

  async function script(...steps: readonly Step[]): Promise<void> {
    const { cert, key, ca } = agents.swarm.certificate(B);
    server = new ScriptedServer({ cert, key, ca, requestCert: true }, steps);
    agents.ports.set(B, await server.listen());
  }

  async function call(init: Partial<CallInit> = {}, of: Agent = a): Promise<unknown> {
    try {
      const answer = await of.fetch(TO_B, { method: 'POST', body: 'task', delegate, ...init });
      return { status: answer.status, body: await answer.text() };
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      const { code, refusal: name, wasSent, attempts } = error;
      return { code, refusal: name, wasSent, attempts };
    }
  }
  const DONE = { status: 200, body: 'done' };
  const unknown = (attempts: number) => ({
    code: 'outcome_unknown',
    refusal: undefined,
    wasSent: true,
    attempts,
  });

  it('has a new token of the same tree, and the same key, each time', async () => {
    await script(refusal(401, 'unknown_key'), refusal(503, 'store_unavailable', '0'), done);
    expect(await call()).to.deep.equal(DONE);
    const { seen } = server;
    expect(seen.map(({ body }) => body)).to.deep.equal(['task', 'task', 'task']);
    expect(new Set(seen.map(({ claims }) => claims['jti'])).size).to.equal(3);
    expect(new Set(seen.map(({ claims }) => claims['txn'])).size).to.equal(1);
    expect(new Set(seen.map(({ idempotencyKey }) => idempotencyKey)).size).to.equal(1);
    expect(seen[0]?.idempotencyKey).to.match(/^"[0-9a-f-]{36}"$/);
  });

  it('is given up in a pause when its agent is closed', async () => {
    const own = await agents.open(A, { connections: 1 });
    await script((response) => response.writeHead(503, { 'retry-after': '30' }).end('busy'), done);
    const pausing = call({}, own);
    await eventually('the first try', () => server.seen.length === 1);
    expect(await call({}, own)).to.deep.equal(DONE); // over the one connection, so the first answer is read
    await own.close();
    expect(await pausing).to.deep.equal({
      code: 'aborted',
      refusal: undefined,
      wasSent: false,
      attempts: 1,
    });
  });

  it('ends with the refusal when the audience does not know the key for long', async () => {
    await script(refusal(401, 'unknown_key'));
    expect(await call()).to.deep.equal({
      code: 'refused',
      refusal: 'unknown_key',
      wasSent: false,
      attempts: 4,
    });
  });

  it('ends with the answer when an application wants to be left alone for long', async () => {
    await script((response) => response.writeHead(503, { 'retry-after': '0' }).end('busy'));
    expect(await call()).to.deep.equal({ status: 503, body: 'busy' });
    expect(server.seen.length).to.equal(4);
  });

  it('is tried once when a server closes after it has read, and nobody said it may run twice', async () => {
    await script(hangUp, done);
    expect(await call()).to.deep.equal(unknown(1));
    expect(server.seen.length).to.equal(1);
  });

  for (const [what, init] of [
    ['has a key of its author', { headers: { 'idempotency-key': '"k"' } }],
    ['has an idempotent method', { method: 'PUT' }],
  ] as const)
    it(`is tried again when a server closes after it has read a request that ${what}`, async () => {
      await script(hangUp, done);
      expect(await call(init)).to.deep.equal(DONE);
      expect(server.seen.length).to.equal(2);
    });

  it('remembers that an earlier try may have been executed', async () => {
    await script(hangUp, refusal(403, 'not_delegable'));
    expect(await call({ method: 'PUT' })).to.deep.equal({
      code: 'refused',
      refusal: 'not_delegable',
      wasSent: true,
      attempts: 2,
    });
  });

  it('has an unknown outcome when somebody else has used the token', async () => {
    await script(refusal(401, 'replayed'), done);
    expect(await call()).to.deep.equal({ ...unknown(1), refusal: 'replayed' });
    expect(await call({ method: 'DELETE', body: null })).to.deep.equal(DONE);
  });

  it('is tried again when nothing was sent', async () => {
    await script(done);
    const port = agents.ports.get(B) ?? 0;
    let connections = 0;
    const impatient = await agents.open(A, {
      retry: { backOffMs: 1 },
      connectTo: () => ({ host: '127.0.0.1', port: ++connections < 3 ? 1 : port }),
    });
    expect(await call({}, impatient)).to.deep.equal(DONE);
    expect([connections, server.seen.length]).to.deep.equal([3, 1]);
  });

  it('is tried again when a server closes before the handshake, and not when it may have read', async () => {
    await script(done);
    const port = agents.ports.get(B) ?? 0;
    const closing = async (after: 'connection' | 'secureConnection'): Promise<unknown> => {
      const { cert, key } = agents.swarm.certificate(B);
      let times = 0;
      const closes = createServer({ cert, key }).on(after, (socket: Socket) => {
        times += 1;
        socket.destroy();
      });
      closes.listen(0, '127.0.0.1');
      await once(closes, 'listening');
      const at = (closes.address() as AddressInfo).port;
      const connectTo = (): { host: string; port: number } => ({
        host: '127.0.0.1',
        port: times === 0 ? at : port,
      });
      const outcome = await call({}, await agents.open(A, { connectTo }));
      closes.close();
      return outcome;
    };
    expect(await closing('connection')).to.deep.equal(DONE);
    expect(await closing('secureConnection')).to.deep.equal(unknown(1));
  });

  it('is not tried again when its body is a stream', async () => {
    await script(refusal(503, 'store_unavailable', '0'), done);
    const stream = (): ReadableStream<Uint8Array> => new Blob(['a stream']).stream();
    expect(await call({ body: stream() })).to.deep.equal({
      code: 'refused',
      refusal: 'store_unavailable',
      wasSent: false,
      attempts: 1,
    });
    expect(await call({ body: stream() })).to.deep.equal(DONE);
    expect(server.seen.map(({ body }) => body)).to.deep.equal(['a stream', 'a stream']);
  });

  it('is not tried again when the refusal is final', async () => {
    for (const [status, name] of [
      [403, 'not_delegable'],
      [429, 'rate_limited'],
      [401, 'revoked'],
    ] as const) {
      await script(refusal(status, name, '0'));
      expect(await call({ method: 'PUT' })).to.deep.include({ code: 'refused', refusal: name, attempts: 1 });
      server.close();
    }
    await script(done);
  });

  it('ends when its caller gives up, while it waits for an answer or for the next try', async () => {
    const gaveUp = new AbortController();
    await script(() => gaveUp.abort());
    expect(await call({ signal: gaveUp.signal })).to.deep.equal({
      code: 'aborted',
      refusal: undefined,
      wasSent: true,
      attempts: 1,
    });
    server.close();
    await script(refusal(503, 'stale_state', '30'));
    expect(await call({ signal: AbortSignal.timeout(2_000) })).to.deep.equal({
      code: 'timed_out',
      refusal: undefined,
      wasSent: false,
      attempts: 1,
    });
    expect(await call({ signal: AbortSignal.abort() })).to.deep.include({ code: 'aborted', attempts: 0 });
  });

  it('is not made at all when it does not fit into one request', async () => {
    await script(done);
    const headers = { 'x-padding': 'x'.repeat(15_000) };
    expect(await call({ headers })).to.deep.include({ code: 'too_large', attempts: 1, wasSent: false });
    expect(server.seen).to.deep.equal([]);
  });

  it('ends when the agent is closed', async () => {
    await script(() => {});
    const closing = await agents.open(A);
    const pending = call({}, closing);
    await eventually('the call to be there', () => server.seen.length > 0);
    await closing.close();
    expect(await pending).to.deep.equal(unknown(1));
    expect(await call({}, closing)).to.deep.include({ code: 'aborted' });
  });
});
