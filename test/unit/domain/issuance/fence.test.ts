import { expect } from 'chai';
import {
  type Fence,
  type FenceBinding,
  type FencePolicy,
  isFenced,
} from '../../../../src/domain/issuance/fence.ts';
import { withDefaults } from '../../../../src/domain/issuance/issuer.ts';
import { OWN, render } from '../../../support/chart.ts';

const OPERATOR = { user: `system:serviceaccount:${OWN}:agent-trust-controller`, operatorNamespace: OWN };
const CLUSTER = withDefaults({ name: 'agents-ca' });
const LOCAL = withDefaults({ name: 'local-ca', kind: 'Issuer' });
const FOREIGN = withDefaults({ name: 'pca', kind: 'AWSPCAClusterIssuer', group: 'awspca.cert-manager.io' });

describe('isFenced', () => {
  let policy: FencePolicy;
  let binding: FenceBinding;

  before(async () => {
    const rendered = await render(
      'certManager.issuers[0].name=agents-ca',
      'certManager.issuers[1].name=local-ca',
      'certManager.issuers[1].kind=Issuer',
      'certManager.issuers[2].name=pca',
      'certManager.issuers[2].kind=AWSPCAClusterIssuer',
      'certManager.issuers[2].group=awspca.cert-manager.io',
    );
    const specOf = (kind: string): object => {
      const found = rendered.find(
        (each) => each.kind === kind && each.metadata.name === 'agent-trust-issuers',
      );
      if (found?.spec === undefined) throw new Error(`the chart has no ${kind} agent-trust-issuers`);
      return found.spec;
    };
    const { matchConstraints, ...rest } = specOf('ValidatingAdmissionPolicy') as FencePolicy;
    // The API server fills in what is left out.
    const resourceRules = (matchConstraints?.resourceRules ?? []).map((rule) => ({ ...rule, scope: '*' }));
    policy = {
      ...rest,
      matchConstraints: {
        resourceRules,
        namespaceSelector: {},
        objectSelector: {},
        matchPolicy: 'Equivalent',
      },
    };
    binding = specOf('ValidatingAdmissionPolicyBinding') as FenceBinding;
  });

  const judged = (fence: Partial<Fence>, issuer = CLUSTER): boolean =>
    isFenced(issuer, { policy, binding, ...fence }, OPERATOR);

  for (const issuer of [CLUSTER, LOCAL, FOREIGN]) {
    it(`accepts the policy of the chart for ${issuer.kind}`, () => expect(judged({}, issuer)).to.equal(true));
  }

  it('rejects another issuer, another kind, another group', () => {
    for (const other of [
      withDefaults({ name: 'other' }),
      withDefaults({ name: 'agents-ca', kind: 'Issuer' }),
      withDefaults({ name: 'agents-ca', group: 'example.org' }),
    ])
      expect(judged({}, other)).to.equal(false);
  });

  it('rejects an operator of another name or place', () => {
    const fence = { policy, binding };
    expect(isFenced(CLUSTER, fence, { ...OPERATOR, user: 'system:admin' })).to.equal(false);
    expect(isFenced(LOCAL, fence, { ...OPERATOR, operatorNamespace: 'elsewhere' })).to.equal(false);
  });

  const POLICIES: readonly (readonly [string, (policy: FencePolicy) => FencePolicy | undefined])[] = [
    ['no policy', () => undefined],
    ['one that lets through what it cannot judge', (from) => ({ ...from, failurePolicy: 'Ignore' })],
    ['one with parameters', (from) => ({ ...from, paramKind: { kind: 'ConfigMap' } })],
    [
      'one with a further condition',
      (from) => ({ ...from, matchConditions: [...(from.matchConditions ?? []), { expression: 'false' }] }),
    ],
    [
      'one that excepts somebody',
      (from) => ({ ...from, matchConditions: [{ expression: "request.userInfo.username != 'eve'" }] }),
    ],
    [
      'one for creates only',
      (from) => ({
        ...from,
        matchConstraints: {
          resourceRules: [{ ...from.matchConstraints?.resourceRules?.[0], operations: ['CREATE'] }],
        },
      }),
    ],
    [
      'one that excludes rules',
      (from) => ({ ...from, matchConstraints: { ...from.matchConstraints, excludeResourceRules: [{}] } }),
    ],
    [
      'one for some namespaces',
      (from) => ({
        ...from,
        matchConstraints: { ...from.matchConstraints, namespaceSelector: { matchLabels: {} } },
      }),
    ],
    [
      'one for some objects',
      (from) => ({
        ...from,
        matchConstraints: { ...from.matchConstraints, objectSelector: { matchLabels: {} } },
      }),
    ],
    [
      'one that looks at one version of the kind',
      (from) => ({ ...from, matchConstraints: { ...from.matchConstraints, matchPolicy: 'Exact' } }),
    ],
    [
      'one that reads the issuer otherwise',
      (from) => ({ ...from, variables: [{ name: 'kind', expression: "'Issuer'" }] }),
    ],
    ['one without refusals', (from) => ({ ...from, validations: [] })],
    [
      'one whose refusals are weaker',
      (from) => ({
        ...from,
        validations: (from.validations ?? []).map(({ expression }) => ({
          expression: `${expression} || true`,
        })),
      }),
    ],
  ];
  for (const [title, change] of POLICIES) {
    it(`rejects ${title}`, () => expect(judged({ policy: change(policy) })).to.equal(false));
  }

  const BINDINGS: readonly (readonly [string, (binding: FenceBinding) => FenceBinding | undefined])[] = [
    ['no binding', () => undefined],
    ['a binding of another policy', (from) => ({ ...from, policyName: 'other' })],
    ['a binding that only warns', (from) => ({ ...from, validationActions: ['Warn', 'Audit'] })],
    ['a binding with parameters', (from) => ({ ...from, paramRef: {} })],
    [
      'a binding for some namespaces',
      (from) => ({ ...from, matchResources: { namespaceSelector: { matchLabels: {} } } }),
    ],
  ];
  for (const [title, change] of BINDINGS) {
    it(`rejects ${title}`, () => expect(judged({ binding: change(binding) })).to.equal(false));
  }

  it('accepts selectors that select everything', () => {
    const matchResources = { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} };
    expect(judged({ binding: { ...binding, matchResources } })).to.equal(true);
  });
});
