import { expect } from 'chai';
import { Refused } from '../../../src/sdk/http/delegation.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';

const A = 'agent-coordinator';
const B = 'agent-deployer';
const C = 'agent-validator';
const WEB = 'namespaces/staging/deployments/web';
const TO_B = `https://${B}.ai-agents.svc:8443/v1/delegate`;
const TO_C = `https://${C}:8443/mcp?trace=1`;
const GET_STAGING = { name: 'kubectl_get', resources: ['namespaces/staging/*'] } as const;
const GET_WEB = { name: 'kubectl_get', resources: [WEB] } as const;

describe('the worked example over HTTP', () => {
  let agents: HttpSwarm;

  before(async () => {
    agents = new HttpSwarm();
    await agents.serve(C, async (request, call) => {
      call.require('kubectl_get', WEB);
      const { principal, presenter, transaction, path, capabilities, verified } = call;
      return Response.json(
        { principal, presenter, transaction, path, capabilities, verified, url: request.url },
        {
          status: 201,
          headers: [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
            ['x-c', 'c'],
          ],
        },
      );
    });
    await agents.serve(B, async (request, call) => {
      const capabilities = new URL(request.url).searchParams.has('wide') ? [GET_STAGING] : [GET_WEB];
      const answer = await call.fetch(TO_C, { method: 'POST', delegate: { capabilities, ttlSeconds: 60 } });
      return Response.json({
        task: await request.text(),
        hidden: ['authorization', 'dpop', 'agent-delegation-chain'].map((name) => request.headers.get(name)),
        key: request.headers.get('idempotency-key'),
        transaction: call.transaction,
        status: answer.status,
        cookies: answer.headers.getSetCookie(),
        inner: await answer.json(),
      });
    });
  });

  after(() => agents.close());

  it('goes from A to B and on behalf of A to C, each in its own name, with less each time', async () => {
    const a = await agents.open(A);
    const answer = await a.fetch(TO_B, {
      method: 'POST',
      body: 'show the web deployment',
      delegate: { capabilities: [GET_STAGING] },
    });
    const { key, transaction, ...body } = (await answer.json()) as Record<string, unknown>;
    expect(answer.status).to.equal(200);
    expect(key).to.match(/^"[0-9a-f-]{36}"$/);
    expect(transaction).to.match(/^[0-9a-f-]{36}$/);
    expect(body).to.deep.equal({
      task: 'show the web deployment',
      hidden: [null, null, null],
      status: 201,
      cookies: ['a=1', 'b=2'],
      inner: {
        principal: agents.swarm.id(A),
        presenter: agents.swarm.id(B),
        transaction,
        path: [A, B, C].map((name) => agents.swarm.id(name)),
        capabilities: [GET_WEB],
        verified: true,
        url: `https://${C}:8443/mcp?trace=1`,
      },
    });
  });

  it('refuses B what A has not given it, before anything is sent', async () => {
    const b = await agents.open(B);
    const failed = await b
      .fetch(TO_C, { method: 'POST', delegate: { capabilities: [GET_WEB] } })
      .catch((error: unknown) => error);
    expect(failed).to.include({
      code: 'refused',
      refusal: 'root_not_allowed',
      refusedBy: 'self',
      attempts: 0,
    });
  });

  it('turns what the application refuses, and what it fails with, into an answer that says no more', async () => {
    const told: string[] = [];
    const { port } = await (await agents.open(B)).serve(
      (_, call) => {
        call.require('kubectl_get', 'namespaces/staging/web');
        expect(call.allows('kubectl_get', 'namespaces/prod/web')).to.equal(false);
        try {
          call.require('kubectl_apply');
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
        }
        throw new Error('the password is 1234');
      },
      { port: 0, host: '127.0.0.1', onError: (error) => told.push(String(error)) },
    );
    agents.ports.set(B, port);
    const a = await agents.open(A);
    const answer = await a.fetch(TO_B, { method: 'POST', delegate: { capabilities: [GET_STAGING] } });
    expect({ status: answer.status, body: await answer.json() }).to.deep.equal({
      status: 500,
      body: { type: 'about:blank', title: 'Internal Server Error', status: 500 },
    });
    const failed = await a
      .fetch(TO_B, { method: 'POST', delegate: { capabilities: [GET_WEB] } })
      .catch((error: unknown) => error);
    expect(failed).to.include({
      code: 'refused',
      refusal: 'resource_not_granted',
      refusedBy: 'audience',
      status: 403,
      attempts: 1,
      wasSent: false,
    });
    expect(told).to.deep.equal(['Error: the password is 1234']);
  });
});
