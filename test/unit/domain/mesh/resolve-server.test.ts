import { expect } from 'chai';
import { resolveServer, type ServerInput } from '../../../../src/domain/mesh/resolve-server.ts';

const GATEWAY = { serviceAccounts: ['istio-ingress/gateway'], ports: [8443], paths: ['/healthz'] };

/** What cannot be served; `ai-agents/planner` is the only ServiceAccount of an agent. */
function problemsOf(spec: ServerInput): readonly string[] {
  return resolveServer(
    spec,
    ({ namespace, serviceAccountName }) => namespace === 'ai-agents' && serviceAccountName === 'planner',
  ).invalidFields;
}

describe('resolveServer', () => {
  it('fills in what a spec leaves out', () => {
    expect(resolveServer({}, () => false)).to.deep.equal({
      port: 8443,
      routes: [{ method: 'POST', path: '/v1/delegate' }],
      callers: [],
      isDryRun: false,
      invalidFields: [],
    });
  });

  it('takes what a spec says, the MCP endpoint as a route of its own', () => {
    const routes = [{ method: 'GET', path: '/v1/reports/{name}', capability: 'read' }];
    const spec = {
      capabilities: [{ name: 'read' }],
      enforcement: 'DryRun',
      server: { port: 9443, routes, mcp: {} },
      callers: [GATEWAY],
    };
    expect(resolveServer(spec, () => false)).to.deep.equal({
      port: 9443,
      routes: [...routes, { method: 'POST', path: '/mcp' }],
      callers: [
        {
          accounts: [{ namespace: 'istio-ingress', serviceAccountName: 'gateway' }],
          ports: [8443],
          methods: [],
          paths: ['/healthz'],
        },
      ],
      isDryRun: true,
      invalidFields: [],
    });
  });

  for (const path of ['/', '/v1/message:send', '/a/{b}/c', '/a/{*}', '/a/{**}', '/a/', '/a.b/...']) {
    it(`accepts the path ${path} of a route`, () => {
      expect(problemsOf({ server: { routes: [{ method: 'GET', path }] } })).to.deep.equal([]);
    });
  }

  for (const [path, rule] of [
    ['a', 'begin with / and have at most 256 characters of a path'],
    ['/a b', 'begin with / and have at most 256 characters of a path'],
    ['/a%2fb', 'begin with / and have at most 256 characters of a path'],
    [`/${'a'.repeat(256)}`, 'begin with / and have at most 256 characters of a path'],
    ['/a//b', 'have no empty, . or .. segment'],
    ['/a/../b', 'have no empty, . or .. segment'],
    ['/./b', 'have no empty, . or .. segment'],
    ['/a/x{b}', 'have templates only as whole segments: {name} or {*} for one, {**} at the end for the rest'],
    ['/{**}/a', 'have templates only as whole segments: {name} or {*} for one, {**} at the end for the rest'],
  ] as const) {
    it(`rejects the path ${path.slice(0, 20)} of a route`, () => {
      expect(problemsOf({ server: { routes: [{ method: 'GET', path }] } })).to.deep.equal([
        `spec.server.routes[0].path must ${rule}`,
      ]);
    });
  }

  it('rejects everything about routes that cannot be served, all at once', () => {
    const routes = [
      { method: 'get', path: '/a', capability: 'fly' },
      { method: 'GET', path: '/b' },
      { method: 'GET', path: '/b' },
    ];
    expect(problemsOf({ enforcement: 'Maybe', server: { port: 0, routes } })).to.deep.equal([
      'spec.server.port must be 1 to 65535',
      'spec.enforcement must be Enforce or DryRun',
      'spec.server.routes[0].method must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'spec.server.routes[0].capability is not in spec.capabilities: add it there or correct the route',
      'spec.server.routes[2] is there twice: merge the entries or correct one path',
    ]);
  });

  it('rejects an MCP endpoint on the path of a route', () => {
    const routes = [{ method: 'POST', path: '/{anything}' }];
    expect(problemsOf({ server: { routes, mcp: { path: '/mcp' } } })).to.deep.equal([
      'spec.server.mcp.path is the path of a route with POST: one of the two has to be another path',
    ]);
  });

  it('rejects a caller that is an agent, with the way out', () => {
    const serviceAccounts = ['istio-ingress/gateway', 'ai-agents/planner'];
    expect(problemsOf({ callers: [GATEWAY, { ...GATEWAY, serviceAccounts }] })).to.deep.equal([
      'spec.callers[1].serviceAccounts[1] ai-agents/planner is the identity of an agent: agents are let in by a DelegationPolicy, so take it out here and write a rule',
    ]);
  });

  for (const [route, path] of [
    ['/v1/delegate', '/v1/delegate'],
    ['/v1/{name}', '/v1/delegate'],
    ['/v1/{*}', '/v1/delegate'],
    ['/v1/{**}', '/v1/a/b'],
  ] as const) {
    it(`rejects a caller on ${path} beside the route ${route}`, () => {
      const server = { routes: [{ method: 'POST', path: route }] };
      expect(problemsOf({ server, callers: [{ ...GATEWAY, paths: [path] }] })).to.deep.equal([
        `spec.callers[0].paths[0] ${path} is the path of the route POST ${route}, which only agents may call: give the caller a path of its own`,
      ]);
    });
  }

  it('rejects a caller on the route that agents have when they name none', () => {
    expect(problemsOf({ callers: [{ ...GATEWAY, paths: ['/v1/delegate'] }] })).to.have.length(1);
  });

  it('rejects a caller without a path, which could reach every one, and lets none in then', () => {
    const resolved = resolveServer({ callers: [GATEWAY, { ...GATEWAY, paths: [] }] }, () => false);
    expect(resolved.invalidFields).to.deep.equal(['spec.callers[1].paths must name at least one path']);
    expect(resolved.callers).to.deep.equal([]);
  });

  it('rejects callers that the schema would refuse today', () => {
    const caller = { serviceAccounts: ['gateway'], ports: [0], methods: ['FLY'], paths: ['/a/{*}'] };
    expect(problemsOf({ callers: [caller, { ...GATEWAY, serviceAccounts: [], ports: [] }] })).to.deep.equal([
      'spec.callers[0].serviceAccounts[0] must be <namespace>/<name of a ServiceAccount>',
      'spec.callers[0].ports must name at least one, 1 to 65535',
      'spec.callers[0].methods must be among GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'spec.callers[0].paths[0] must have no template',
      'spec.callers[1].serviceAccounts must name at least one',
      'spec.callers[1].ports must name at least one, 1 to 65535',
    ]);
  });
});
