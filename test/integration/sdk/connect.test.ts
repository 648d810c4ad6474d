import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { expect } from 'chai';
import type { CapabilityClaims } from '../../../src/domain/token/claims.ts';
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

/** What they do with a step that stands under a prefix: it sees the rest of the URL. */
function mount(prefix: string, step: Middleware): Middleware {
  return (request: IncomingMessage & { originalUrl?: string }, response, next) => {
    const { url = '' } = request;
    request.originalUrl ??= url;
    if (!url.startsWith(prefix)) return next();
    request.url = url.slice(prefix.length).replace(/^(?!\/)/, '/');
    step(request, response, (error) => {
      request.url = url;
      next(error);
    });
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

  describe('mounted under a prefix', () => {
    const ROUTES = [
      { method: 'GET', path: '/admin/reset', accepts: 'Capability', capability: 'kubectl_apply' },
      { method: 'GET', path: '/admin/{**}', accepts: 'Capability' },
      { method: 'GET', path: '/reset', accepts: 'Capability' },
    ] as const;
    let mounted: HttpSwarm;

    async function ask(path: string, edge: { readonly binding: 'Certificate' | 'Key' }): Promise<unknown> {
      const edges = [{ from: A, to: B, capabilities: [{ name: 'kubectl_get' }], ...edge }];
      mounted = new HttpSwarm({ agents: [{ name: A }, { name: B, server: { routes: ROUTES } }], edges });
      const caller = await mounted.open(A);
      const { cert, key, ca } = mounted.swarm.certificate(B);
      const steps = [mount('/admin', (await mounted.open(B)).middleware({ publicPaths: ['/healthz'] })), say];
      const server = createServer({ cert, key, ca, requestCert: true }, connect(steps));
      await listen(server as unknown as Server);
      mounted.ports.set(B, port);
      const delegate = { capabilities: [GET] };
      return caller.fetch(`https://${B}:8443${path}`, { delegate }).then(
        async (answer) => ({ status: answer.status, body: await answer.text() }),
        ({ code, refusal }) => ({ code, refusal }),
      );
    }
    afterEach(() => mounted.close());

    for (const binding of ['Certificate', 'Key'] as const) {
      it(`is judged by the whole path, with a token bound by ${binding}`, async () => {
        expect(await ask('/admin/reset', { binding })).to.deep.equal(refused('capability_not_granted'));
      });

      it(`takes a token bound by ${binding} for the whole path`, async () => {
        const answer = await ask('/admin/other', { binding });
        expect(answer).to.deep.equal({ status: 200, body: `${mounted.swarm.id(A)} true` });
      });
    }

    it('has public paths that are whole too', async () => {
      const answer = await ask('/admin/healthz', { binding: 'Key' });
      expect(answer).to.deep.equal({ status: 200, body: `${mounted.swarm.id(A)} true` });
    });
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
    const told: unknown[] = [];
    const error = new Error('no');
    await listen(
      b.createServer(
        () => {
          throw error;
        },
        { onError: (...each) => told.push(...each) },
      ),
    );
    expect(await call('/')).to.deep.include({ status: 500 });
    expect([told.length, told[0], (told[1] as IncomingMessage).url]).to.deep.equal([2, error, '/']);
  });

  it('is told of what the middleware fails with', async () => {
    const told: unknown[] = [];
    const error = new Error('no');
    const onRefusal = (): void => {
      throw error;
    };
    const guard = b.middleware({ onRefusal, onError: (each) => told.push(each) });
    const { cert, key, ca } = agents.swarm.certificate(B);
    const server = createServer({ cert, key, ca, requestCert: true }, connect([guard, say]));
    await listen(server as unknown as Server);
    expect(await call('//')).to.deep.include({ status: 500 });
    expect(told).to.deep.equal([error]);
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

  it('may print a refusal, which then says no more than its name', () => {
    const claims = {
      sub: 'user-4711',
      sub_id: { format: 'iss_sub', iss: 'https://idp.test', sub: 'user-4711' },
      tctx: { org_id: 'org-42' },
    } as unknown as CapabilityClaims;
    const refusal = { ...refuse('expired', 'Too late.'), claimed: { isAuthentic: true, claims } };
    const error = new Refused(refusal);
    const printed = [inspect(error, { depth: null }), JSON.stringify(error), String(error)].join('\n');
    expect(printed).to.include('expired: Too late.').and.to.include('"status":401');
    for (const secret of ['user-4711', 'idp.test', 'org-42', 'claims'])
      expect(printed).to.not.include(secret);
    expect(error.refusal).to.equal(refusal);
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
