/** The transport against a loopback server: wire format, retries, time-outs, faults of the network. */

import { getEventListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import type { Call } from '../../../src/kube/call.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { FinishedRequest, RetriedRequest } from '../../../src/kube/request-observer.ts';
import { Transport } from '../../../src/kube/transport.ts';
import { caughtKubeError as caught } from '../../support/caught.ts';
import { eventually } from '../../support/eventually.ts';
import type { Answerer } from '../../support/loopback-server.ts';
import { end, ignore, inTurn, json, reset, silence, stream } from '../../support/loopback-server.ts';
import type { Loopback, LoopbackOptions } from '../../support/loopback-transport.ts';
import { loopbackCredentials, startLoopback, WIDGET } from '../../support/loopback-transport.ts';

const OK = json(200, { ok: true });
const READ: Call = {
  subject: { verb: 'get', type: WIDGET, namespace: 'a', name: 'w' },
  method: 'GET',
  path: '/apis/example.com/v1/namespaces/a/widgets/w',
};
const WRITE: Call = {
  ...READ,
  subject: { ...READ.subject, verb: 'update' },
  method: 'PUT',
  body: { spec: 1 },
};

describe('Transport', () => {
  let loopback: Loopback;
  const start = async (answer: Answerer, options?: LoopbackOptions): Promise<Transport> => {
    loopback = await startLoopback(answer, options);
    return loopback.transport;
  };
  afterEach(() => loopback.close());

  describe('request', () => {
    it('sends method, query, token, agent and body, and parses the answer', async () => {
      const transport = await start(json(200, { ü: 1 }));
      const answer = await transport.request({
        ...WRITE,
        query: { fieldManager: 'a b', force: true, no: undefined },
      });
      expect(answer).to.deep.equal({ ü: 1 });
      const { headers, ...request } = loopback.server.requests[0] ?? { headers: {} };
      expect(request).to.deep.equal({
        method: 'PUT',
        path: WRITE.path,
        query: { fieldManager: 'a b', force: 'true' },
        body: { spec: 1 },
      });
      const { host: _, ...sent } = headers;
      expect(sent).to.deep.equal({
        accept: 'application/json',
        authorization: 'Bearer token',
        connection: 'keep-alive',
        'content-length': '10',
        'content-type': 'application/json',
        'user-agent': `widget-controller/1.2.3 (${process.platform}/${process.arch})`,
      });
    });

    it('works over plain http and below a path', async () => {
      const transport = await start(OK, { tls: false });
      const credentials = loopbackCredentials(loopback.server);
      const below = new Transport({
        credentials: { ...credentials, server: new URL('/k8s/clusters/c-1/', credentials.server) },
        product: { name: 'x', version: '0' },
        connections: 1,
      });
      expect([await transport.request(READ), await below.request(READ)]).to.deep.equal([
        { ok: true },
        { ok: true },
      ]);
      await below.close();
      expect(loopback.server.requests.map((request) => request.path)).to.deep.equal([
        READ.path,
        `/k8s/clusters/c-1${READ.path}`,
      ]);
    });

    it('gives undefined for an empty answer', async () => {
      const transport = await start((response) => response.writeHead(204).end());
      expect(await transport.request(READ)).to.equal(undefined);
    });

    it('opens no more connections than allowed, and uses them again', async () => {
      const transport = await start(OK, { connections: 2 });
      for (let round = 0; round < 3; round++) {
        await Promise.all(Array.from({ length: 20 }, () => transport.request(READ)));
      }
      expect([loopback.server.requests.length, loopback.server.accepted]).to.deep.equal([60, 2]);
    });

    it('refuses a number of connections outside 1 to 64', async () => {
      await start(OK);
      const options = {
        credentials: loopbackCredentials(loopback.server),
        product: { name: 'x', version: '0' },
      };
      for (const connections of [0, 65, 1.5]) {
        expect(() => new Transport({ ...options, connections })).to.throw(RangeError);
      }
    });

    it('keeps the lease from waiting behind other calls', async () => {
      const transport = await start(
        (response, request) => {
          if (request.path !== '/slow') OK(response, request);
        },
        { connections: 1 },
      );
      const slow = caught(transport.request({ ...READ, path: '/slow' }));
      expect(await transport.request({ ...READ, channel: 'lease' })).to.deep.equal({ ok: true });
      await loopback.close();
      expect((await slow).code).to.equal('KUBE_ABORTED');
    });

    it('does not accept a server that its CA has not signed', async () => {
      await start(OK);
      const stranger = new Transport({
        credentials: { ...loopbackCredentials(loopback.server), tls: {} },
        product: { name: 'x', version: '0' },
        connections: 1,
      });
      const error = await caught(stranger.request(WRITE));
      await stranger.close();
      expect(summary(error)).to.deep.equal({
        code: 'KUBE_UNAVAILABLE',
        reason: 'DEPTH_ZERO_SELF_SIGNED_CERT',
        lost: false,
        message: 'update widgets a/w: no answer (DEPTH_ZERO_SELF_SIGNED_CERT)',
      });
    });

    it('connects with the certificates of the moment', async () => {
      await start(OK);
      let tls = {};
      const transport = new Transport({
        credentials: {
          ...loopbackCredentials(loopback.server),
          get tls() {
            return tls;
          },
        },
        product: { name: 'x', version: '0' },
        connections: 1,
      });
      const before = await caught(transport.request(READ));
      tls = { ca: loopback.server.ca };
      const after = await transport.request(READ);
      await transport.close();
      expect([before.code, after]).to.deep.equal(['KUBE_UNAVAILABLE', { ok: true }]);
    });
  });

  describe('failures', () => {
    it('turns a Status into an error', async () => {
      const transport = await start(json(409, { kind: 'Status', reason: 'AlreadyExists', message: 'there' }));
      expect(await caught(transport.request(WRITE))).to.include({
        code: 'KUBE_ALREADY_EXISTS',
        serverMessage: 'there',
      });
    });

    it('does not quote an answer that is not JSON', async () => {
      const transport = await start((response) => response.end('c2VjcmV0 not json'));
      const error = await caught(transport.request(WRITE));
      expect(summary(error)).to.deep.equal({
        code: 'KUBE_PROTOCOL',
        reason: 'NotJson',
        lost: true,
        message: 'update widgets a/w: unusable answer (NotJson)',
      });
      expect(error.cause).to.equal(undefined);
    });

    it('stops reading an answer beyond the bound', async () => {
      const transport = await start(json(200, { text: 'x'.repeat(5000) }), { maxAnswerBytes: 4000 });
      expect(await caught(transport.request(READ))).to.include({
        code: 'KUBE_PROTOCOL',
        reason: 'AnswerTooLarge',
      });
    });

    it('reports a write as lost when it was sent and the connection broke, and does not repeat it', async () => {
      const transport = await start(inTurn(reset, OK));
      const error = await caught(transport.request(WRITE));
      expect([error.code, error.lost, loopback.server.requests.length]).to.deep.equal([
        'KUBE_UNAVAILABLE',
        true,
        1,
      ]);
    });

    it('reports a write as not lost when nobody listens', async () => {
      const transport = await start(OK);
      await loopback.server.close();
      const error = await caught(transport.request(WRITE));
      expect([error.code, error.reason, error.lost]).to.deep.equal([
        'KUBE_UNAVAILABLE',
        'ECONNREFUSED',
        false,
      ]);
    });

    it('breaks off calls under way when it is closed', async () => {
      const transport = await start(ignore);
      const call = caught(transport.request(WRITE));
      await eventually('the request', () => loopback.server.requests.length === 1);
      await transport.close();
      expect(await call).to.include({ code: 'KUBE_ABORTED', lost: true });
    });
  });

  describe('retries', () => {
    it('repeats a GET once, at once, after a reset', async () => {
      const transport = await start(inTurn(reset, OK));
      expect(await transport.request(READ)).to.deep.equal({ ok: true });
    });

    it('gives up after the second reset', async () => {
      const transport = await start(inTurn(reset, reset, OK));
      expect((await caught(transport.request(READ))).code).to.equal('KUBE_UNAVAILABLE');
    });

    for (const status of [429, 503]) {
      it(`waits as long as Retry-After of a ${status} says, a little longer at random`, async () => {
        const delays: number[] = [];
        const transport = await start(inTurn(json(status, {}, { 'retry-after': '2' }), OK), {
          random: () => 0.5,
          wait: async (delayMs) => {
            delays.push(delayMs);
          },
        });
        expect(await transport.request(WRITE)).to.deep.equal({ ok: true });
        expect(delays).to.deep.equal([2250]);
      });

      it(`does not repeat a ${status} without Retry-After`, async () => {
        const transport = await start(inTurn(json(status, {}), OK));
        expect(await caught(transport.request(WRITE))).to.include({ httpStatus: status });
      });
    }

    it('gives up after ten attempts', async () => {
      const transport = await start(json(429, {}, { 'retry-after': '1' }));
      expect((await caught(transport.request(READ))).code).to.equal('KUBE_TOO_MANY_REQUESTS');
      expect(loopback.server.requests.length).to.equal(10);
    });

    it('reports a write as lost when an attempt before the last one may have had an effect', async () => {
      const transport = await start(
        inTurn(json(500, {}, { 'retry-after': '1' }), json(409, { reason: 'Conflict' })),
      );
      expect(await caught(transport.request(WRITE))).to.include({ code: 'KUBE_CONFLICT', lost: true });
    });

    it('renews the credentials once after a 401', async () => {
      let token = 'old';
      const answer: Answerer = (response, request) =>
        (request.headers.authorization === 'Bearer new' ? OK : json(401, {}))(response, request);
      const transport = await start(answer);
      const renewing = new Transport({
        credentials: {
          ...loopbackCredentials(loopback.server),
          bearerToken: async () => token,
          invalidate: () => {
            token = token === 'old' ? 'new' : 'bad';
          },
        },
        product: { name: 'x', version: '0' },
        connections: 1,
      });
      const renewed = await renewing.request(WRITE);
      token = 'bad';
      const refused = await caught(renewing.request(WRITE));
      await Promise.all([renewing.close(), transport.close()]);
      expect([renewed, refused.code, loopback.server.requests.length]).to.deep.equal([
        { ok: true },
        'KUBE_UNAUTHORIZED',
        4,
      ]);
    });

    it('asks before every attempt, and sends nothing when refused', async () => {
      const transport = await start(json(429, {}, { 'retry-after': '1' }));
      const refusal = new KubeError('KUBE_LEASE_NOT_HELD', 'no');
      let asked = 0;
      const beforeSend = () => {
        asked += 1;
        if (asked === 3) throw refusal;
      };
      expect(await caught(transport.request({ ...WRITE, beforeSend }))).to.equal(refusal);
      expect(loopback.server.requests.length).to.equal(2);
    });

    it('keeps the connection when a request is refused before it is sent', async () => {
      const transport = await start(OK, { connections: 1 });
      await transport.request(READ);
      const beforeSend = () => {
        throw new TypeError('no');
      };
      expect(
        await transport.request({ ...WRITE, beforeSend }).catch((error: unknown) => error),
      ).to.be.instanceOf(TypeError);
      await transport.request(READ);
      expect(loopback.server.accepted).to.equal(1);
    });
  });

  describe('time', () => {
    it('ends a call at its time-out', async () => {
      const transport = await start(inTurn(OK, ignore), { connections: 1 });
      // It is sent in time, since the connection is there.
      await transport.request(READ);
      const error = await caught(transport.request({ ...WRITE, timeoutMs: 1_000 }));
      expect(summary(error)).to.deep.equal({
        code: 'KUBE_UNAVAILABLE',
        reason: 'Timeout',
        lost: true,
        message: 'update widgets a/w: no answer (Timeout)',
      });
    });

    it('ends a call to a server that does not answer, and one whose answer stops', async () => {
      const transport = await start(inTurn(ignore, stream(['{'], silence)), { callIdleTimeoutMs: 100 });
      const errors = [await caught(transport.request(WRITE)), await caught(transport.request(WRITE))];
      expect(errors.map(({ code, reason, lost }) => [code, reason, lost])).to.deep.equal([
        ['KUBE_UNAVAILABLE', 'UND_ERR_HEADERS_TIMEOUT', true],
        ['KUBE_UNAVAILABLE', 'UND_ERR_BODY_TIMEOUT', true],
      ]);
    });

    it('gives the connection of a call that ended early to the next one', async () => {
      const transport = await start(inTurn(ignore, OK), { connections: 1 });
      const given = new AbortController();
      const first = caught(transport.request({ ...READ, signal: given.signal }));
      await eventually('the request to arrive', () => loopback.server.requests.length === 1);
      given.abort();
      await first;
      expect(await transport.request(READ)).to.deep.equal({ ok: true });
    });

    it('does not wait for a Retry-After beyond the time-out', async () => {
      const transport = await start(json(429, {}, { 'retry-after': '9' }));
      const error = await caught(transport.request({ ...READ, timeoutMs: 5000 }));
      expect([error.code, loopback.server.requests.length]).to.deep.equal(['KUBE_TOO_MANY_REQUESTS', 1]);
    });

    it('ends a call that waits for a connection, and never sends it', async () => {
      const slow: Call = { ...READ, path: '/slow' };
      let release: () => void = () => {};
      const transport = await start(
        (response, request) => {
          if (request.path !== '/slow') OK(response, request);
          else release = () => OK(response, request);
        },
        { connections: 1 },
      );
      const first = transport.request(slow);
      await eventually('the first request', () => loopback.server.requests.length === 1);
      const abort = new AbortController();
      const waiting = caught(transport.request({ ...WRITE, signal: abort.signal }));
      await nextTurn();
      abort.abort();
      expect(await waiting).to.include({ code: 'KUBE_ABORTED', lost: false });
      release();
      await first;
      await transport.request(READ);
      expect(loopback.server.requests.map((request) => request.method)).to.deep.equal(['GET', 'GET']);
      expect(loopback.server.accepted).to.equal(1);
    });

    it('ends the wait for a retry when it is aborted', async () => {
      const abort = new AbortController();
      const transport = await start(json(429, {}, { 'retry-after': '9' }), {
        wait: async () => abort.abort(),
      });
      expect((await caught(transport.request({ ...READ, signal: abort.signal }))).code).to.equal(
        'KUBE_ABORTED',
      );
      expect(loopback.server.requests.length).to.equal(1);
    });

    it('leaves no listener on a signal that lives on', async () => {
      const transport = await start(OK);
      const { signal } = new AbortController();
      await Promise.all(
        Array.from({ length: 30 }, () => transport.request({ ...READ, signal, timeoutMs: 5000 })),
      );
      expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
    });

    it('passes on the Date of fresh answers only', async () => {
      const dates: number[] = [];
      let nowMs = 0;
      const transport = await start(
        (response) => {
          if (loopback.server.requests.length === 2) nowMs += 1500;
          const date = `Thu, 01 Jan 2026 00:00:0${loopback.server.requests.length} GMT`;
          response.writeHead(200, { date }).end('{}');
        },
        {
          clock: { nowMs: () => 0, monotonicMs: () => nowMs },
          onServerDate: (dateMs) => dates.push(dateMs),
        },
      );
      for (let call = 0; call < 3; call++) await transport.request(READ);
      expect(dates).to.deep.equal([Date.UTC(2026, 0, 1, 0, 0, 1), Date.UTC(2026, 0, 1, 0, 0, 3)]);
    });
  });

  describe('observer', () => {
    it('is told of every attempt', async () => {
      const finished: Omit<FinishedRequest, 'seconds'>[] = [];
      const retried: RetriedRequest[] = [];
      const transport = await start(inTurn(reset, json(404, {})), {
        observer: {
          requestFinished: ({ seconds: _, ...request }) => finished.push(request),
          requestRetried: (request) => retried.push(request),
        },
      });
      await caught(transport.request(READ));
      const { host } = loopback.server.url;
      expect({ finished, retried }).to.deep.equal({
        finished: [
          { verb: 'get', method: 'GET', code: '<error>', host },
          { verb: 'get', method: 'GET', code: '404', host },
        ],
        retried: [{ method: 'GET', code: '<error>', host }],
      });
    });
  });

  describe('openWatch', () => {
    const watch = (
      transport: Transport,
      lines: string[],
      options: { idleTimeoutMs?: number; signal?: AbortSignal } = {},
    ) =>
      transport.openWatch({
        subject: { verb: 'watch', type: WIDGET },
        path: '/apis/example.com/v1/widgets',
        signal: options.signal ?? new AbortController().signal,
        idleTimeoutMs: options.idleTimeoutMs,
        onLine: (line) => lines.push(line.toString('utf8')),
      });

    it('gives whole lines, however they are cut, and closes its connection', async () => {
      const bytes = Buffer.from('{"a":"ü€😀"}\n\n{"b":1}\nrest');
      const transport = await start(
        stream(
          [...bytes].map((byte) => Buffer.of(byte)),
          end,
        ),
      );
      const lines: string[] = [];
      await watch(transport, lines);
      expect(lines).to.deep.equal(['{"a":"ü€😀"}', '{"b":1}']);
      await eventually('the connection to be closed', () => loopback.server.open === 0);
    });

    it('does not hold up calls', async () => {
      const transport = await start(
        (response, request) => (request.path === READ.path ? OK : stream([], silence))(response, request),
        { connections: 1 },
      );
      const abort = new AbortController();
      const watches = Array.from({ length: 3 }, () => caught(watch(transport, [], { signal: abort.signal })));
      await eventually('the watches', () => loopback.server.requests.length === 3);
      expect(await transport.request(READ)).to.deep.equal({ ok: true });
      abort.abort();
      expect((await Promise.all(watches)).map((error) => error.code)).to.deep.equal(
        Array(3).fill('KUBE_ABORTED'),
      );
      await eventually('the connections of the watches to be closed', () => loopback.server.open <= 1);
    });

    it('gives the lines before a reset, and then the error', async () => {
      const transport = await start(stream(['1\n'], reset));
      const lines: string[] = [];
      const error = await caught(watch(transport, lines));
      expect([lines, error.code, loopback.server.requests.length]).to.deep.equal([
        ['1'],
        'KUBE_UNAVAILABLE',
        1,
      ]);
    });

    it('notices a silent connection', async () => {
      const transport = await start(stream(['1\n'], silence));
      const error = await caught(watch(transport, [], { idleTimeoutMs: 100 }));
      expect([error.code, error.reason]).to.deep.equal(['KUBE_UNAVAILABLE', 'UND_ERR_BODY_TIMEOUT']);
    });

    it('turns a refusal into an error', async () => {
      const transport = await start(json(410, { reason: 'Expired' }));
      expect(await caught(watch(transport, []))).to.include({ code: 'KUBE_GONE', reason: 'Expired' });
    });

    it('ends with what the reader throws, and closes its connection', async () => {
      const transport = await start(stream(['1\n', '2\n'], silence));
      const failure = new TypeError('reader');
      const signal = new AbortController().signal;
      const reading = transport.openWatch({
        subject: { verb: 'watch', type: WIDGET },
        path: '/',
        signal,
        onLine: () => {
          throw failure;
        },
      });
      expect(await reading.catch((error: unknown) => error)).to.equal(failure);
      await eventually('the connection to be closed', () => loopback.server.open === 0);
    });

    it('ends at a line beyond the bound', async () => {
      const transport = await start(stream(Array(9).fill(Buffer.alloc(1024 * 1024, 'x')), silence));
      expect(await caught(watch(transport, []))).to.include({ code: 'KUBE_PROTOCOL', reason: 'LineTooLong' });
    });
  });
});

function summary({ code, reason, lost, message }: KubeError): object {
  return { code, reason, lost, message };
}
