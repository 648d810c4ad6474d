import { expect } from 'chai';
import { type BoundaryInput, resolveBoundary } from '../../../../src/domain/delegation/resolve-boundary.ts';

function resolve(spec: BoundaryInput): ReturnType<typeof resolveBoundary> {
  return resolveBoundary('staging', spec);
}

describe('resolveBoundary', () => {
  it('takes what is left out as no limit of its own', () => {
    expect(resolve({ namespaceSelector: {} })).to.deep.equal({
      facts: { name: 'staging', namespaceSelector: {}, tokens: {} },
      invalidFields: [],
    });
  });

  it('keeps what the author wrote', () => {
    const spec: BoundaryInput = {
      namespaceSelector: {
        matchLabels: { stage: 'test' },
        matchExpressions: [
          { key: 'team', operator: 'In', values: ['a', 'b'] },
          { key: 'open', operator: 'DoesNotExist' },
        ],
      },
      capabilities: [{ name: 'kubectl_get', resources: ['/x/*'] }],
      maxDepth: 3,
      tokens: { maxTTL: '30s', maxUses: 1 },
    };
    expect(resolve(spec)).to.deep.equal({
      facts: {
        name: 'staging',
        namespaceSelector: spec.namespaceSelector,
        capabilities: spec.capabilities,
        maxDepth: 3,
        tokens: { maxTtlSeconds: 30, maxUses: 1 },
      },
      invalidFields: [],
    });
  });

  it('holds apart a list that is empty and one that is left out', () => {
    expect(resolve({ capabilities: [] }).facts.capabilities).to.deep.equal([]);
    expect(resolve({}).facts).to.not.have.property('capabilities');
  });

  it('lets a capability that is refused be held by nobody', () => {
    const { facts, invalidFields } = resolve({
      capabilities: [{ name: '*' }, { name: 'a', resources: ['..'] }],
    });
    expect(facts.capabilities).to.deep.equal([]);
    expect(invalidFields.map((text) => text.split(' ')[0])).to.deep.equal([
      'spec.capabilities[0].name',
      'spec.capabilities[1].resources[0]',
    ]);
  });

  it('takes a number that is refused as the least there is', () => {
    const { facts, invalidFields } = resolve({ maxDepth: 9, tokens: { maxTTL: '1h', maxUses: 6 } });
    expect(facts).to.deep.equal({
      name: 'staging',
      namespaceSelector: {},
      maxDepth: 1,
      tokens: { maxTtlSeconds: 10, maxUses: 1 },
    });
    expect(invalidFields.length).to.equal(3);
  });

  const refused = {
    'an operator that there is not': [{ key: 'a', operator: 'Like', values: ['b'] }, '.operator must be'],
    'In without values': [{ key: 'a', operator: 'In' }, '.values must not be empty'],
    'NotIn without values': [{ key: 'a', operator: 'NotIn', values: [] }, '.values must not be empty'],
    'Exists with values': [{ key: 'a', operator: 'Exists', values: ['b'] }, '.values must be empty'],
  } as const;
  for (const [what, [requirement, message]] of Object.entries(refused)) {
    it(`selects every namespace in place of ${what}`, () => {
      const { facts, invalidFields } = resolve({ namespaceSelector: { matchExpressions: [requirement] } });
      expect(facts.namespaceSelector).to.deep.equal({});
      expect(invalidFields[0]).to.contain(`spec.namespaceSelector.matchExpressions[0]${message}`);
    });
  }
});
