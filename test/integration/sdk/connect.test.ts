import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { refuse } from '../../../src/domain/token/refusal.ts';
import type { Agent } from '../../../src/sdk/agent.ts';
import { Refused } from '../../../src/sdk/http/delegation.ts';
import { answerRefused, type Middleware, requireCapability } from '../../../src/sdk/http/middleware.ts';
import type { CallInit } from '../../../src/sdk/http/outgoing-request.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';

const A = 'agent-coordinator';
const B = 'agent-deployer';
const GET = { name: 'kubectl_get', resources: ['namespaces/staging/*'] } as const;

type ErrorStep = typeof answerRefused;

/** What Connect and Express do: one step after the other, or with an error the steps that take one. */
function connect(steps: readonly Middleware[], errorStep: ErrorStep = answerRefused): RequestListener {
  return (request, response) => {
    const failed = (error: unknown): void =>
      errorStep(error, request, response, () => response.writeHead(500).end('express says 500'));
    const run = (index: number): void => {
      try {
        steps[index]?.(request, response, (error) => (error ? failed(error) : run(index + 1)));
      } catch (error) {
        failed(error);
      }
    };
    run(0);
  };
}

const say = (request: IncomingMessage, response: ServerResponse): void => {
  response.end(`${request.delegation?.presenter} ${request.delegation?.verified}`);
};
const resourceOf = ({ url = '' }: IncomingMessage): string =>
  `namespaces/${url.split('/')[1]}/deployments/web`;

describe('an application of steps', () => {
  let agents: HttpSwarm;
  let a: Agent;
  let b: Agent;
  let port: number;
  const servers: Server[] = [];

  before(async () => {
    agents = new HttpSwarm();
    a = await agents.open(A);
    b = await agents.open(B);
  });
  after(async () => {
    for (const server of servers) server.close();
    await agents.close();
  });

  async function listen(server: Server): Promise<void> {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  }

  async function call(path: string, init: Partial<CallInit> = {}): Promise<unknown> {
    try {
      const delegate = { capabilities: [GET] };
      const answer = await a.fetch(`https://${B}:${port}${path}`, { delegate, ...init });
      return { status: answer.status, body: await answer.text() };
    } catch (error) {
      const { code, refusal } = error as { code: string; refusal: string };
      return { code, refusal };
    }
  }
  const granted = (): unknown => ({ status: 200, body: `${agents.swarm.id(A)} true` });
  const refused = (refusal: string): unknown => ({ code: 'refused', refusal });

  it('gets only what its server lets through', async () => {
    await listen(b.createServer(connect([requireCapability('kubectl_get', resourceOf), say])));
    expect(await call('/staging/x')).to.deep.equal(granted());
    expect(await call('/prod/x')).to.deep.equal(refused('resource_not_granted'));
  });

  it('may have the middleware too, which uses no token a second time', async () => {
    await listen(b.createServer(connect([b.middleware(), say])));
    expect(await call('/')).to.deep.equal(granted());
  });

  it('gets only what the middleware lets through, on a server of its own', async () => {
    const { cert, key, ca } = agents.swarm.certificate(B);
    await listen(
      createServer({ cert, key, ca, requestCert: true }, connect([b.middleware(), say])) as unknown as Server,
    );
    expect(await call('/')).to.deep.equal(granted());
  });

  it('is told when its steps are in the wrong order', async () => {
    const { cert, key, ca } = agents.swarm.certificate(B);
    const steps = [requireCapability('kubectl_get'), b.middleware(), say];
    await listen(createServer({ cert, key, ca, requestCert: true }, connect(steps)) as unknown as Server);
    expect(await call('/')).to.deep.equal({ status: 500, body: 'express says 500' });
  });

  it('refuses by throwing, and fails as it always did', async () => {
    const refuses: Middleware = ({ delegation }) => delegation?.require('kubectl_apply');
    const fails: Middleware = () => {
      throw new TypeError('no');
    };
    await listen(b.createServer(connect([refuses])));
    expect(await call('/')).to.deep.equal(refused('capability_not_granted'));
    await listen(b.createServer(connect([fails])));
    expect(await call('/')).to.deep.equal({ status: 500, body: 'express says 500' });
  });

  it('may be a listener that throws or rejects', async () => {
    await listen(
      b.createServer(async ({ delegation }, response) => {
        expect(delegation?.allows('kubectl_apply')).to.equal(false);
        delegation?.require('kubectl_get', 'namespaces/staging/x');
        response.setHeader('x-secret', 'kept');
        delegation?.require('kubectl_apply');
      }),
    );
    expect(await call('/')).to.deep.equal(refused('capability_not_granted'));
    await listen(
      b.createServer(() => {
        throw new Error('no');
      }),
    );
    expect(await call('/')).to.deep.include({ status: 500 });
  });

  it('may leave a refusal to a framework, which finds in it how to answer', () => {
    const { message, status, statusCode, headers, expose } = new Refused(
      refuse('capability_not_granted', 'Not this.'),
    );
    expect({ message, status, statusCode, headers, expose }).to.deep.equal({
      message: 'capability_not_granted: Not this.',
      status: 403,
      statusCode: 403,
      headers: {
        'agent-trust-refusal': 'capability_not_granted',
        'cache-control': 'no-store',
        'www-authenticate': 'Bearer error="insufficient_scope", error_description="capability_not_granted"',
      },
      expose: true,
    });
  });

  it('has public paths, where nobody is known and nothing is granted', async () => {
    const steps = [b.middleware({ publicPaths: ['/healthz'] }), requireCapability('kubectl_get'), say];
    const { cert, key, ca } = agents.swarm.certificate(B);
    await listen(createServer({ cert, key, ca, requestCert: true }, connect(steps)) as unknown as Server);
    expect(await call('/healthz?x')).to.deep.equal(refused('malformed'));
    await listen(b.createServer(say, { publicPaths: ['/healthz'] }));
    expect(await call('/healthz?x')).to.deep.equal({ status: 200, body: 'undefined false' });
    expect(await call('/healthz/')).to.deep.equal(granted());
  });
});
