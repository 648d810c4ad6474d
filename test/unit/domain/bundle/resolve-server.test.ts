import { expect } from 'chai';
import { type ServerInput, serverPolicyOf } from '../../../../src/domain/bundle/resolve-server.ts';
import { resolveTokenSettings } from '../../../../src/domain/bundle/token-settings.ts';
import type { ServerPolicy } from '../../../../src/domain/token/state/server-policy.ts';

function policyOf(spec: ServerInput, { hasSeveralPods = false } = {}): ServerPolicy {
  const agent = { namespace: 'ai-agents', name: 'deployer', clusterDomain: 'cluster.local', hasSeveralPods };
  return serverPolicyOf(agent, spec, ({ serviceAccountName }) => serviceAccountName === 'other-agent');
}

describe('serverPolicyOf', () => {
  it('fills in what is left out', () => {
    expect(policyOf({})).to.deep.equal({
      port: 8443,
      hosts: [
        'deployer',
        'deployer.ai-agents',
        'deployer.ai-agents.svc',
        'deployer.ai-agents.svc.cluster.local',
      ],
      verifier: 'SDK',
      replay: 'Memory',
      enforcement: 'Enforce',
      routes: [{ method: 'POST', path: '/v1/delegate', accepts: 'Capability' }],
    });
  });

  it('has pods share what they remember of used tokens as soon as several are ready', () => {
    const [one, several] = [false, true].map((hasSeveralPods) => policyOf({}, { hasSeveralPods }).replay);
    expect([one, several]).to.deep.equal(['Memory', 'Shared']);
  });

  it('gives what the spec says, with the MCP endpoint as a route', () => {
    const route = { method: 'GET', path: '/v1/{name}', capability: 'read', resource: '/data/{name}' };
    const spec = {
      capabilities: [{ name: 'read' }],
      enforcement: 'DryRun',
      server: {
        port: 9000,
        verifier: 'Authorizer',
        replay: 'Shared',
        routes: [route, { method: 'GET', path: '/tasks', accepts: 'Access' }],
        mcp: {},
      },
    };
    expect(policyOf(spec)).to.deep.include({
      port: 9000,
      verifier: 'Authorizer',
      replay: 'Shared',
      enforcement: 'DryRun',
      routes: [
        { ...route, accepts: 'Capability' },
        { method: 'GET', path: '/tasks', accepts: 'Access' },
        { method: 'POST', path: '/mcp', accepts: 'Capability' },
      ],
    });
  });

  const closed: Readonly<Record<string, ServerInput>> = {
    'a port that is none': { server: { port: 0 } },
    'an unknown verifier': { server: { verifier: 'Nobody' } },
    'an unknown place for used tokens': { server: { replay: 'Disk' } },
    'an unknown token': { server: { routes: [{ method: 'GET', path: '/a', accepts: 'All' }] } },
    'a resource that is none': { server: { routes: [{ method: 'GET', path: '/a', resource: '/%41' }] } },
    'a method that is none': { server: { routes: [{ method: 'BREW', path: '/a' }] } },
    'a capability that it does not hold': {
      server: { routes: [{ method: 'GET', path: '/a', capability: 'x' }] },
    },
    'an agent as an outside caller': {
      callers: [{ serviceAccounts: ['ai-agents/other-agent'], ports: [8443], paths: ['/healthz'] }],
    },
  };
  for (const [what, spec] of Object.entries(closed))
    it(`lets nobody call over ${what}`, () => expect(policyOf(spec).routes).to.deep.equal([]));
});

describe('resolveTokenSettings', () => {
  it('fills in what is left out', () => {
    expect(resolveTokenSettings({}, [])).to.deep.equal({
      maxChildren: 16,
      binding: 'Auto',
      originate: 'Auto',
    });
  });

  it('refuses what nobody knows, and tells which field', () => {
    const invalid: string[] = [];
    resolveTokenSettings({ maxChildren: 257, binding: 'None', originate: 'Sometimes' }, invalid);
    expect(invalid.map((text) => text.split(' ')[0]).sort()).to.deep.equal([
      'spec.tokens.binding',
      'spec.tokens.maxChildren',
      'spec.tokens.originate',
    ]);
  });
});
