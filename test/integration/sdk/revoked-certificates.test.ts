/** A certificate that is put on the list of revoked ones counts no more, at once, on either end of a connection. */

import { once } from 'node:events';
import { Agent as ConnectionAgent } from 'node:https';
import { expect } from 'chai';
import { CallFailed } from '../../../src/sdk/http/call-failed.ts';
import { RefusalCounts } from '../../../src/sdk/http/refusal-counts.ts';
import { eventually } from '../../support/eventually.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';
import { done, ScriptedServer } from '../../support/sdk/scripted-server.ts';
import {
  connectTls,
  type Identity,
  rootClaims,
  sendTls,
  signerOf,
  signToken,
  thumbprintOf,
  type WireAnswer,
} from '../../support/sdk/wire.ts';

const A = 'agent-coordinator';
const B = 'agent-deployer';
const delegate = { capabilities: [{ name: 'kubectl_get', resources: ['namespaces/staging/*'] }] } as const;

describe('a revoked certificate', () => {
  let agents: HttpSwarm;
  let counts: RefusalCounts;

  beforeEach(() => {
    counts = new RefusalCounts();
    agents = new HttpSwarm({
      agents: [{ name: A }, { name: B }],
      edges: [{ from: A, to: B, capabilities: [{ name: 'kubectl_get' }] }],
    });
  });
  afterEach(() => agents.close());

  function send(
    port: number,
    { cert = '', key = '' }: Identity,
    agent?: ConnectionAgent,
  ): Promise<WireAnswer> {
    const claims = rootClaims(agents.swarm, { from: A, to: B, thumbprint: thumbprintOf(cert) });
    const headers = { authorization: `Bearer ${signToken(claims, signerOf(agents.swarm, A))}` };
    return sendTls({ port, headers, ...(agent === undefined ? {} : { agent }) }, { cert, key });
  }
  const refusalOf = ({ status, headers, isReused }: WireAnswer): unknown => ({
    status,
    refusal: headers['agent-trust-refusal'],
    isReused,
  });
  async function revoke(name: string): Promise<void> {
    agents.swarm.revokeCertificate(name);
    await agents.publish();
  }

  it('is refused with the next request on an open connection', async () => {
    const { port } = await agents.serve(B, () => new Response('done'), { counts });
    const agent = new ConnectionAgent({ keepAlive: true, maxSockets: 1 });
    const identity = agents.swarm.certificate(A);
    expect(refusalOf(await send(port, identity, agent))).to.deep.equal({
      status: 200,
      refusal: undefined,
      isReused: false,
    });
    await revoke(A);
    expect(refusalOf(await send(port, identity, agent))).to.deep.equal({
      status: 401,
      refusal: 'suspended',
      isReused: true,
    });
    expect(counts.list()).to.deep.equal([{ name: 'suspended', isDryRun: false, count: 1 }]);
    agent.destroy();
  });

  it('opens no connection any more, not even for what is public, and the next certificate does', async () => {
    const publicPaths = ['/health'];
    const { port } = await agents.serve(B, () => new Response('done'), { counts, publicPaths });
    const revoked = agents.swarm.certificate(A);
    await revoke(A);
    const socket = await connectTls(port, revoked);
    const heard: Buffer[] = [];
    socket.on('data', (data: Buffer) => heard.push(data));
    socket.write('GET /health HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n');
    await once(socket, 'close');
    expect([heard, counts.list()]).to.deep.equal([[], [{ name: 'suspended', isDryRun: false, count: 1 }]]);
    agents.swarm.renewCertificate(A);
    await agents.publish();
    expect((await send(port, agents.swarm.certificate(A))).status).to.equal(200);
  });

  it('is refused by name where strangers are let in so far, also where refusals are only recorded', async () => {
    await agents.close();
    agents = new HttpSwarm({
      agents: [{ name: A }, { name: B, server: { enforcement: 'DryRun' } }],
      edges: [{ from: A, to: B, capabilities: [{ name: 'kubectl_get' }] }],
    });
    const { port } = await agents.serve(B, () => new Response('done'), { counts });
    await revoke(A);
    const { cert, key } = agents.swarm.certificate(A);
    const withToken = await send(port, { cert, key });
    const without = await sendTls({ port }, { cert, key });
    expect([withToken, without].map(refusalOf)).to.deep.equal(
      [1, 2].map(() => ({ status: 401, refusal: 'suspended', isReused: false })),
    );
  });

  it('of a server is called no more: nothing is sent over an open connection or a new one', async () => {
    let calls = 0;
    await agents.serve(B, () => {
      calls += 1;
      return new Response('done');
    });
    const a = await agents.open(A, { retry: { attempts: 1 } });
    const call = async (): Promise<string> => {
      try {
        const answer = await a.fetch(`https://${B}:8443/`, { method: 'POST', body: 'x', delegate });
        return await answer.text();
      } catch (error) {
        return error instanceof CallFailed ? error.code : String(error);
      }
    };
    expect([await call(), calls]).to.deep.equal(['done', 1]);
    agents.swarm.revokeCertificate(B);
    agents.swarm.publish(A);
    await a.reload();
    expect([await call(), calls]).to.deep.equal(['wrong_server', 1]);
    agents.swarm.renewCertificate(B);
    await agents.publish();
    expect([await call(), calls]).to.deep.equal(['done', 2]);
  });

  it('is known whatever is sent in place of who has issued it', async () => {
    const { port } = await agents.serve(B, () => new Response('done'), { counts });
    const { cert, key, ca } = agents.swarm.certificate(A);
    // Some versions of Node show a server nothing of this: nodejs/node#65579.
    const disguised = { cert: cert + agents.swarm.impostor + ca, key };
    expect((await send(port, disguised)).status).to.equal(200);
    await revoke(A);
    const socket = await connectTls(port, disguised);
    await once(socket.resume(), 'close');
    expect(counts.list()).to.deep.equal([{ name: 'suspended', isDryRun: false, count: 1 }]);
  });

  it('of a server is known whatever is sent in place of who has issued it', async () => {
    const { cert, key } = agents.swarm.certificate(B);
    const server = new ScriptedServer({ cert: cert + agents.swarm.impostor, key }, [done]);
    agents.ports.set(B, await server.listen());
    const a = await agents.open(A, { retry: { attempts: 1 } });
    const call = (): Promise<unknown> =>
      a.fetch(`https://${B}:8443/`, { delegate }).then(
        ({ status }) => status,
        ({ code }) => code,
      );
    expect(await call()).to.equal(200);
    await revoke(B);
    expect(await call()).to.equal('wrong_server');
    server.close();
    expect(server.seen.length).to.equal(1);
  });

  for (const [how, fail] of [
    [
      'throws',
      (error: Error): void => {
        throw error;
      },
    ],
    ['rejects', (error: Error): Promise<never> => Promise.reject(error)],
  ] as const)
    it(`opens no connection, and ends no process, where onRefusal ${how}`, async () => {
      const error = new Error('no');
      const told: unknown[] = [];
      const { port } = await agents.serve(B, () => new Response('done'), {
        onRefusal: () => fail(error),
        onError: (...each) => told.push(each),
      });
      await revoke(A);
      const socket = await connectTls(port, agents.swarm.certificate(A));
      await once(socket.resume(), 'close');
      expect(told).to.deep.equal([[error, undefined]]);
    });

  it('is known where its authority stands below a root', async () => {
    const { swarm } = agents;
    swarm.addIntermediate();
    for (const name of [A, B]) swarm.renewCertificate(name);
    await agents.publish();
    const { port } = await agents.serve(B, () => new Response('done'), { counts });
    const a = await agents.open(A);
    const call = (): Promise<Response> =>
      a.fetch(`https://${B}:8443/`, { method: 'POST', body: 'x', delegate });
    expect((await call()).status).to.equal(200);
    await revoke(A);
    const socket = await connectTls(port, swarm.certificate(A));
    await once(socket.resume(), 'close');
    expect(counts.list()).to.deep.equal([{ name: 'suspended', isDryRun: false, count: 1 }]);
    await revoke(B);
    const refused = await call().catch(({ code }: CallFailed) => code);
    expect(refused).to.equal('wrong_server');
  });

  it('is known by the list of its own generation, through a change of generations', async () => {
    const { port } = await agents.serve(B, () => new Response('done'));
    const old = agents.swarm.certificate(A);
    await revoke(A);
    agents.swarm.addAuthority();
    agents.swarm.renewCertificate(A);
    agents.swarm.renewCertificate(B);
    await agents.publish();
    const failed = await send(port, old).catch((error: NodeJS.ErrnoException) => error.code);
    expect(failed).to.be.oneOf(['ECONNRESET', 'EPIPE']);
    await eventually('the new one to be taken', async () => {
      return (await send(port, agents.swarm.certificate(A))).status === 200;
    });
  });
});
