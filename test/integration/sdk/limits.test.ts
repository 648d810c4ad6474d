import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { ServerLimits } from '../../../src/sdk/http/agent-server.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';
import {
  connectTls,
  rootClaims,
  sendTls,
  signerOf,
  signToken,
  thumbprintOf,
} from '../../support/sdk/wire.ts';

const A = 'agent-coordinator';
const B = 'agent-deployer';

describe('the limits of a server', () => {
  let agents: HttpSwarm;
  let port: number;
  /** Of one that gives up soon, only for the tests of that. */
  let hastyPort: number;
  let served: string[];

  before(async () => {
    agents = new HttpSwarm();
    const serve = (limits: Partial<ServerLimits>): Promise<{ readonly port: number }> =>
      agents.serve(
        B,
        async (request) => {
          const body = await request.text();
          served.push(body);
          return new Response(`got ${body.length}`);
        },
        { limits },
      );
    ({ port } = await serve({ bodyBytes: 1000, idleMs: 1000 }));
    ({ port: hastyPort } = await serve({ headMs: 300, requestMs: 600 }));
  });
  beforeEach(() => {
    served = [];
  });
  after(() => agents.close());

  const identity = (): { cert: string; key: string } => agents.swarm.certificate(A);
  function token(): string {
    const thumbprint = thumbprintOf(agents.swarm.certificate(A).cert);
    return signToken(rootClaims(agents.swarm, { from: A, to: B, thumbprint }), signerOf(agents.swarm, A));
  }
  const bearer = (): { authorization: string } => ({ authorization: `Bearer ${token()}` });
  const head = (fields: string, of: string = token()): string =>
    `POST / HTTP/1.1\r\nhost: b\r\nauthorization: Bearer ${of}\r\n${fields}\r\n\r\n`;
  const statusLines = (answers: string): readonly string[] =>
    answers.match(/HTTP\/1\.1 \d{3} [A-Za-z ]+/g) ?? [];

  const tell = (...parts: readonly string[]): Promise<TLSSocket> => tellAt(port, ...parts);
  async function tellAt(at: number, ...parts: readonly string[]): Promise<TLSSocket> {
    const socket = await connectTls(at, identity());
    for (const part of parts) socket.write(part);
    return socket;
  }

  it('end a connection whose head never comes to its end', async () => {
    const answers = await text(await tellAt(hastyPort, 'POST / HTTP/1.1\r\nhost: b\r\nx-slow: '));
    expect(statusLines(answers)).to.deep.equal(['HTTP/1.1 408 Request Timeout']);
  });

  it('end a connection whose body never comes to its end', async () => {
    const answers = await text(await tellAt(hastyPort, head('content-length: 100'), 'slow'));
    expect(statusLines(answers)).to.deep.equal(['HTTP/1.1 408 Request Timeout']);
    expect(served).to.deep.equal([]);
  });

  it('end a connection on which nothing comes any more', async () => {
    const socket = await tell(head('content-length: 2'), 'ok');
    expect(statusLines(await text(socket))).to.deep.equal(['HTTP/1.1 200 OK']);
    expect(served).to.deep.equal(['ok']);
  });

  it('end a connection that never begins its handshake', async () => {
    const serving = await agents
      .open(B)
      .then((b) =>
        b.serve(() => new Response(), { port: 0, host: '127.0.0.1', limits: { handshakeMs: 200 } }),
      );
    const socket = connectTcp(serving.port, '127.0.0.1').resume();
    socket.on('error', () => {});
    await once(socket, 'close');
  });

  it('refuse a head of more than 16 KiB', async () => {
    const send = (padding: number): Promise<{ status: number }> =>
      sendTls({ port, headers: { ...bearer(), 'x-padding': 'x'.repeat(padding) } }, identity());
    expect((await send(14_000)).status).to.equal(200);
    expect((await send(16_384)).status).to.equal(431);
  });

  it('refuse a body that says to be too long, and one that says nothing and becomes so', async () => {
    expect((await sendTls({ port, headers: bearer(), body: 'x'.repeat(1000) }, identity())).status).to.equal(
      200,
    );
    expect((await sendTls({ port, headers: bearer(), body: 'x'.repeat(1001) }, identity())).status).to.equal(
      413,
    );
    expect(served.length).to.equal(1);
    const chunk = (size: number): string => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`;
    const chunked = head('transfer-encoding: chunked');
    const fits = await text(await tell(chunked, chunk(1000), '0\r\n\r\n'));
    expect(statusLines(fits)).to.deep.equal(['HTTP/1.1 200 OK']);
    const answers = await text(await tell(head('transfer-encoding: chunked'), chunk(900), chunk(101)));
    expect(statusLines(answers)).to.deep.equal(['HTTP/1.1 413 Payload Too Large']);
    expect(served.length).to.equal(2);
  });

  for (const [what, request] of [
    ['no HTTP', () => 'what is this\r\n\r\n'],
    ['no host', () => 'GET / HTTP/1.1\r\n\r\n'],
    ['two lengths', () => head('content-length: 1\r\ncontent-length: 2')],
    ['length and chunks', () => head('content-length: 1\r\ntransfer-encoding: chunked')],
    ['a target with a host', () => head('content-length: 0').replace('POST /', 'POST http://b/')],
  ] as const)
    it(`refuse what is malformed: ${what}`, async () => {
      const socket = await tell(request());
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(statusLines(answer.toString())).to.deep.equal(['HTTP/1.1 400 Bad Request']);
      expect(served).to.deep.equal([]);
      socket.destroy();
    });

  it('let requests come one after the other without waiting, each with its own answer', async () => {
    const [first, second] = [token(), token()];
    const get = (of: string): string => head('content-length: 0', of);
    const last = head('content-length: 0\r\nconnection: close', second);
    const answers = await text(await tell(get(first) + get(first) + get(second) + last));
    expect(statusLines(answers)).to.deep.equal([
      'HTTP/1.1 200 OK',
      'HTTP/1.1 401 Unauthorized',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 401 Unauthorized',
    ]);
    expect(answers.match(/agent-trust-refusal: replayed/g)?.length).to.equal(2);
  });
});
