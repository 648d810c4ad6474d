/** The AgentIdentity schema in a real API server: every rule has what it accepts and what it rejects. */

import { expect } from 'chai';
import { AGENT_IDENTITY } from '../../../src/api/group.ts';
import { type Examples, itBeginsPending, itJudges, useServedKind } from './served-kind.ts';

const ROUTE = { method: 'POST', path: '/v1/delegate' };

const ACCEPTED: Examples['accepted'] = {
  'an empty spec': {},
  'every field of certificate': {
    certificate: {
      secretName: 'a.b-tls',
      duration: '1h30m',
      renewBefore: '20m',
      privateKey: { algorithm: 'RSA', size: 4096 },
      dnsNames: ['a.default.svc'],
      issuerRef: { name: 'x' },
      secretTemplate: { labels: { 'example.com/team': 'a' }, annotations: { note: 'b' } },
    },
  },
  'the shortest and the longest duration': { certificate: { duration: '10m', renewBefore: '2m' } },
  'a week': { certificate: { duration: '168h' } },
  'ECDSA 384': { certificate: { privateKey: { size: 384 } } },
  'capabilities with every form of resource': {
    capabilities: [
      {
        name: 'read_file',
        resources: ['*', '/*', '/data/reports/*', 'namespaces/staging/*', 's3://bucket/a'],
        use: 'Invoke',
      },
      { name: 'a' },
    ],
  },
  'a route with a capability that the agent holds': {
    capabilities: [{ name: 'query_database' }],
    server: {
      routes: [
        { ...ROUTE, capability: 'query_database', resource: '/data/{name}' },
        { method: 'GET', path: '/v1/{**}' },
      ],
    },
  },
  'an MCP server': { server: { mcp: { tools: [{ name: 'queryDatabase', capability: 'query_database' }] } } },
  'a signing key of a month': { signingKey: { algorithm: 'Ed25519', rotationInterval: '720h' } },
  'token ceilings at their bounds': { tokens: { maxTTL: '10s', maxUses: 1, maxChildren: 256 } },
  'consent, callers, users, quarantine': {
    acceptFrom: [{ namespace: 'ai-planning', agents: ['planner'] }],
    callers: [
      { serviceAccounts: ['istio-ingress/gateway'], ports: [8443], methods: ['GET'], paths: ['/healthz'] },
    ],
    onBehalfOf: [{ issuer: 'https://login.example.org', groups: ['sre'] }],
    quarantine: { afterRefusals: 3, within: '5m' },
    suspended: false,
    enforcement: 'DryRun',
  },
};

