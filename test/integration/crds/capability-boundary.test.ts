/** The CapabilityBoundary schema in a real API server: every rule has what it accepts and what it rejects. */

import { expect } from 'chai';
import { CAPABILITY_BOUNDARY } from '../../../src/api/group.ts';
import { acceptedCapabilities, type Place, rejectedCapabilities } from './capabilities.ts';
import {
  type Examples,
  itBeginsPending,
  itHasMetEveryConstraint,
  itJudges,
  type Spec,
  useServedKind,
} from './served-kind.ts';

const ALL = { namespaceSelector: {} };

const CAPABILITIES: Place = {
  path: 'spec.capabilities',
  in: (capabilities) => ({ ...ALL, capabilities }),
};

/** A boundary of the namespaces with these labels. */
const matchLabels = (labels: Spec): Spec => ({ namespaceSelector: { matchLabels: labels } });

/** A boundary of the namespaces for which all of these hold. */
const matchExpressions = (...requirements: readonly Spec[]): Spec => ({
  namespaceSelector: { matchExpressions: requirements },
});

const numbered = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `n${index}`);
const labels = (count: number): Spec => Object.fromEntries(numbered(count).map((name) => [name, '']));

const LABELS = 'spec.namespaceSelector.matchLabels';
const EXPRESSIONS = 'spec.namespaceSelector.matchExpressions';

const EXAMPLES: Examples = {
  accepted: {
    'a boundary of all namespaces that limits nothing': ALL,
    'every field': {
      namespaceSelector: {
        matchLabels: { 'kubernetes.io/metadata.name': 'ai-agents', team: '' },
        matchExpressions: [
          { key: 'tier', operator: 'In', values: ['staging', ''] },
          { key: 'example.org/tier', operator: 'NotIn', values: ['production'] },
          { key: 'team', operator: 'Exists' },
          { key: 'legacy', operator: 'DoesNotExist' },
        ],
      },
      capabilities: [{ name: 'kubectl_get' }, { name: 'read_file', resources: ['/data/*'] }],
      maxDepth: 2,
      tokens: { maxTTL: '2m', maxUses: 1 },
    },
    'a boundary for depth alone': { ...ALL, maxDepth: 1 },
    'the most of everything': {
      namespaceSelector: {
        matchLabels: {
          ...labels(15),
          [`${'a.'.repeat(126)}a/${'b'.repeat(63)}`]: 'A'.repeat(63),
        },
        matchExpressions: numbered(16).map((key) => ({
          key,
          operator: 'In',
          values: numbered(256).map((value) => value.padEnd(63, 'x')),
        })),
      },
      maxDepth: 8,
      tokens: { maxTTL: '5m', maxUses: 5 },
    },
    'the shortest token life': { ...ALL, tokens: { maxTTL: '10s' } },
    ...acceptedCapabilities(CAPABILITIES),
  },
  rejected: {
    'a boundary that does not say whom it binds': [{ maxDepth: 1 }, 'spec.namespaceSelector: Required value'],
    '17 labels': [matchLabels(labels(17)), LABELS, 'must have at most 16 items'],
    'a label key with a space': [
      matchLabels({ team: 'a', 'my team': 'a' }),
      LABELS,
      'a key is no label key, so no namespace could have it; write it as name or example.org/name',
    ],
    'a label key with two slashes': [matchLabels({ 'a/b/c': 'a' }), LABELS, 'a key is no label key'],
    'a label key of 64 letters': [matchLabels({ ['a'.repeat(64)]: 'a' }), LABELS, 'a key is no label key'],
    'a label value with a space': [matchLabels({ team: 'data science' }), `${LABELS}.team`, 'should match'],
    'a label value that ends in a dot': [matchLabels({ team: 'a.' }), `${LABELS}.team`, 'should match'],
    'a label value of 64 letters': [
      matchLabels({ team: 'a'.repeat(64) }),
      `${LABELS}.team`,
      'may not be more than 63 bytes',
    ],
    '17 requirements': [
      matchExpressions(...numbered(17).map((key) => ({ key, operator: 'Exists' }))),
      EXPRESSIONS,
      'must have at most 16 items',
    ],
    'a requirement that says nothing': [
      matchExpressions({}),
      `${EXPRESSIONS}[0].key: Required value`,
      `${EXPRESSIONS}[0].operator: Required value`,
    ],
    'an empty key': [
      matchExpressions({ key: '', operator: 'Exists' }),
      `${EXPRESSIONS}[0].key`,
      'at least 1 chars',
    ],
    'a key with a space': [
      matchExpressions({ key: 'my team', operator: 'Exists' }),
      `${EXPRESSIONS}[0].key`,
      'key is no label key, so no namespace could have it; write it as name or example.org/name',
    ],
    'a key of 318 characters': [
      matchExpressions({ key: 'a'.repeat(318), operator: 'Exists' }),
      `${EXPRESSIONS}[0].key`,
      'may not be more than 317 bytes',
    ],
    'an operator that is none': [
      matchExpressions({ key: 'a', operator: 'Like', values: ['b'] }),
      `${EXPRESSIONS}[0].operator`,
      'supported values',
    ],
    'In without values': [
      matchExpressions({ key: 'a', operator: 'In' }),
      `${EXPRESSIONS}[0].values`,
      'values belong to In and NotIn, and only to them; add them or leave them out',
    ],
    'Exists with values': [
      matchExpressions({ key: 'a', operator: 'Exists', values: ['b'] }),
      `${EXPRESSIONS}[0].values`,
      'values belong to In and NotIn, and only to them; add them or leave them out',
    ],
    'an empty list of values': [
      matchExpressions({ key: 'a', operator: 'NotIn', values: [] }),
      `${EXPRESSIONS}[0].values`,
      'should have at least 1 items',
    ],
    '257 values': [
      matchExpressions({ key: 'a', operator: 'In', values: numbered(257) }),
      `${EXPRESSIONS}[0].values`,
      'must have at most 256 items',
    ],
    'a value with a slash': [
      matchExpressions({ key: 'a', operator: 'In', values: ['a', 'b/c'] }),
      `${EXPRESSIONS}[0].values[1]`,
      'should match',
    ],
    'a value of 64 letters': [
      matchExpressions({ key: 'a', operator: 'In', values: ['a'.repeat(64)] }),
      `${EXPRESSIONS}[0].values[0]`,
      'may not be more than 63 bytes',
    ],
    'a depth of 0': [{ ...ALL, maxDepth: 0 }, 'spec.maxDepth', 'greater than or equal to 1'],
    'a depth of 9': [{ ...ALL, maxDepth: 9 }, 'spec.maxDepth', 'less than or equal to 8'],
    'a token life of 9 s': [
      { ...ALL, tokens: { maxTTL: '9s' } },
      'spec.tokens.maxTTL',
      'maxTTL must be 10s to 5m, for example 2m',
    ],
    'a token life of 6 min': [
      { ...ALL, tokens: { maxTTL: '6m' } },
      'spec.tokens.maxTTL',
      'maxTTL must be 10s to 5m, for example 2m',
    ],
    'a token life that is none': [
      { ...ALL, tokens: { maxTTL: 'short' } },
      'spec.tokens.maxTTL',
      'should match',
    ],
    'a token life of 33 characters': [
      { ...ALL, tokens: { maxTTL: `${'0'.repeat(32)}s` } },
      'spec.tokens.maxTTL',
      'may not be more than 32 bytes',
    ],
    'no use at all': [
      { ...ALL, tokens: { maxUses: 0 } },
      'spec.tokens.maxUses',
      'greater than or equal to 1',
    ],
    'six uses': [{ ...ALL, tokens: { maxUses: 6 } }, 'spec.tokens.maxUses', 'less than or equal to 5'],
    'a task, which only a rule has': [
      { ...ALL, tokens: { taskTTL: '10m' } },
      'unknown field "spec.tokens.taskTTL"',
    ],
    ...rejectedCapabilities(CAPABILITIES),
  },
};

