import { expect } from 'chai';
import {
  judgePolicy,
  nameSome,
  type PolicySituation,
} from '../../../../src/domain/delegation/resolve-acceptance.ts';

const FINE: PolicySituation = {
  namespace: 'ai-agents',
  namespaceScope: 'governed',
  isDeleting: false,
  invalidFields: [],
};

describe('judgePolicy', () => {
  it('accepts a policy that nothing stands in the way of', () => {
    expect(judgePolicy(FINE)).to.deep.equal({ kind: 'accepted' });
  });

  const refused = {
    'outside the list of namespaces': [{ namespaceScope: 'outside' }, 'NamespaceNotGoverned', '--set'],
    'where no agents live': [{ namespaceScope: 'never' }, 'NamespaceNotGoverned', 'Move the policy'],
    'that is being deleted': [{ isDeleting: true }, 'Deleting', 'grants nothing any more'],
    'with a field that is refused': [
      { invalidFields: ['spec.x must be y'] },
      'InvalidSpec',
      'spec.x must be y',
    ],
  } as const;
  for (const [what, [situation, reason, words]] of Object.entries(refused)) {
    it(`refuses a policy ${what}, and says the way out`, () => {
      const judged = judgePolicy({ ...FINE, ...situation });
      expect(judged).to.deep.include({ kind: 'refused', reason });
      expect(judged.kind === 'refused' && judged.message).to.contain(words);
    });
  }
});

describe('nameSome', () => {
  it('names all of a few', () => {
    expect(nameSome(['a', 'b'])).to.equal('a; b');
  });

  it('names eight of many, and counts the others', () => {
    expect(nameSome([...'abcdefghij'])).to.equal('a; b; c; d; e; f; g; h; and 2 more');
  });
});
