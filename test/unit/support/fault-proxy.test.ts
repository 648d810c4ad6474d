/** The fault proxy between a transport and a loopback server: each fault does what it says. */

import { expect } from 'chai';
import type { Call } from '../../../src/kube/call.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { Transport } from '../../../src/kube/transport.ts';
import { eventually } from '../../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import type { Fault } from '../../support/faults.ts';
import {
  type Answerer,
  json,
  type LoopbackServer,
  startLoopbackServer,
  stream,
} from '../../support/loopback-server.ts';
import { WIDGET } from '../../support/loopback-transport.ts';
import {
  anything,
  lists,
  readRequest,
  statusWrites,
  watches,
  writes,
} from '../../support/proxied-request.ts';

const PATH = '/apis/example.com/v1/namespaces/a/widgets';
const READ: Call = {
  subject: { verb: 'get', type: WIDGET, namespace: 'a', name: 'w' },
  method: 'GET',
  path: `${PATH}/w`,
};
const WRITE: Call = {
  subject: { verb: 'create', type: WIDGET, namespace: 'a', name: 'w' },
  method: 'POST',
  path: PATH,
  body: { metadata: { name: 'w' } },
};
const ANSWER = { text: 'x'.repeat(100) };
const EVENTS = ['{"n":1}\n', '{"n":2}\n'];

/** Code and status, or reason, of an error; the two names of a reset are one. */
function told(error: unknown): readonly unknown[] {
  if (!isKubeError(error)) throw error;
  const isReset = error.reason === 'UND_ERR_SOCKET' || error.reason === 'ECONNRESET';
  return [error.code, isReset ? 'reset' : (error.httpStatus ?? error.reason)];
}

describe('FaultProxy', () => {
  let server: LoopbackServer;
  let proxy: FaultProxy;
  let transport: Transport;
  const open: Answerer = stream(EVENTS, () => {});

  beforeEach(async () => {
    server = await startLoopbackServer((response, request) =>
      (request.query['watch'] === undefined ? json(200, ANSWER) : open)(response, request),
    );
    proxy = await startFaultProxy({ server: server.url, ca: server.ca ?? '' });
    transport = new Transport({
      credentials: {
        server: proxy.server,
        tls: { ca: proxy.ca },
        namespace: undefined,
        bearerToken: async () => 'token',
        invalidate() {},
      },
      product: { name: 'widget-controller', version: '0' },
      connections: 4,
      wait: async () => {},
      callIdleTimeoutMs: 300,
    });
  });
  afterEach(async () => {
    await transport.close();
    await proxy.close();
    await server.close();
  });

  /** What the client gets: the answer, or code, reason and status of the error. */
  const answerTo = async (call: Call): Promise<unknown> => {
    try {
      return await transport.request(call);
    } catch (error) {
      return told(error);
    }
  };
  const watch = (lines: string[], signal = new AbortController().signal): Promise<void> =>
    transport.openWatch({
      subject: { verb: 'watch', type: WIDGET, namespace: 'a' },
      path: PATH,
      query: { watch: 1 },
      signal,
      idleTimeoutMs: 300,
      onLine: (line) => lines.push(line.toString()),
    });

  it('hands requests and answers on as they are, and notes them', async () => {
    expect(await answerTo(WRITE)).to.deep.equal(ANSWER);
    expect(server.requests[0]?.headers.authorization).to.equal('Bearer token');
    expect(server.requests[0]?.body).to.deep.equal(WRITE.body);
    const [entry] = proxy.journal;
    expect([entry?.status, entry?.outcome, entry?.request.name]).to.deep.equal([200, 'answered', 'w']);
  });

  const faults: readonly (readonly [Fault, unknown, string, number])[] = [
    [{ kind: 'reset', at: 'request' }, ['KUBE_UNAVAILABLE', 'reset'], 'withheld', 0],
    [{ kind: 'reset', at: 'answer' }, ['KUBE_UNAVAILABLE', 'reset'], 'lost', 1],
    [{ kind: 'silence', at: 'request' }, ['KUBE_UNAVAILABLE', 'UND_ERR_HEADERS_TIMEOUT'], 'withheld', 0],
    [{ kind: 'silence', at: 'answer' }, ['KUBE_UNAVAILABLE', 'UND_ERR_HEADERS_TIMEOUT'], 'lost', 1],
    [{ kind: 'status', status: 503 }, ['KUBE_UNAVAILABLE', 503], 'withheld', 0],
    [{ kind: 'cut' }, ['KUBE_UNAVAILABLE', 'reset'], 'lost', 1],
    [{ kind: 'truncation' }, ['KUBE_PROTOCOL', 200], 'lost', 1],
    [{ kind: 'delay', delayMs: 50 }, ANSWER, 'answered', 1],
    [{ kind: 'trickle', bytes: 40, everyMs: 5 }, ANSWER, 'answered', 1],
  ];
  for (const [fault, answer, outcome, arrived] of faults) {
    it(`gives a write the fault ${Object.values(fault).join(' ')}, and then none`, async () => {
      const active = proxy.inject({ on: writes('widgets'), fault, times: 1 });
      expect(await answerTo(READ)).to.deep.equal(ANSWER);
      expect(await answerTo(WRITE)).to.deep.equal(answer);
      await eventually('the journal to be complete', () => proxy.journal[1]?.outcome === outcome);
      expect(server.requests.filter(({ method }) => method === 'POST').length).to.equal(arrived);
      expect(await answerTo(WRITE)).to.deep.equal(ANSWER);
      expect(active.hits).to.equal(1);
    });
  }

  it('asks to wait by Retry-After', async () => {
    proxy.inject({ on: anything, fault: { kind: 'status', status: 429, retryAfterSeconds: 1 }, times: 3 });
    expect(await answerTo(WRITE)).to.deep.equal(ANSWER);
    expect(proxy.journal.map(({ outcome }) => outcome)).to.deep.equal([
      ...['withheld', 'withheld', 'withheld'],
      'answered',
    ]);
  });

  it('stops when a fault is lifted', async () => {
    const active = proxy.inject({ on: anything, fault: { kind: 'status', status: 503 } });
    expect(await answerTo(WRITE)).to.deep.equal(['KUBE_UNAVAILABLE', 503]);
    active.lift();
    expect(await answerTo(WRITE)).to.deep.equal(ANSWER);
  });

  it('does nothing with new connections while it is deaf', async () => {
    proxy.deaf = true;
    expect(await answerTo({ ...WRITE, timeoutMs: 200 })).to.deep.equal(['KUBE_UNAVAILABLE', 'Timeout']);
    proxy.deaf = false;
    proxy.resetAll();
    expect(await answerTo(READ)).to.deep.equal(ANSWER);
  });

  it('notes a request as lost or withheld when the server is gone', async () => {
    await server.close();
    expect(await answerTo(WRITE)).to.deep.equal(['KUBE_UNAVAILABLE', 'reset']);
    expect(proxy.journal.map(({ outcome }) => outcome)).to.deep.equal(['withheld']);
  });

  it('passes the events of a watch on as they come', async () => {
    const lines: string[] = [];
    const abort = new AbortController();
    const done = watch(lines, abort.signal).catch(() => {});
    await eventually('both events', () => lines.length === EVENTS.length);
    abort.abort();
    await done;
    expect(lines.map((line) => `${line}\n`)).to.deep.equal(EVENTS);
  });

  const strikes: readonly (readonly [Fault, unknown, readonly string[]])[] = [
    [{ kind: 'reset', at: 'answer' }, ['KUBE_UNAVAILABLE', 'reset'], []],
    [{ kind: 'silence', at: 'answer' }, ['KUBE_UNAVAILABLE', 'UND_ERR_BODY_TIMEOUT'], []],
    [{ kind: 'error event', status: 410 }, ['KUBE_UNAVAILABLE', 'UND_ERR_BODY_TIMEOUT'], ['ERROR']],
    [{ kind: 'truncation' }, 'ended', []],
  ];
  for (const [fault, ending, types] of strikes) {
    it(`gives an open watch the fault ${Object.values(fault).join(' ')}`, async () => {
      const lines: string[] = [];
      const done = watch(lines).then(() => 'ended', told);
      await eventually('both events', () => lines.length === EVENTS.length);
      const active = proxy.inject({ on: watches('widgets'), fault });
      expect(active.hits).to.equal(1);
      expect(await done).to.deep.equal(ending);
      const later = lines.slice(EVENTS.length).map((line) => (JSON.parse(line) as { type: string }).type);
      expect(later).to.deep.equal(types);
    });
  }

  it('ends an open watch in good order so that the next one gets the status', async () => {
    const first: string[] = [];
    const done = watch(first);
    await eventually('both events', () => first.length === EVENTS.length);
    const active = proxy.inject({ on: watches('widgets'), fault: { kind: 'status', status: 410 } });
    await done;
    expect(active.hits).to.equal(0);
    const error: unknown = await watch([]).catch((thrown: unknown) => thrown);
    expect([isKubeError(error, 'KUBE_GONE'), active.hits]).to.deep.equal([true, 1]);
  });
});