const REJECTED: Examples['rejected'] = {
  'the ServiceAccount default': [
    { serviceAccountName: 'default' },
    'spec.serviceAccountName',
    'create one for this agent',
  ],
  'a ServiceAccount with capitals': [{ serviceAccountName: 'A' }, 'spec.serviceAccountName', 'should match'],
  'one Secret for two purposes': [
    { certificate: { secretName: 'x' }, signingKey: { secretName: 'x' } },
    'spec.signingKey.secretName',
    'change one of the two secretName fields',
  ],
  'a duration of nine minutes': [
    { certificate: { duration: '9m' } },
    'spec.certificate.duration',
    '10m to 168h, for example 24h',
  ],
  'a duration of eight days': [
    { certificate: { duration: '192h' } },
    'spec.certificate.duration',
    '10m to 168h',
  ],
  'a duration that is none': [
    { certificate: { duration: '1d' } },
    'spec.certificate.duration',
    'should match',
  ],
  'a renewBefore of one minute': [
    { certificate: { renewBefore: '1m' } },
    'spec.certificate.renewBefore',
    'at least 2m',
  ],
  'a renewBefore as long as the duration': [
    { certificate: { duration: '1h', renewBefore: '1h' } },
    'spec.certificate.renewBefore',
    'leave it out for a third of duration',
  ],
  'an RSA size for ECDSA': [
    { certificate: { privateKey: { algorithm: 'ECDSA', size: 2048 } } },
    'spec.certificate.privateKey.size',
    '256 or 384 for ECDSA',
  ],
  'an unknown algorithm': [
    { certificate: { privateKey: { algorithm: 'DSA' } } },
    'spec.certificate.privateKey.algorithm',
    'supported values',
  ],
  'a reserved label in the template': [
    { certificate: { secretTemplate: { labels: { 'app.kubernetes.io/name': 'a' } } } },
    'spec.certificate.secretTemplate',
    'use a prefix of your own',
  ],
  'a reserved annotation in the template': [
    { certificate: { secretTemplate: { annotations: { 'agenttrust.dev/owner-uid': 'a' } } } },
    'spec.certificate.secretTemplate',
    'use a prefix of your own',
  ],
  'a label value with a space': [
    { certificate: { secretTemplate: { labels: { team: 'data science' } } } },
    'spec.certificate.secretTemplate.labels',
    'should match',
  ],
  'a Secret name with two dots': [
    { certificate: { secretName: 'a..b' } },
    'spec.certificate.secretName',
    'should match',
  ],
  'a DNS name with a wildcard': [
    { certificate: { dnsNames: ['*.a.svc'] } },
    'spec.certificate.dnsNames',
    'should match',
  ],
  'a capability twice': [
    { capabilities: [{ name: 'a' }, { name: 'a' }] },
    'spec.capabilities',
    'put all resources of one capability',
  ],
  'a capability with a wildcard': [
    { capabilities: [{ name: 'kubectl_*' }] },
    'spec.capabilities[0].name',
    'should match',
  ],
  'a resource that climbs': [
    { capabilities: [{ name: 'a', resources: ['/data/../etc'] }] },
    'spec.capabilities[0].resources[0]',
    'should match',
  ],
  'a resource with an empty segment': [
    { capabilities: [{ name: 'a', resources: ['/data//x'] }] },
    'resources[0]',
    'should match',
  ],
  'no capability at all in a list': [{ capabilities: [] }, 'spec.capabilities', 'at least 1 items'],
  'a route with a capability that is not held': [
    { server: { routes: [{ ...ROUTE, capability: 'kubectl_apply' }] } },
    'spec.server.routes',
    'add it there or correct the route',
  ],
  'a route twice': [{ server: { routes: [ROUTE, ROUTE] } }, 'spec.server.routes', 'merge the entries'],
  'a tool twice': [
    { server: { mcp: { tools: [{ name: 'a' }, { name: 'a' }] } } },
    'spec.server.mcp.tools',
    'keep one entry',
  ],
  'a signing key of half an hour': [
    { signingKey: { rotationInterval: '30m' } },
    'spec.signingKey.rotationInterval',
    '1h to 720h',
  ],
  'a token life of six minutes': [
    { tokens: { maxTTL: '6m' } },
    'spec.tokens.maxTTL',
    '10s to 5m, for example 2m',
  ],
  'six uses': [{ tokens: { maxUses: 6 } }, 'spec.tokens.maxUses', 'less than or equal to 5'],
  'port 0': [{ server: { port: 0 } }, 'spec.server.port', 'greater than or equal to 1'],
  'a caller without a path': [
    { callers: [{ serviceAccounts: ['a/b'], ports: [1] }] },
    'spec.callers[0].paths',
    'Required value',
  ],
  'a caller with a template for a path': [
    { callers: [{ serviceAccounts: ['a/b'], ports: [1], paths: ['/v1/{*}'] }] },
    'spec.callers[0].paths[0]',
    'should match',
  ],
  'a user issuer without TLS': [
    { onBehalfOf: [{ issuer: 'http://x' }] },
    'spec.onBehalfOf[0].issuer',
    'should match',
  ],
  'a user capability twice': [
    { onBehalfOf: [{ issuer: 'https://x', capabilities: [{ name: 'a' }, { name: 'a' }] }] },
    'spec.onBehalfOf[0].capabilities',
    'put all resources of one capability',
  ],
  'a window of two hours': [
    { quarantine: { afterRefusals: 1, within: '2h' } },
    'spec.quarantine.within',
    '10s to 1h, for example 5m',
  ],
  'an unknown enforcement': [{ enforcement: 'Off' }, 'spec.enforcement', 'supported values'],
  'a field that does not exist': [{ sercet: 'x' }, 'unknown field "spec.sercet"'],
};

describe('AgentIdentity in the API server', () => {
  const kind = useServedKind(AGENT_IDENTITY);

  itJudges(kind, { accepted: ACCEPTED, rejected: REJECTED });
  itBeginsPending(kind, {});

  it('rejects a name of 41 letters, and one that begins with a digit', async () => {
    for (const name of ['a'.repeat(41), '1a']) {
      expect(await kind().refusal(kind().create({}, name))).to.include('metadata.name');
    }
  });

  it('accepts the default ServiceAccount written out later, and rejects another one', async () => {
    const created = await kind().create({});
    await kind().patch(created, { spec: { serviceAccountName: created.metadata.name } });
    const message = await kind().refusal(kind().patch(created, { spec: { serviceAccountName: 'other' } }));
    expect(message).to.include('spec.serviceAccountName').and.to.include('create another AgentIdentity');
  });

  it('removes a capability that the author took out, whoever else applied it', async () => {
    const written = kind().written({ capabilities: [{ name: 'a' }, { name: 'b' }] });
    await kind().admin.client.apply(AGENT_IDENTITY, written);
    const applied = await kind().admin.client.apply(AGENT_IDENTITY, {
      ...written,
      spec: { capabilities: [{ name: 'a' }] },
    });
    expect(applied.spec['capabilities']).to.deep.equal([{ name: 'a' }]);
  });

  it('is listed under its short name and category, in columns', async () => {
    await kind().create({}, 'columns');
    const headings = ['NAME', 'READY', 'REASON', 'QUARANTINED', 'EXPIRES', 'AGE'];
    expect(await kind().columns('aid', 'columns', '-n', 'default')).to.deep.equal(headings);
    const wide = await kind().columns('agenttrust', '-n', 'default', '-o', 'wide');
    expect(wide).to.include.members(['RENEWS', 'SPIFFE ID', 'SERIAL', 'AUTHORITY']);
  });
});
