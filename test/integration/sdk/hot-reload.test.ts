import { once } from 'node:events';
import { Agent as ConnectionAgent } from 'node:https';
import { expect } from 'chai';
import { CallFailed } from '../../../src/sdk/http/call-failed.ts';
import { eventually } from '../../support/eventually.ts';
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
const REQUESTS = 10_000;
const AT_A_TIME = 16;
const delegate = { capabilities: [{ name: 'kubectl_get', resources: ['namespaces/staging/*'] }] } as const;

describe('files that change while calls are made', () => {
  let agents: HttpSwarm;

  beforeEach(() => {
    agents = new HttpSwarm({
      agents: [{ name: A }, { name: B }],
      edges: [{ from: A, to: B, capabilities: [{ name: 'kubectl_get' }] }],
    });
  });
  afterEach(() => agents.close());

  it(`let ${REQUESTS} requests pass without one that fails`, async () => {
    const { swarm } = agents;
    await agents.serve(B, () => new Response('done'));
    const a = await agents.open(A, { retry: { attempts: 1 } });
    const certificates = new Set<string>();
    let begun = 0;
    let answered = 0;
    const failures: unknown[] = [];
    const call = async (): Promise<void> => {
      while (begun < REQUESTS) {
        begun += 1;
        certificates.add(a.current.tls.thumbprint);
        try {
          const answer = await a.fetch(`https://${B}:8443/`, { method: 'POST', body: 'x', delegate });
          if ((await answer.text()) !== 'done') throw new Error(`status ${answer.status}`);
          answered += 1;
        } catch (error) {
          failures.push(error instanceof CallFailed ? `${error.code} ${error.message}` : error);
        }
      }
    };
    const steps = [
      () => swarm.renewCertificate(A),
      () => swarm.renewCertificate(B),
      () => swarm.keys(A).addNext(),
      () => swarm.keys(A).activateNext(),
      () => swarm.addAuthority(),
      () => swarm.renewCertificate(A),
      () => swarm.renewCertificate(B),
      // Only a call that began with the certificate of the old authority may still be under way; it is not looked at again.
      () => swarm.dropOldAuthorities(),
      () => swarm.keys(A).dropRetiring(),
    ];
    let changes = 0;
    const change = async (): Promise<void> => {
      for (;;) {
        for (const step of steps) {
          const goal = begun + REQUESTS / (3 * steps.length);
          await eventually(
            'some calls under the last change',
            () => answered >= Math.min(goal, REQUESTS - 1),
            {
              timeoutMs: 120_000,
            },
          );
          if (begun >= REQUESTS) return;
          step();
          await agents.publish();
          changes += 1;
        }
      }
    };
    await Promise.all([change(), ...Array.from({ length: AT_A_TIME }, call)]);
    expect({ failures, answered }).to.deep.equal({ failures: [], answered: REQUESTS });
    expect(changes).to.be.greaterThan(steps.length);
    expect(certificates.size).to.be.greaterThan(4);
  });

  it('do not end a connection, and the next one gets the new certificate', async () => {
    const { swarm } = agents;
    const { port } = await agents.serve(B, () => new Response('done'));
    const { cert, key } = swarm.certificate(A);
    const agent = new ConnectionAgent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<unknown> => {
      const claims = rootClaims(swarm, { from: A, to: B, thumbprint: thumbprintOf(cert) });
      const headers = { authorization: `Bearer ${signToken(claims, signerOf(swarm, A))}` };
      const { status, headers: answered, isReused } = await sendTls({ port, headers, agent }, { cert, key });
      return { status, refusal: answered['agent-trust-refusal'], isReused };
    };
    const served = async (): Promise<string> => {
      const socket = await connectTls(port, { cert, key });
      const thumbprint = thumbprintOf(socket.getPeerX509Certificate()?.toString() ?? '');
      socket.end();
      return thumbprint;
    };
    const before = await served();
    expect(await ask()).to.deep.equal({ status: 200, refusal: undefined, isReused: false });
    swarm.renewCertificate(B);
    swarm.addAuthority();
    await agents.publish();
    expect(await ask()).to.deep.equal({ status: 200, refusal: undefined, isReused: true });
    expect(await served())
      .to.equal(thumbprintOf(swarm.certificate(B).cert))
      .and.not.equal(before);
    swarm.renewCertificate(A);
    swarm.renewCertificate(B);
    swarm.dropOldAuthorities();
    await agents.publish();
    expect(await ask()).to.deep.equal({ status: 401, refusal: 'holder_mismatch', isReused: true });
    const socket = await connectTls(port, { cert, key });
    await once(socket, 'close');
    agent.destroy();
  });
});
