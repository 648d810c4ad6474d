import { expect } from 'chai';
import { lintMeshObject } from '../../../../src/domain/mesh/lint.ts';
import type { MeshObject } from '../../../../src/domain/mesh/model.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import { DEPLOYER, SIDECAR } from './fixture.ts';

type Fields = Readonly<Record<string, unknown>>;

const SELECTOR = { matchLabels: { 'agenttrust.dev/identity': 'a' } };
const SOURCE = { principals: ['example.org/ns/a/sa/b'] };
const OPERATION = { ports: ['8443'] };

function policy(spec: Fields, annotations: Readonly<Record<string, string>> = {}): MeshObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'x', namespace: 'a', labels: {}, annotations },
    spec,
  };
}

function allow(source: Fields, operation: Fields = OPERATION): MeshObject {
  return policy({
    selector: SELECTOR,
    action: 'ALLOW',
    rules: [{ from: [{ source }], to: [{ operation }] }],
  });
}

const ACCEPTED: Readonly<Record<string, MeshObject>> = {
  'an ALLOW without rules': policy({ selector: SELECTOR, action: 'ALLOW' }),
  'an ALLOW with a template': allow(SOURCE, {
    ports: ['8443'],
    methods: ['POST'],
    paths: ['/v1/{*}/x/{**}'],
  }),
  'a DENY that spares principals': policy({
    selector: SELECTOR,
    action: 'DENY',
    rules: [{ from: [{ source: { notPrincipals: SOURCE.principals } }] }],
  }),
  'a CUSTOM with a provider': policy({
    selector: SELECTOR,
    action: 'CUSTOM',
    provider: { name: 'agent-trust' },
    rules: [{ to: [{ operation: { ports: ['8443'], notPaths: ['/healthz'] } }] }],
  }),
  'a recorded ALLOW': policy({ selector: SELECTOR, action: 'ALLOW' }, { 'istio.io/dry-run': 'true' }),
};

