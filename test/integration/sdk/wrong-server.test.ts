import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { expect } from 'chai';
import { LocalSwarm } from '../../support/sdk/agent-folder.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';
import { done, ScriptedServer } from '../../support/sdk/scripted-server.ts';

const A = 'agent-coordinator';
const B = 'agent-deployer';
const X = 'agent-stranger';
const delegate = { capabilities: [{ name: 'kubectl_get', resources: ['namespaces/staging/web'] }] } as const;

describe('a server that is not the audience', () => {
  let agents: HttpSwarm;
  let other: LocalSwarm;

  before(() => {
    agents = new HttpSwarm();
    other = new LocalSwarm();
  });
  after(async () => {
    other.close();
    await agents.close();
  });

  /** How a call to B ends when somebody with this certificate listens in its place, and what that one got. */
  async function callTo(tls: TlsOptions, host: string = B): Promise<unknown> {
    const server = new ScriptedServer(tls, [done]);
    agents.ports.set(B, await server.listen());
    const a = await agents.open(A, { retry: { attempts: 2, backOffMs: 1 } });
    const ended = await a.fetch(`https://${host}:8443/`, { delegate }).then(
      ({ status }) => ({ status }),
      ({ code, wasSent, attempts, message }) => ({ code, wasSent, attempts, message }),
    );
    server.close();
    return { ...ended, requests: server.seen.length };
  }
  const wrong = (code: string) => ({
    code: 'wrong_server',
    wasSent: false,
    attempts: 1,
    message: `who answers there is not the audience (${code})`,
    requests: 0,
  });

  it('is not B, so B is answered', async () => {
    expect(await callTo(agents.swarm.certificate(B))).to.deep.equal({ status: 200, requests: 1 });
  });

  it('gets nothing when it is another agent', async () => {
    expect(await callTo(agents.swarm.certificate(X))).to.deep.equal(wrong('WRONG_SERVER'));
  });

  it('gets nothing when it is B of another trust domain', async () => {
    expect(await callTo(other.certificate(B))).to.deep.equal(wrong('SELF_SIGNED_CERT_IN_CHAIN'));
  });

  it('gets nothing when it speaks an older TLS', async () => {
    expect(await callTo({ ...agents.swarm.certificate(B), maxVersion: 'TLSv1.2' })).to.deep.include({
      code: 'unreachable',
      wasSent: false,
      attempts: 2,
      requests: 0,
    });
  });

  it('is not even asked when its host is no agent', async () => {
    expect(await callTo(agents.swarm.certificate(B), 'agent-other')).to.deep.include({
      code: 'unknown_audience',
      attempts: 0,
      requests: 0,
    });
  });

  it('gets nothing when it is no server of TLS, or none at all', async () => {
    const server: Server = createServer((socket) => socket.resume().end('HTTP/1.1 200 OK\r\n\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    agents.ports.set(B, (server.address() as AddressInfo).port);
    const a = await agents.open(A, { retry: { attempts: 2, backOffMs: 1 } });
    const ended = async (): Promise<unknown> =>
      a
        .fetch(`https://${B}:8443/`, { delegate })
        .catch(({ code, wasSent, attempts }) => ({ code, wasSent, attempts }));
    const unreachable = { code: 'unreachable', wasSent: false, attempts: 2 };
    expect(await ended()).to.deep.equal(unreachable);
    server.close();
    await once(server, 'close');
    expect(await ended()).to.deep.equal(unreachable);
  });
});
