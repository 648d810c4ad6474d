import { once } from 'node:events';
import { createServer as createPlainServer, type Server } from 'node:http';
import { Agent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { RefusalCounts } from '../../../src/sdk/http/refusal-counts.ts';
import { LocalSwarm } from '../../support/sdk/agent-folder.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';
import {
  connectTls,
  newId,
  parentHash,
  rootClaims,
  sendPlain,
  sendTls,
  signerOf,
  signProof,
  signToken,
  thumbprintOf,
} from '../../support/sdk/wire.ts';

const A = 'agent-coordinator';
const B = 'agent-deployer';
const C = 'agent-validator';
const X = 'agent-stranger';

describe('who the peer of a request is', () => {
  let agents: HttpSwarm;
  let port: number;

  before(async () => {
    agents = new HttpSwarm();
    port = (await agents.serve(B, (_, { presenter }) => new Response(presenter))).port;
  });

  after(() => agents.close());

  function tokenOf(from: string = A): string {
    const thumbprint = thumbprintOf(agents.swarm.certificate(from).cert);
    return signToken(rootClaims(agents.swarm, { from, to: B, thumbprint }), signerOf(agents.swarm, from));
  }
  const bearer = (): { authorization: string } => ({ authorization: `Bearer ${tokenOf()}` });
  const failureOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'answered',
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );

  it('is nobody for a client without a certificate, whose handshake fails', async () => {
    expect(await failureOf(sendTls({ port, headers: bearer() }, {}))).to.equal(
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    );
  });

  it('is nobody for an agent of another trust domain, whose connection ends before it is heard', async () => {
    const other = new LocalSwarm();
    const { cert, key } = other.certificate(A);
    other.close();
    expect(await failureOf(sendTls({ port, headers: bearer() }, { cert, key }))).to.be.oneOf([
      'ECONNRESET',
      'EPIPE',
    ]);
  });

  it('is refused by name where strangers are let in so far', async () => {
    const counts = new RefusalCounts();
    const b = await agents.open(B);
    const options = { port: 0, host: '127.0.0.1', admitStrangers: true, counts };
    const { port: lenient } = await b.serve(() => new Response(), options);
    const answer = await sendTls({ port: lenient, headers: bearer() }, {});
    expect([answer.status, answer.headers['agent-trust-refusal']]).to.deep.equal([401, 'holder_mismatch']);
    expect(counts.list()).to.deep.equal([{ name: 'holder_mismatch', isDryRun: false, count: 1 }]);
  });

  it('is cut off on a connection that it has had before (N4)', async () => {
    const { cert, key } = agents.swarm.certificate(A);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<unknown> => {
      const { status, headers, isReused } = await sendTls({ port, headers: bearer(), agent }, { cert, key });
      return { status, name: headers['agent-trust-refusal'], isReused };
    };
    expect(await ask()).to.deep.equal({ status: 200, name: undefined, isReused: false });
    agents.swarm.revocations = { ...agents.swarm.revocations, suspended: [agents.swarm.id(A)] };
    await agents.publish();
    expect(await ask()).to.deep.equal({ status: 401, name: 'suspended', isReused: true });
    agents.swarm.revocations = { ...agents.swarm.revocations, suspended: [] };
    await agents.publish();
    agent.destroy();
  });

  it('is not resumed from an earlier session', async () => {
    const { cert, key } = agents.swarm.certificate(A);
    const first = await connectTls(port, { cert, key });
    const sessions: Buffer[] = [];
    first.on('session', (session: Buffer) => sessions.push(session));
    first.write('GET / HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n');
    await text(first);
    const [session] = sessions;
    const second = await connectTls(port, { cert, key, ...(session === undefined ? {} : { session }) });
    expect(second.isSessionReused()).to.equal(false);
    second.destroy();
  });
});

describe('who the peer of a request is, behind a sidecar', () => {
  let agents: HttpSwarm;
  const ports: Record<string, number> = {};
  const servers: Server[] = [];

  before(async () => {
    agents = new HttpSwarm();
    for (const peer of ['xfcc', 'none', 'tls'] as const) {
      const guard = (await agents.open(C)).middleware({ peer });
      const server = createPlainServer((request, response) =>
        guard(request, response, () => response.end(request.delegation?.presenter)),
      );
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      ports[peer] = (server.address() as AddressInfo).port;
      servers.push(server);
    }
  });

  after(async () => {
    for (const server of servers) server.close();
    await agents.close();
  });

  /** The second call of the worked example, as the sidecar of C hands it on. */
  async function ask(peer: string, xfcc: string | undefined): Promise<string | undefined> {
    const { swarm } = agents;
    const thumbprint = thumbprintOf(swarm.certificate(A).cert);
    const root = signToken(rootClaims(swarm, { from: A, to: B, thumbprint }), signerOf(swarm, A));
    const { txn, iat, exp } = JSON.parse(Buffer.from(root.split('.')[1] ?? '', 'base64url').toString());
    const signer = signerOf(swarm, B);
    const claims = {
      ...rootClaims(swarm, { from: B, to: C, thumbprint }),
      ...{ sub: swarm.id(A), act: { sub: swarm.id(B) }, txn, iat, exp, jti: newId() },
      ...{ cnf: { jkt: signer.kid }, del_depth: 2, par_hash: parentHash(root) },
    };
    const token = signToken(claims, signer);
    const { status, headers, body } = await sendPlain({
      port: ports[peer] ?? 0,
      headers: {
        authorization: `DPoP ${token}`,
        dpop: signProof(token, signer, `http://${C}:8443/v1/delegate`),
        'agent-delegation-chain': root,
        ...(xfcc === undefined ? {} : { 'x-forwarded-client-cert': xfcc }),
      },
    });
    return status === 200 ? body : String(headers['agent-trust-refusal']);
  }
  const element = (name: string): string => `By=${agents.swarm.id(C)};Hash=abc;URI=${agents.swarm.id(name)}`;

  it('is whom the last element of XFCC names', async () => {
    expect(await ask('xfcc', element(B))).to.equal(agents.swarm.id(B));
    expect(await ask('xfcc', `${element(X)},${element(B)}`)).to.equal(agents.swarm.id(B));
  });

  it('is not whom a forged first element names (N5)', async () => {
    expect(await ask('xfcc', `${element(B)},${element(X)}`)).to.equal('holder_mismatch');
  });

  it('is not known without XFCC where it should be there', async () => {
    expect(await ask('xfcc', undefined)).to.equal('holder_mismatch');
  });

  it('is not whom XFCC names where nobody said that the hop is trusted', async () => {
    expect(await ask('tls', element(B))).to.equal('holder_mismatch');
  });

  it('is the holder of the key alone where nobody says anything', async () => {
    expect(await ask('none', element(X))).to.equal(agents.swarm.id(B));
  });
});
