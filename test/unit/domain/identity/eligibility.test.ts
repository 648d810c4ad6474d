import { expect } from 'chai';
import { type IdentitySituation, judgeEligibility } from '../../../../src/domain/identity/eligibility.ts';

const GOOD: IdentitySituation = {
  namespace: 'ai-agents',
  serviceAccountName: 'agent-deployer-sa',
  namespaceScope: 'governed',
  namespaceAccess: 'allowed',
  invalidFields: [],
  unservedFields: [],
  isDeleting: false,
  isSuspended: false,
  serviceAccountExists: true,
  olderClaimant: undefined,
};

/** From the strongest to the weakest: each case has everything wrong that the cases below it have. */
const CASES: readonly (readonly [string, Partial<IdentitySituation>, { reason: string; wipe: boolean }])[] = [
  [
    'a namespace outside the list',
    { namespaceScope: 'outside' },
    { reason: 'NamespaceNotGoverned', wipe: false },
  ],
  [
    'a namespace without the role',
    { namespaceAccess: 'refused' },
    { reason: 'NamespaceRoleMissing', wipe: false },
  ],
  ['an identity that is being deleted', { isDeleting: true }, { reason: 'Deleting', wipe: true }],
  ['a suspended identity', { isSuspended: true }, { reason: 'Quarantined', wipe: true }],
  [
    'a stored value out of range',
    { invalidFields: ['spec.x must be y'] },
    { reason: 'InvalidSpec', wipe: false },
  ],
  [
    'a ServiceAccount of an older one',
    { olderClaimant: 'first' },
    { reason: 'ServiceAccountTaken', wipe: true },
  ],
  ['a field without effect', { unservedFields: ['spec.quarantine'] }, { reason: 'NotServed', wipe: false }],
  [
    'a missing ServiceAccount',
    { serviceAccountExists: false },
    { reason: 'ServiceAccountMissing', wipe: false },
  ],
];

describe('judgeEligibility', () => {
  it('accepts an identity with nothing in its way', () => {
    expect(judgeEligibility(GOOD)).to.deep.equal({ kind: 'eligible' });
  });

  for (const [index, [what, change, expected]] of CASES.entries()) {
    it(`rejects ${what}, before anything weaker`, () => {
      const weaker = Object.assign({}, ...CASES.slice(index).map(([, each]) => each));
      for (const situation of [
        { ...GOOD, ...change },
        { ...GOOD, ...weaker },
      ]) {
        const answer = judgeEligibility(situation);
        if (answer.kind !== 'refused') throw new Error(`${what} was accepted`);
        expect({ reason: answer.reason, wipe: answer.wipe }).to.deep.equal(expected);
        expect(answer.message).to.match(/\.$/);
      }
    });
  }

  it('names the ServiceAccount that is missing and the way out', () => {
    expect(judgeEligibility({ ...GOOD, serviceAccountExists: false })).to.deep.equal({
      kind: 'refused',
      reason: 'ServiceAccountMissing',
      message:
        'ServiceAccount ai-agents/agent-deployer-sa does not exist. Create it; the certificate follows by itself.',
      wipe: false,
    });
  });
});