describe('CapabilityBoundary in the API server', () => {
  const kind = useServedKind(CAPABILITY_BOUNDARY);

  itJudges(kind, EXAMPLES);
  itBeginsPending(kind, ALL);

  it('rejects an object without a spec', async () => {
    const { metadata } = kind().written({});
    const empty = kind().admin.client.create(CAPABILITY_BOUNDARY, { metadata });
    expect(await kind().refusal(empty)).to.include('spec: Required value');
  });

  itHasMetEveryConstraint(kind);

  it('fills in nothing, so that what the author left out stays out', async () => {
    const spec = { ...ALL, tokens: {} };
    expect((await kind().create(spec)).spec).to.deep.equal(spec);
  });

  it('replaces selector and capabilities as a whole, whoever else applied them', async () => {
    const before = { ...matchLabels({ a: '1', b: '2' }), capabilities: [{ name: 'a' }, { name: 'b' }] };
    const written = kind().written(before);
    await kind().create(before, written.metadata.name);
    await kind().admin.client.apply(CAPABILITY_BOUNDARY, written);
    const after = { ...matchLabels({ b: '2' }), capabilities: [{ name: 'b' }] };
    const applied = await kind().admin.client.apply(CAPABILITY_BOUNDARY, { ...written, spec: after });
    expect(applied.spec).to.deep.equal(after);
  });

  it('is listed under its short name and category, in columns', async () => {
    await kind().create(ALL, 'columns');
    const headings = ['NAME', 'READY', 'NAMESPACES', 'AGE'];
    expect(await kind().columns('cbound', 'columns')).to.deep.equal(headings);
    expect(await kind().columns('agenttrust')).to.deep.equal(headings);
  });
});
