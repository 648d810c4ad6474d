/** Our lint against Istio's webhook: whatever Istio refuses we refuse before, and what we render Istio admits. */

import { expect } from 'chai';
import { before } from 'mocha';
import { ensureIstioFilters } from '../../../hack/istio-filters/istio-filters.ts';
import { planKill } from '../../../src/domain/mesh/kill.ts';
import { lintMeshObject } from '../../../src/domain/mesh/lint.ts';
import type { DataPlane, MeshObject, MeshTarget } from '../../../src/domain/mesh/model.ts';
import { planMesh } from '../../../src/domain/mesh/plan.ts';
import { istioVerdicts } from '../../support/mesh/istio-filters.ts';
import { randomMeshWorld, targetsOf } from '../../support/mesh/mesh-world.ts';
import { swarmWorld } from '../../support/mesh/swarm-world.ts';
import { Dice } from '../../support/random-world.ts';

const BUILD_TIMEOUT_MS = 30 * 60_000;
const STATES: readonly MeshTarget['state'][] = ['enforce', 'dry-run', 'closed', 'killed', 'tombstone'];
const PLANES: readonly DataPlane[] = ['none', 'sidecar', 'ambient', 'waypoint'];
const PRINCIPAL = 'example.org/ns/ai-agents/sa/agent-coordinator-sa';

const selector = { matchLabels: { 'agenttrust.dev/identity': 'agent-deployer-sa' } };
const from = [{ source: { principals: [PRINCIPAL] } }];
const to = [{ operation: { ports: ['8443'], methods: ['POST'], paths: ['/v1/delegate'] } }];
const DENY = { action: 'DENY', rules: [{ from: [{ source: { notPrincipals: [PRINCIPAL] } }] }] };
const CUSTOM = {
  action: 'CUSTOM',
  provider: { name: 'agent-trust' },
  rules: [{ to: [{ operation: { ports: ['8443'] } }] }],
};

function policy(spec: object, annotations: Readonly<Record<string, string>> = {}): MeshObject {
  return objectOf(
    'AuthorizationPolicy',
    { selector, action: 'ALLOW', rules: [{ from, to }], ...spec },
    annotations,
  );
}

function peers(spec: object): MeshObject {
  return objectOf('PeerAuthentication', { selector, mtls: { mode: 'STRICT' }, ...spec });
}

function objectOf(
  kind: MeshObject['kind'],
  spec: object,
  annotations: MeshObject['metadata']['annotations'] = {},
): MeshObject {
  const metadata = { name: 'p', namespace: 'ai-agents', labels: {}, annotations };
  return { apiVersion: 'security.istio.io/v1', kind, metadata, spec: { ...spec } };
}

function source(fields: object): MeshObject {
  return policy({ rules: [{ from: [{ source: fields }], to }] });
}

function operation(fields: object): MeshObject {
  return policy({ rules: [{ from, to: [{ operation: { ports: ['8443'], ...fields } }] }] });
}

function condition(...when: readonly object[]): MeshObject {
  return policy({ rules: [{ from, to, when }] });
}

const dry = (value: string): Readonly<Record<string, string>> => ({ 'istio.io/dry-run': value });

const GOOD: Readonly<Record<string, MeshObject>> = {
  allow: policy({}),
  'allow without rules': policy({ rules: undefined }),
  deny: policy(DENY),
  custom: policy(CUSTOM),
  'dry run': policy({}, dry('true')),
  templates: operation({ paths: ['/v1/reports/{*}', '/v1/{*}/x/{**}', '/v1/message:send'] }),
  peers: peers({}),
};

