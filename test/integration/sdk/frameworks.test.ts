/** docs/sdk-http.md, "Frameworks": each block as it stands there, in a server of that framework that agents call. */

import { once } from 'node:events';
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ROOT } from '../../../hack/checks.ts';
import type { ServerRoute } from '../../../src/domain/token/state/server-policy.ts';
import type { Agent } from '../../../src/sdk/agent.ts';
import { codeBlocks } from '../../support/markdown.ts';
import { NpmFolder } from '../../support/npm-folder.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';

const PACKAGES = [
  'express@5.3.0',
  'fastify@5.12.8',
  'koa@3.3.0',
  'hono@4.13.19',
  '@types/express@5.0.6',
  '@types/koa@3.0.3',
];
const PAGE = readFileSync(join(ROOT, 'docs/sdk-http.md'), 'utf8');
const BLOCKS = codeBlocks(PAGE.slice(PAGE.indexOf('### Frameworks'), PAGE.indexOf('### Behind a proxy')));
/** What a block leaves to its reader. */
const IMPORTS = `
import { type Agent, answerRefused, type Delegation, requireCapability } from 'agent-trust/sdk';
import express, { type RequestHandler } from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
`;
const TSCONFIG = {
  extends: join(ROOT, 'tsconfig.json'),
  compilerOptions: {
    rootDir: '/',
    types: ['node'],
    noUnusedLocals: false,
    noUnusedParameters: false,
    // the style of this repository, not that of an author
    noPropertyAccessFromIndexSignature: false,
    declaration: false,
    isolatedDeclarations: false,
  },
  include: ['*.ts', join(ROOT, 'src/crypto/node-forge-asn1.d.ts')],
};

const CALLER = 'agent-coordinator';
/** Below `/v1` everything is a route for the agent, whatever the framework has mounted; nothing else is. */
const ROUTES: readonly ServerRoute[] = [
  { method: 'POST', path: '/v1/delegate', capability: 'query_database', accepts: 'Capability' },
  { method: 'POST', path: '/v1/reports/{name}', accepts: 'Capability' },
  { method: 'POST', path: '/v1/unmounted', accepts: 'Capability' },
];
const QUERY = (report: string) => ({ name: 'query_database', resources: [`/data/reports/${report}`] });
const READ = { name: 'read_file' };

/** A framework, and what its block does with calls. */
interface Framework {
  readonly name: string;
  readonly path: string;
  readonly refused: { readonly having: { readonly name: string }; readonly refusal: string };
  readonly unmountedStatus: number;
}

const ROUTE_REFUSES = {
  path: '/v1/delegate',
  refused: { having: READ, refusal: 'capability_not_granted' },
};
const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'Express',
    path: '/v1/reports/spring',
    refused: { having: QUERY('autumn'), refusal: 'resource_not_granted' },
    unmountedStatus: 404,
  },
  { name: 'Fastify', ...ROUTE_REFUSES, unmountedStatus: 404 },
  // its block mounts one function for everything
  { name: 'Koa', ...ROUTE_REFUSES, unmountedStatus: 200 },
  { name: 'Hono', ...ROUTE_REFUSES, unmountedStatus: 404 },
];
const agentOf = ({ name }: Framework): string => `agent-${name.toLowerCase()}`;

/** What a block makes of an agent; `reports` is the application's own. */
type Start = (agent: Pick<Agent, 'createServer' | 'serve'>, reports: unknown) => Promise<void>;