const REJECTED: readonly (readonly [what: string, object: MeshObject, path: string])[] = [
  ['no selector', policy({ action: 'ALLOW' }), 'spec.selector'],
  [
    'a selector of everything',
    policy({ selector: { matchLabels: {} }, action: 'ALLOW' }),
    'spec.selector.matchLabels',
  ],
  [
    'a wildcard in a selector',
    policy({ selector: { matchLabels: { a: 'b*' } }, action: 'ALLOW' }),
    'spec.selector.matchLabels.a',
  ],
  ['another action', policy({ selector: SELECTOR, action: 'AUDIT', rules: [] }), 'spec.action'],
  ['a DENY without rules', policy({ selector: SELECTOR, action: 'DENY' }), 'spec.rules'],
  [
    'a CUSTOM without rules',
    policy({ selector: SELECTOR, action: 'CUSTOM', provider: { name: 'p' } }),
    'spec.rules',
  ],
  [
    'a CUSTOM without provider',
    policy({ selector: SELECTOR, action: 'CUSTOM', rules: [{ to: [{ operation: OPERATION }] }] }),
    'spec.provider.name',
  ],
  [
    'an ALLOW with a provider',
    policy({ selector: SELECTOR, action: 'ALLOW', provider: { name: 'p' } }),
    'spec.provider',
  ],
  [
    'a recorded CUSTOM',
    policy(
      {
        selector: SELECTOR,
        action: 'CUSTOM',
        provider: { name: 'p' },
        rules: [{ to: [{ operation: OPERATION }] }],
      },
      { 'istio.io/dry-run': 'true' },
    ),
    'metadata.annotations.istio.io/dry-run',
  ],
  [
    'a dry-run that is neither true nor false',
    policy({ selector: SELECTOR, action: 'ALLOW' }, { 'istio.io/dry-run': 'yes' }),
    'metadata.annotations.istio.io/dry-run',
  ],
  ['an empty list of rules', policy({ selector: SELECTOR, action: 'ALLOW', rules: [] }), 'spec.rules'],
  [
    'a rule that lets everybody in',
    policy({ selector: SELECTOR, action: 'ALLOW', rules: [{}] }),
    'spec.rules[0]',
  ],
  [
    'an empty from',
    policy({ selector: SELECTOR, action: 'ALLOW', rules: [{ from: [], to: [{ operation: OPERATION }] }] }),
    'spec.rules[0].from',
  ],
  ['an empty source', allow({}), 'spec.rules[0].from[0].source'],
  ['an empty text', allow({ principals: [''] }), 'spec.rules[0].from[0].source.principals'],
  [
    'spiffe://',
    allow({ principals: ['spiffe://example.org/ns/a/sa/b'] }),
    'spec.rules[0].from[0].source.principals[0]',
  ],
  [
    'a wildcard in a principal',
    allow({ principals: ['example.org/ns/a/sa/*'] }),
    'spec.rules[0].from[0].source.principals[0]',
  ],
  [
    'namespaces beside principals',
    allow({ ...SOURCE, namespaces: ['a'] }),
    'spec.rules[0].from[0].source.namespaces',
  ],
  ['an operation without ports', allow(SOURCE, { methods: ['GET'] }), 'spec.rules[0].to[0].operation.ports'],
  ['a port beyond 65535', allow(SOURCE, { ports: ['65536'] }), 'spec.rules[0].to[0].operation.ports[0]'],
  [
    'a method in lower case',
    allow(SOURCE, { ...OPERATION, methods: ['get'] }),
    'spec.rules[0].to[0].operation.methods[0]',
  ],
  [
    'a template inside a segment',
    allow(SOURCE, { ...OPERATION, paths: ['/v1/a{*}'] }),
    'spec.rules[0].to[0].operation.paths[0]',
  ],
  [
    'a template of the rest that is not the last',
    allow(SOURCE, { ...OPERATION, paths: ['/{**}/a'] }),
    'spec.rules[0].to[0].operation.paths[0]',
  ],
  ['hosts', allow(SOURCE, { ...OPERATION, hosts: ['a'] }), 'spec.rules[0].to[0].operation.hosts'],
  [
    'destination.labels',
    policy({
      selector: SELECTOR,
      action: 'ALLOW',
      rules: [
        {
          from: [{ source: SOURCE }],
          to: [{ operation: OPERATION }],
          when: [{ key: 'destination.labels[app]', values: ['a'] }],
        },
      ],
    }),
    'spec.rules[0].when',
  ],
  [
    'a CUSTOM that looks at who calls',
    policy({
      selector: SELECTOR,
      action: 'CUSTOM',
      provider: { name: 'p' },
      rules: [{ from: [{ source: SOURCE }] }],
    }),
    'spec.rules[0].from',
  ],
  [
    'a selector of expressions',
    policy({ selector: { matchExpressions: [] } }),
    'spec.selector.matchExpressions',
  ],
  ['a selector that is a text', policy({ selector: 'x', action: 'ALLOW' }), 'spec.selector'],
  [
    'a label that is a number',
    policy({ selector: { matchLabels: { a: 1 } }, action: 'ALLOW' }),
    'spec.selector.matchLabels.a',
  ],
  [
    'targetRefs',
    policy({ selector: SELECTOR, action: 'ALLOW', targetRefs: [{ kind: 'Service', name: 'x' }] }),
    'spec.targetRefs',
  ],
  [
    'a provider with more than a name',
    policy({
      selector: SELECTOR,
      action: 'CUSTOM',
      provider: { name: 'p', url: 'x' },
      rules: [{ to: [{ operation: OPERATION }] }],
    }),
    'spec.provider.url',
  ],
  ['rules that are no list', policy({ selector: SELECTOR, action: 'ALLOW', rules: 'x' }), 'spec.rules'],
  ['principals that are a text', allow({ principals: 'x' }), 'spec.rules[0].from[0].source.principals'],
  [
    'a principal without namespace',
    allow({ principals: ['example.org/sa/b'] }),
    'spec.rules[0].from[0].source.principals[0]',
  ],
  [
    'an empty to',
    policy({ selector: SELECTOR, action: 'ALLOW', rules: [{ from: [{ source: SOURCE }], to: [] }] }),
    'spec.rules[0].to',
  ],
  [
    'an ALLOW of everybody',
    policy({ selector: SELECTOR, action: 'ALLOW', rules: [{ to: [{ operation: OPERATION }] }] }),
    'spec.rules[0]',
  ],
  ['a DENY of everybody', policy({ selector: SELECTOR, action: 'DENY', rules: [{}] }), 'spec.rules[0].from'],
  [
    'a DENY of some requests',
    policy({
      selector: SELECTOR,
      action: 'DENY',
      rules: [{ from: [{ source: SOURCE }], to: [{ operation: OPERATION }] }],
    }),
    'spec.rules[0].to',
  ],
  [
    'more than an operation',
    policy({
      selector: SELECTOR,
      action: 'ALLOW',
      rules: [{ from: [{ source: SOURCE }], to: [{ operation: OPERATION, x: 1 }] }],
    }),
    'spec.rules[0].to[0].x',
  ],
  [
    'a template in notPaths that is a part of a segment',
    policy({
      selector: SELECTOR,
      action: 'CUSTOM',
      provider: { name: 'p' },
      rules: [{ to: [{ operation: { ...OPERATION, notPaths: ['/a{*}'] } }] }],
    }),
    'spec.rules[0].to[0].operation.notPaths[0]',
  ],
  ['a null rule', policy({ selector: SELECTOR, action: 'ALLOW', rules: [null] }), 'spec.rules[0]'],
];