/** Each breaks one rule of the webhook. */
const BAD: Readonly<Record<string, MeshObject>> = {
  'selector with an empty key': policy({ selector: { matchLabels: { '': 'x' } } }),
  'selector with a wildcard': policy({ selector: { matchLabels: { app: 'x*' } } }),
  'selector with a wildcard in a key': policy({ selector: { matchLabels: { 'a*': 'x' } } }),
  'selector that is a text': policy({ selector: 'x' }),
  'selector with a number': policy({ selector: { matchLabels: { app: 1 } } }),
  'selector and targetRefs': policy({ targetRefs: [{ kind: 'Service', name: 'x' }] }),
  'selector and targetRef': policy({ targetRef: { kind: 'Service', name: 'x' } }),
  'targetRef without name': policy({ selector: undefined, targetRefs: [{ kind: 'Service' }] }),
  'targetRef of another kind': policy({ selector: undefined, targetRefs: [{ kind: 'Pod', name: 'x' }] }),
  'unknown action': policy({ action: 'PERMIT' }),
  'action in small letters': policy({ action: 'allow' }),
  'deny without rules': policy({ ...DENY, rules: undefined }),
  'deny with no rules': policy({ ...DENY, rules: [] }),
  'custom without rules': policy({ ...CUSTOM, rules: undefined }),
  'custom without provider': policy({ ...CUSTOM, provider: undefined }),
  'custom with an unnamed provider': policy({ ...CUSTOM, provider: { name: '' } }),
  'allow with a provider': policy({ provider: { name: 'agent-trust' } }),
  'deny with a provider': policy({ ...DENY, provider: { name: 'agent-trust' } }),
  'dry run of custom': policy(CUSTOM, dry('true')),
  'dry run that is no truth': policy({}, dry('maybe')),
  'rules that are no list': policy({ rules: { from, to } }),
  'rule that is a text': policy({ rules: ['x'] }),
  'from without source': policy({ rules: [{ from: [{}], to }] }),
  'from that is null': policy({ rules: [{ from: [null], to }] }),
  'to without operation': policy({ rules: [{ from, to: [{}] }] }),
  'empty source': source({}),
  'empty operation': policy({ rules: [{ from, to: [{ operation: {} }] }] }),
  'no principals': source({ principals: [] }),
  'empty principal': source({ principals: [''] }),
  'principal that is a number': source({ principals: [1] }),
  'principals that are a text': source({ principals: PRINCIPAL }),
  'empty namespace': source({ namespaces: [''] }),
  'service accounts beside principals': source({ principals: [PRINCIPAL], serviceAccounts: ['a/b'] }),
  'service account with a wildcard': source({ serviceAccounts: ['a/*'] }),
  'service account with two slashes': source({ serviceAccounts: ['a/b/c'] }),
  'address that is none': source({ ipBlocks: ['10.0.0.0/99'] }),
  'unknown field of a source': source({ users: ['x'] }),
  'no port': operation({ ports: [] }),
  'empty port': operation({ ports: [''] }),
  'port by name': operation({ ports: ['https'] }),
  'port beyond the last': operation({ ports: ['65536'] }),
  'port below the first': operation({ ports: ['-1'] }),
  'port that is a number': operation({ ports: [8443] }),
  'empty method': operation({ methods: [''] }),
  'empty path': operation({ paths: [''] }),
  'named template': operation({ paths: ['/v1/{name}'], notPaths: ['/{*}x'] }),
  'template that is a part of a segment': operation({ paths: ['/v1/a{*}'] }),
  'two rests': operation({ paths: ['/{**}/{**}'] }),
  'template and wildcard': operation({ paths: ['/v1/{*}/x*'] }),
  'template and brace': operation({ paths: ['/v1/{*}/{x}'] }),
  'condition without key': condition({ key: '', values: ['x'] }),
  'condition without values': condition({ key: 'source.namespace' }),
  'condition on the labels of the target': condition({ key: 'destination.labels[app]', values: ['x'] }),
  'condition on an unknown key': condition({ key: 'source.user', values: ['x'] }),
  'condition on no port': condition({ key: 'destination.port', values: ['https'] }),
  'custom that looks at principals': policy({ ...CUSTOM, rules: [{ from }] }),
  'custom that looks at namespaces': policy({
    ...CUSTOM,
    rules: [{ from: [{ source: { namespaces: ['x'] } }] }],
  }),
  'custom that looks at claims': policy({
    ...CUSTOM,
    rules: [{ when: [{ key: 'request.auth.claims[sub]', values: ['x'] }] }],
  }),
  'unknown mode': peers({ mtls: { mode: 'ALWAYS' } }),
  'mode that is a text': peers({ mtls: 'STRICT' }),
  'ports without any': peers({ portLevelMtls: {} }),
  'ports without selector': peers({ selector: undefined, portLevelMtls: { 8443: { mode: 'STRICT' } } }),
  'port zero': peers({ portLevelMtls: { 0: { mode: 'STRICT' } } }),
  'peers with a wildcard': peers({ selector: { matchLabels: { app: '*' } } }),
};

/** Istio admits these, and the API server or istiod then drops what stands there: the rule means something else. */
const DROPPED: Readonly<Record<string, MeshObject>> = {
  'selector with expressions': policy({ selector: { matchExpressions: [] } }),
  'unknown field': policy({ rule: [] }),
  'custom with more than a provider': policy({ ...CUSTOM, provider: { name: 'x', url: 'x' } }),
  'rule that is null': policy({ rules: [null] }),
  'rule with an unknown field': policy({ rules: [{ from, to, hosts: [] }] }),
  'empty from': policy({ rules: [{ from: [], to }] }),
  'empty to': policy({ rules: [{ from, to: [] }] }),
  'from with more than a source': policy({ rules: [{ from: [{ ...from[0], x: 1 }], to }] }),
  'to with more than an operation': policy({ rules: [{ from, to: [{ ...to[0], x: 1 }] }] }),
  'template after the rest': operation({ paths: ['/v1/{**}/x'] }),
  'unknown field of an operation': operation({ verbs: ['GET'] }),
  'more than a mode': peers({ mtls: { mode: 'STRICT', x: 1 } }),
  'peers with an unknown field': peers({ rules: [] }),
};