describe('docs/sdk-http.md, with frameworks', () => {
  let folder: NpmFolder;
  let agents: HttpSwarm;
  const servers = new Set<Server>();

  before(async () => {
    folder = new NpmFolder();
    await folder.install(...PACKAGES);
    // the sources, not a copy: this process calls what it serves
    symlinkSync(ROOT, folder.file('node_modules/agent-trust'));
    rmSync(folder.file('node_modules/@types/node'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules/@types/node'), folder.file('node_modules/@types/node'));
    folder.write('tsconfig.json', JSON.stringify(TSCONFIG));
    for (const framework of FRAMEWORKS) folder.write(fileOf(framework), moduleOf(framework));
    agents = new HttpSwarm({
      agents: [
        { name: CALLER },
        ...FRAMEWORKS.map((each) => ({ name: agentOf(each), server: { routes: ROUTES } })),
      ],
      edges: FRAMEWORKS.map((each) => ({
        from: CALLER,
        to: agentOf(each),
        capabilities: [QUERY('*'), READ],
      })),
    });
  });

  after(async () => {
    for (const server of servers) server.close().closeAllConnections();
    await agents?.close();
    folder?.remove();
  });

  it('shows a block for each, and no other', () => {
    expect(BLOCKS.map(({ text }) => FRAMEWORKS.find(({ name }) => text.includes(name))?.name)).to.deep.equal(
      FRAMEWORKS.map(({ name }) => name),
    );
  });

  it('shows what a strict compiler takes', async () => {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { exitStatus, stdout } = await folder.run(process.execPath, [tsc, '--pretty', 'false']);
    expect({ exitStatus, stdout }).to.deep.equal({ exitStatus: 0, stdout: '' });
  });

  for (const framework of FRAMEWORKS)
    describe(framework.name, () => {
      before(() => serve(framework));

      /** Status, and the whole body or what the SDK has refused. */
      async function call(path: string, capability: { readonly name: string }): Promise<object> {
        const caller = await agents.open(CALLER);
        return caller
          .fetch(`https://${agentOf(framework)}:8443${path}`, {
            method: 'POST',
            delegate: { capabilities: [capability] },
          })
          .then(
            async (answer) => ({ status: answer.status, body: await answer.text() }),
            ({ code, status, refusal, refusedBy }) => ({ code, status, refusal, refusedBy }),
          );
      }

      it('answers what is allowed', async () => {
        expect(await call(framework.path, QUERY('spring'))).to.deep.equal({
          status: 200,
          body: JSON.stringify({ by: agents.swarm.id(CALLER) }),
        });
      });

      it('refuses what is not', async () => {
        const { having, refusal } = framework.refused;
        expect(await call(framework.path, having)).to.deep.equal({
          code: 'refused',
          status: 403,
          refusal,
          refusedBy: 'audience',
        });
      });

      it('has the last word on routes of the agent that it has not mounted', async () => {
        expect(await call('/v1/unmounted', READ)).to.include({ status: framework.unmountedStatus });
      });

      it('is not asked about what is no route of the agent', async () => {
        expect(await call('/v1/other', READ)).to.deep.equal({
          status: 404,
          body: '{"type":"about:blank","title":"Not Found","status":404}',
        });
      });
    });

  async function serve(framework: Framework): Promise<void> {
    const name = agentOf(framework);
    const agent = await agents.open(name);
    const { start } = (await import(pathToFileURL(folder.file(fileOf(framework))).href)) as { start: Start };
    let listening: Promise<unknown> | undefined;
    await start(
      {
        createServer: (listener) => {
          const server = agent.createServer(listener);
          servers.add(server);
          listening = once(server, 'listening').then(() =>
            agents.ports.set(name, (server.address() as AddressInfo).port),
          );
          return server;
        },
        serve: async (handler) => {
          const serving = await agent.serve(handler, { port: 0, host: '127.0.0.1' });
          agents.ports.set(name, serving.port);
          return serving;
        },
      },
      (request: IncomingMessage, response: { json(body: object): void }) =>
        response.json({ by: request.delegation?.principal }),
    );
    await listening;
  }
});

function fileOf({ name }: Framework): string {
  return `${name.toLowerCase()}.ts`;
}

/** The block as it is, on a port that is free. */
function moduleOf({ name }: Framework): string {
  const { text = '' } = BLOCKS.find((block) => block.text.includes(name)) ?? {};
  const body = text.replaceAll('8443', '0');
  return `${IMPORTS}\nexport async function start(agent: Agent, reports: RequestHandler) {\n${body}}\n`;
}