describe('lintMeshObject', () => {
  for (const [what, object] of Object.entries(ACCEPTED)) {
    it(`accepts ${what}`, () => expect(lintMeshObject(object)).to.deep.equal([]));
  }

  for (const [what, object, path] of REJECTED) {
    it(`rejects ${what}`, () => expect(lintMeshObject(object).map((each) => each.path)).to.include(path));
  }

  it('rejects more rules than Istio takes', () => {
    const rule = { from: [{ source: SOURCE }], to: [{ operation: OPERATION }] };
    const many = policy({
      selector: SELECTOR,
      action: 'ALLOW',
      rules: Array.from({ length: 513 }, () => rule),
    });
    expect(lintMeshObject(many)).to.deep.equal([
      { path: 'spec.rules', rule: 'must have at most 512 entries' },
    ]);
  });

  const peers: readonly (readonly [what: string, spec: Fields, path: string])[] = [
    ['no selector', { mtls: { mode: 'STRICT' } }, 'spec.selector'],
    ['DISABLE', { selector: SELECTOR, mtls: { mode: 'DISABLE' } }, 'spec.mtls.mode'],
    ['no mode', { selector: SELECTOR }, 'spec.mtls.mode'],
    ['more than a mode', { selector: SELECTOR, mtls: { mode: 'STRICT', x: 1 } }, 'spec.mtls.x'],
    [
      'modes of ports',
      { selector: SELECTOR, mtls: { mode: 'STRICT' }, portLevelMtls: {} },
      'spec.portLevelMtls',
    ],
  ];
  for (const [what, spec, path] of peers) {
    it(`rejects a PeerAuthentication with ${what}`, () => {
      const { mtls } = planMesh(DEPLOYER, SIDECAR).objects;
      expect(mtls && lintMeshObject({ ...mtls, spec }).map((each) => each.path)).to.deep.equal([path]);
    });
  }

  it('leaves NetworkPolicies to the API server', () => {
    const { net } = planMesh(DEPLOYER, SIDECAR).objects;
    expect(net && lintMeshObject(net)).to.deep.equal([]);
  });
});