describe('lintMeshObject', () => {
  before(async function () {
    this.timeout(BUILD_TIMEOUT_MS);
    await ensureIstioFilters();
  });

  it('admits what Istio admits without a word', async () => {
    const verdicts = await istioVerdicts(Object.values(GOOD));
    const found = Object.keys(GOOD).map((name, at) => [
      name,
      verdicts[at],
      lintMeshObject(GOOD[name] as MeshObject),
    ]);
    expect(found).to.deep.equal(Object.keys(GOOD).map((name) => [name, {}, []]));
  });

  it('refuses each thing that Istio refuses', async () => {
    const verdicts = await istioVerdicts(Object.values(BAD));
    const names = Object.keys(BAD);
    expect(names.filter((_, at) => verdicts[at]?.error === undefined)).to.deep.equal([]);
    expect(names.filter((name) => lintMeshObject(BAD[name] as MeshObject).length === 0)).to.deep.equal([]);
  });

  it('refuses what Istio admits and does not do', async () => {
    const verdicts = await istioVerdicts(Object.values(DROPPED));
    const names = Object.keys(DROPPED);
    expect(names.filter((_, at) => verdicts[at]?.error !== undefined)).to.deep.equal([]);
    expect(names.filter((name) => lintMeshObject(DROPPED[name] as MeshObject).length === 0)).to.deep.equal(
      [],
    );
  });

  it('refuses every broken object that Istio refuses', async () => {
    const dice = new Dice(4);
    const sound = Object.values(GOOD);
    const broken = Array.from({ length: 3000 }, () => breakOne(dice, dice.one(sound)));
    const verdicts = await istioVerdicts(broken);
    const refused = broken.filter((_, at) => verdicts[at]?.error !== undefined);
    expect(refused.length).to.be.greaterThan(500);
    const missed = refused.filter((object) => lintMeshObject(object).length === 0);
    expect(missed.slice(0, 5).map((object) => JSON.stringify(object))).to.deep.equal([]);
  });

  it('admits everything that is rendered, as Istio does', async () => {
    const worlds = [
      swarmWorld(),
      ...Array.from({ length: 20 }, (_, seed) => randomMeshWorld(new Dice(seed), 8)),
    ];
    const plans = worlds.flatMap(targetsOf).flatMap((target) =>
      STATES.flatMap((state) =>
        PLANES.flatMap((dataPlane) => {
          const facts = {
            trustDomain: 'example.org',
            servesIstio: true,
            dataPlane,
            authorizerProvider: 'agent-trust',
          };
          return Object.values(planMesh({ ...target, state }, facts).objects);
        }),
      ),
    );
    const root = { rootNamespace: 'istio-system', trustDomain: 'example.org', labels: {} };
    const kills = [planKill([], root), planKill([PRINCIPAL], root)];
    const rendered = plans.filter(({ kind }) => kind !== 'NetworkPolicy');
    const verdicts = await istioVerdicts([...rendered, ...kills]);
    expect(verdicts.length).to.be.greaterThan(1000);
    expect(verdicts.filter((verdict) => Object.keys(verdict).length > 0)).to.deep.equal([]);
    expect(rendered.flatMap(lintMeshObject)).to.deep.equal([]);
  });
});

const STRANGE: readonly unknown[] = [
  null,
  '',
  '*',
  'x',
  'x*',
  0,
  70_000,
  '70000',
  true,
  [],
  {},
  [''],
  [null],
  [{}],
  { x: 'x' },
  '/v1/{*}',
  '/v1/{*}x',
  '/{**}/x',
  'ALLOW',
  'DENY',
  'CUSTOM',
  'STRICT',
];

/** Replaces, removes or adds one thing somewhere in the spec. */
function breakOne(dice: Dice, object: MeshObject): MeshObject {
  const spec = asSent(object.spec);
  let place: Record<string, unknown> = spec;
  for (;;) {
    const keys = Object.keys(place);
    const key = keys.length === 0 ? 'x' : dice.one(keys);
    const inner = place[key];
    if (typeof inner === 'object' && inner !== null && dice.chance(0.75)) {
      place = inner as Record<string, unknown>;
      continue;
    }
    const kind = dice.below(3);
    if (kind === 0) place[key] = dice.one(STRANGE);
    else if (kind === 1) delete place[key];
    else
      place[dice.one(['x', 'from', 'to', 'when', 'notPaths', 'principals', 'provider', 'rules'])] =
        dice.one(STRANGE);
    return { ...object, spec: asSent(spec) };
  }
}

/** Without what JSON has not: undefined, and holes in lists. */
function asSent(spec: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(spec)) as Record<string, unknown>;
}
