import { expect } from 'chai';
import { judgeMeshConfig, readMeshConfig } from '../../../../src/domain/mesh/ready-mesh-config.ts';

const CONFIG = `
accessLogFile: /dev/stdout
defaultConfig:
  discoveryAddress: istiod.istio-system.svc:15012
  tracing: {}
extensionProviders:
- envoyExtAuthzGrpc:
    port: 9000
    service: authorizer.agent-trust-system.svc.cluster.local
    timeout: 1s
  name: good
- name: "slow"
  envoyExtAuthzHttp:
    service: a.b.svc
    port: 80
- name: open # for now
  envoyExtAuthzHttp:
    timeout: 1s
    failOpen: true
rootNamespace: istio-system
trustDomain: "mesh.example.org"
trustDomainAliases:
- old.example.org
- 'older.example.org'
`;

describe('readMeshConfig', () => {
  it('reads trust domain, aliases and providers of what the charts of Istio write', () => {
    expect(readMeshConfig(CONFIG)).to.deep.equal({
      trustDomain: 'mesh.example.org',
      trustDomainAliases: ['old.example.org', 'older.example.org'],
      providers: [
        { name: 'good', hasTimeout: true, failsOpen: false },
        { name: 'slow', hasTimeout: false, failsOpen: false },
        { name: 'open', hasTimeout: true, failsOpen: true },
      ],
    });
  });

  for (const text of ['', '{}', 'trustDomain', '- a\n- b', 'extensionProviders:', 'a: [b, {c: d}]\n\tx']) {
    it(`finds nothing in ${JSON.stringify(text)}`, () => {
      expect(readMeshConfig(text)).to.deep.equal({
        trustDomain: undefined,
        trustDomainAliases: [],
        providers: [],
      });
    });
  }
});

describe('judgeMeshConfig', () => {
  const config = readMeshConfig(CONFIG);

  function reasons(trustDomain: string, authorizerProvider?: string): readonly string[] {
    const settings = { trustDomain, ...(authorizerProvider === undefined ? {} : { authorizerProvider }) };
    return judgeMeshConfig(config, settings).map(({ reason }) => reason);
  }

  it('accepts the trust domain of the mesh and its aliases, and a provider that is as it should be', () => {
    expect(reasons('mesh.example.org', 'good')).to.deep.equal([]);
    expect(reasons('older.example.org')).to.deep.equal([]);
    expect(judgeMeshConfig(undefined, { trustDomain: 'x', authorizerProvider: 'y' })).to.deep.equal([]);
  });

  it('names what does not fit', () => {
    expect(reasons('cluster.local')).to.deep.equal(['TrustDomainMismatch']);
    expect(reasons('mesh.example.org', 'slow')).to.deep.equal(['ProviderWithoutTimeout']);
    expect(reasons('mesh.example.org', 'open')).to.deep.equal(['ProviderFailsOpen']);
    expect(reasons('mesh.example.org', 'missing')).to.deep.equal(['ProviderMissing']);
  });

  it('takes a mesh that says nothing as cluster.local, as Istio does', () => {
    const silent = readMeshConfig('{}');
    expect(judgeMeshConfig(silent, { trustDomain: 'cluster.local' })).to.deep.equal([]);
    expect(judgeMeshConfig(silent, { trustDomain: 'x' })).to.have.length(1);
  });
});
