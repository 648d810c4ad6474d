import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import type { Reviewer } from '../../../src/admission/review.ts';
import type { SelfSigned } from '../../../src/crypto/self-signed.ts';
import { createServingCertificate } from '../../../src/crypto/serving-certificate.ts';
import {
  type AdmissionServer,
  type AdmissionServerOptions,
  startAdmissionServer,
} from '../../../src/servers/admission-server.ts';
import { AdmissionClient, type AdmissionTarget, openTls, reviewOf } from '../../support/admission-client.ts';
import { eventually } from '../../support/eventually.ts';
import { type RecordingLog, recordingLog } from '../../support/recording-log.ts';

const NAME = 'hook.system.svc';
const SECRET_WORD = 'do-not-log-me';

function newPair(): SelfSigned {
  return createServingCertificate({
    commonName: 'hook',
    dnsNames: [NAME],
    nowMs: Date.now(),
    lifeMs: 3_600_000,
  });
}

const REVIEWERS: Readonly<Record<string, Reviewer>> = {
  pods: ({ name }) => ({ kind: 'refused', message: `not ${name}` }),
  broken: ({ object }) => JSON.parse(`{${(object as { readonly word: string }).word}`),
};

describe('AdmissionServer', () => {
  const closing: (() => unknown)[] = [];
  let log: RecordingLog;
  let outcomes: string[];

  beforeEach(() => {
    log = recordingLog();
    outcomes = [];
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function start(options: Partial<AdmissionServerOptions> = {}): Promise<{
    readonly server: AdmissionServer;
    readonly target: AdmissionTarget;
    readonly client: AdmissionClient;
  }> {
    const pair = newPair();
    const observer = {
      reviewed: (plural: string, outcome: string) => void outcomes.push(`${plural} ${outcome}`),
    };
    const server = await startAdmissionServer({
      dispatch: { reviewers: REVIEWERS, log, observer },
      pair,
      port: 0,
      host: '127.0.0.1',
      ...options,
    });
    closing.push(() => server.stop({ delayMs: 0, graceMs: 0 }));
    const target = { port: server.port, ca: pair.certificatePem, servername: NAME };
    return { server, target, client: clientOf(target) };
  }

  function clientOf(target: AdmissionTarget): AdmissionClient {
    const client = new AdmissionClient(target);
    closing.push(() => client.close());
    return client;
  }

  async function open(target: AdmissionTarget): Promise<Socket> {
    const socket = await openTls(target);
    closing.push(() => socket.destroy());
    return socket;
  }

  it('hands a review to the reviewer that the path names, and echoes its uid', async () => {
    const { client } = await start();
    const answer = await client.ask({
      path: '/review/pods?timeout=5s',
      body: reviewOf('pods', { uid: 'u-7', name: 'web' }),
    });
    expect([answer.status, answer.isLast, JSON.parse(answer.text)]).to.deep.equal([
      200,
      false,
      {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: {
          uid: 'u-7',
          allowed: false,
          status: { code: 403, reason: 'Forbidden', message: 'not web' },
        },
      },
    ]);
    expect(outcomes).to.deep.equal(['pods refused']);
  });

  for (const [what, sent, expected] of [
    ['an unknown path', { path: '/review/secrets' }, [404, 'not found\n', true]],
    ['a path of the prototype', { path: '/review/toString' }, [404, 'not found\n', true]],
    ['another method', { path: '/review/pods', method: 'PUT' }, [405, 'method not allowed\n', true]],
    [
      'another content type',
      { path: '/review/pods', headers: { 'content-type': 'text/plain' } },
      [415, 'the content type must be application/json\n', true],
    ],
    ['bad JSON', { path: '/review/pods', body: '{' }, [400, 'the body is not JSON\n', true]],
    ['no body', { path: '/review/pods' }, [400, 'the body is not JSON\n', true]],
    [
      'a review without uid',
      { path: '/review/pods', body: reviewOf('pods', { uid: 7 }) },
      [400, 'request.uid is missing\n', true],
    ],
    [
      'a review of something else',
      { path: '/review/pods', body: reviewOf('secrets') },
      [400, 'request.resource is not pods\n', true],
    ],
  ] as const) {
    it(`rejects ${what}, and ends the connection`, async () => {
      const { client } = await start();
      const { status, text, isLast } = await client.ask(sent);
      expect([status, text, isLast]).to.deep.equal(expected);
    });
  }

  it('refuses what its reviewer could not decide, and logs where but never what', async () => {
    const { client } = await start();
    const body = reviewOf('broken', { object: { word: SECRET_WORD } });
    const { status, text } = await client.ask({ path: '/review/broken', body });
    const { response } = JSON.parse(text);
    const [line] = log.lines.filter(({ level }) => level === 'error');
    const errorId = String(line?.fields['errorId']);
    expect([status, response.uid, response.allowed, response.status.code]).to.deep.equal([
      200,
      'uid-1',
      false,
      500,
    ]);
    expect(response.status.message).to.include(errorId);
    expect([line?.message, line?.fields['plural'], line?.fields['error']]).to.deep.equal([
      'review failed',
      'broken',
      'SyntaxError',
    ]);
    expect(String(line?.fields['at'])).to.include('admission-server.test.ts');
    expect(JSON.stringify([log.lines, response])).not.to.include(SECRET_WORD);
    expect(outcomes).to.deep.equal(['broken failed']);
  });

  it('reads no more than its cap, whether the size is said or not', async () => {
    const { target } = await start({ limits: { bodyBytes: 1_000 } });
    const body = Buffer.alloc(1_001, ' ');
    const said = await clientOf(target).ask({ path: '/review/pods', body });
    const unsaid = await clientOf(target).ask({
      path: '/review/pods',
      headers: { 'transfer-encoding': 'chunked' },
      body,
    });
    expect([said.status, unsaid.status]).to.deep.equal([413, 413]);
  });

  it('accepts a review of exactly its cap', async () => {
    const review = reviewOf('pods');
    const { client } = await start({ limits: { bodyBytes: 1_000 } });
    const { status } = await client.ask({ path: '/review/pods', body: review.padEnd(1_000) });
    expect(status).to.equal(200);
  });

  it('holds no more of all bodies together than there is memory for: who takes longest gives way', async () => {
    const { target, client } = await start({ limits: { totalBodyBytes: 4_000 } });
    const slow = await open(target);
    slow.write(
      `POST /review/pods HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 3999\r\n\r\n`,
    );
    slow.write(Buffer.alloc(3_900, ' '));
    const answered = once(slow, 'data');
    const body = reviewOf('pods').padEnd(200);
    let isRefused = false;
    void answered.then(() => {
      isRefused = true;
    });
    await eventually('the slow one to give way', async () => {
      expect((await client.ask({ path: '/review/pods', body })).status).to.equal(200);
      return isRefused;
    });
    expect(String((await answered)[0])).to.match(/^HTTP\/1.1 503 /);
  });

  it('rejects what is more than there is memory for', async () => {
    const { client } = await start({ limits: { totalBodyBytes: 100 } });
    const { status } = await client.ask({ path: '/review/pods', body: reviewOf('pods').padEnd(200) });
    expect(status).to.equal(503);
  });

  it('gives up a client that dribbles its head or its body', async () => {
    const { target } = await start({ limits: { requestMs: 1_000 } });
    const head = 'POST /review/pods HTTP/1.1\r\nhost: x\r\n';
    const body = `${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`;
    for (const begun of ['', head, body]) {
      const socket = await open(target);
      if (begun !== '') socket.write(begun);
      const dribble = setInterval(() => socket.write(begun === head ? 'a' : ' '), 50);
      closing.push(() => clearInterval(dribble));
      socket.resume();
      socket.on('error', () => {});
      await once(socket, 'close');
      clearInterval(dribble);
    }
  });

  it('gives up a client that begins no TLS, or never asks', async () => {
    const { target } = await start({ limits: { requestMs: 1_000 } });
    const silent = connect({ port: target.port, host: '127.0.0.1' });
    closing.push(() => silent.destroy());
    const idle = await open(target);
    for (const socket of [silent, idle]) {
      socket.on('error', () => {});
      socket.resume();
    }
    await Promise.all([once(silent, 'close'), once(idle, 'close')]);
  });

  it('takes no more connections than it may: who was quiet for longest makes room', async () => {
    const { target, client } = await start({ limits: { connections: 2 } });
    const quiet = await open(target);
    const ended = once(quiet, 'close');
    const body = reviewOf('pods');
    expect((await client.ask({ path: '/review/pods', body })).status).to.equal(200);
    expect((await clientOf(target).ask({ path: '/review/pods', body })).status).to.equal(200);
    await ended;
  });

  it('takes a connection although others begin no TLS', async () => {
    const { target, client } = await start({ limits: { connections: 2 } });
    const silent = [1, 2, 3].map(() => connect({ port: target.port, host: '127.0.0.1' }));
    for (const socket of silent) {
      socket.on('error', () => {});
      closing.push(() => socket.destroy());
    }
    expect((await client.ask({ path: '/review/pods', body: reviewOf('pods') })).status).to.equal(200);
  });

  it('serves another pair to new connections, and leaves the others as they are', async () => {
    const { server, target, client } = await start();
    const path = '/review/pods';
    await client.ask({ path, body: reviewOf('pods') });
    const next = newPair();
    server.serve(next);
    const old = await client.ask({ path, body: reviewOf('pods') });
    const refused = await clientOf(target)
      .ask({ path })
      .catch((error: NodeJS.ErrnoException) => error.code);
    const fresh = await clientOf({ ...target, ca: next.certificatePem }).ask({
      path,
      body: reviewOf('pods'),
    });
    expect([old.status, refused, fresh.status]).to.deep.equal([200, 'DEPTH_ZERO_SELF_SIGNED_CERT', 200]);
  });

  it('speaks nothing below TLS 1.3', async () => {
    const { target } = await start();
    const socket = (await open(target)) as Awaited<ReturnType<typeof openTls>>;
    expect(socket.getProtocol()).to.equal('TLSv1.3');
  });

  it('still answers while it leaves, says so, and lets what has begun come to its end', async () => {
    const { server, client, target } = await start();
    const path = '/review/pods';
    const body = reviewOf('pods');
    await client.ask({ path, body });
    const slow = await open(target);
    const review = body.padEnd(500);
    slow.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n`,
    );
    slow.write(review.slice(0, 100));
    const stopped = server.stop({ delayMs: 5_000, graceMs: 10_000 });
    const meanwhile = await client.ask({ path, body });
    const answered = once(slow, 'data');
    await eventually('no new connection to be taken', async () => {
      const socket = connect({ port: target.port, host: '127.0.0.1' });
      try {
        await once(socket, 'connect');
        return false;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
      } finally {
        socket.destroy();
      }
    });
    slow.write(review.slice(100));
    const [head] = await answered;
    expect([meanwhile.status, meanwhile.isLast, String(head).split('\r\n')[0], await stopped]).to.deep.equal([
      200,
      true,
      'HTTP/1.1 200 OK',
      true,
    ]);
  });

  it('ends by force when the grace is over', async () => {
    const { server, target } = await start();
    const slow = await open(target);
    slow.on('error', () => {});
    slow.write(
      'POST /review/pods HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{',
    );
    await eventually('the request to have begun', async () => slow.bytesWritten > 0);
    expect(await server.stop({ delayMs: 50, graceMs: 50 })).to.equal(false);
  });
});
