import { expect } from 'chai';
import type { LabelSelector } from '../../../../src/domain/delegation/facts.ts';
import { selects } from '../../../../src/domain/delegation/label-selector.ts';

const LABELS = { zone: 'north', team: '' };

describe('selects', () => {
  const accepted: Record<string, LabelSelector> = {
    'an empty selector': {},
    'equal labels': { matchLabels: { zone: 'north', team: '' } },
    'a value in the list': {
      matchExpressions: [{ key: 'zone', operator: 'In', values: ['south', 'north'] }],
    },
    'a value not in the list': { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['south'] }] },
    'a label that is absent as not in the list': {
      matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['gold'] }],
    },
    'a label that is there, although empty': { matchExpressions: [{ key: 'team', operator: 'Exists' }] },
    'a label that is absent': { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] },
  };
  for (const [name, selector] of Object.entries(accepted))
    it(`accepts ${name}`, () => expect(selects(selector, LABELS)).to.equal(true));

  const rejected: Record<string, LabelSelector> = {
    'another value': { matchLabels: { zone: 'south' } },
    'a label that is absent': { matchLabels: { tier: 'gold' } },
    'a value that is not in the list': {
      matchExpressions: [{ key: 'zone', operator: 'In', values: ['south'] }],
    },
    'an absent label as in the list': {
      matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold'] }],
    },
    'a value in the list of others': {
      matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['north'] }],
    },
    'an absent label that should be there': { matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
    'a label that should be absent': { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] },
    'one part of two': {
      matchLabels: { zone: 'north' },
      matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }],
    },
    'what every object inherits': { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] },
  };
  for (const [name, selector] of Object.entries(rejected))
    it(`rejects ${name}`, () => expect(selects(selector, LABELS)).to.equal(false));
});