describe('readRequest', () => {
  const read = (method: string, url: string, body = '') =>
    readRequest({ method, url } as Parameters<typeof readRequest>[0], Buffer.from(body));

  it('finds type, namespace, name and subresource', () => {
    const paths = [
      '/api/v1/namespaces/a/secrets/s',
      '/api/v1/secrets?watch=1',
      '/apis/agenttrust.dev/v1alpha1/namespaces/a/agentidentities/i/status',
      '/api/v1/namespaces/a',
    ];
    expect(
      paths.map((path) => {
        const { resource, namespace, name, subresource, isWatch } = read('GET', path);
        return [resource, namespace, name, subresource, isWatch];
      }),
    ).to.deep.equal([
      ['secrets', 'a', 's', undefined, false],
      ['secrets', undefined, undefined, undefined, true],
      ['agentidentities', 'a', 'i', 'status', false],
      ['namespaces', undefined, 'a', undefined, false],
    ]);
  });

  it('takes the name of a new object from its body', () => {
    const request = read('POST', '/api/v1/namespaces/a/secrets', '{"metadata":{"name":"s"}}');
    expect(request.name).to.equal('s');
  });

  it('gives requests that the choices tell apart', () => {
    const requests = [
      read('GET', '/api/v1/namespaces/a/secrets'),
      read('GET', '/api/v1/namespaces/a/secrets?watch=1'),
      read('GET', '/api/v1/namespaces/a/secrets/s'),
      read('POST', '/api/v1/namespaces/a/secrets', '{}'),
      read('PUT', '/api/v1/namespaces/a/secrets/s', '{}'),
      read('PATCH', '/api/v1/namespaces/a/secrets/s/status', '{}'),
    ];
    const chosen = [
      lists('secrets'),
      watches('secrets', 'a'),
      watches('secrets', 'b'),
      writes('secrets'),
    ].map((match) => requests.map((request, at) => (match(request) ? at : -1)).filter((at) => at >= 0));
    expect(chosen).to.deep.equal([[0], [1], [], [3, 4]]);
    expect(requests.filter(writes('secrets', 'PUT'))).to.deep.equal([requests[4]]);
    expect(requests.filter(statusWrites('secrets'))).to.deep.equal([requests[5]]);
  });
});
