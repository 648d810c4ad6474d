import { expect } from 'chai';
import {
  stateConfigMap,
  stateRecord,
  stateTexts,
} from '../../../../src/controllers/authority/state-object.ts';
import type { GenerationState } from '../../../../src/domain/authority/facts.ts';

const AT = Date.UTC(2026, 0, 1);
const STATES: readonly GenerationState[] = [
  {
    id: '0123456789abcdef',
    phase: 'retiring',
    preparedAtMs: AT,
    seenSinceMs: AT + 1,
    activatedAtMs: AT + 2,
    retiringSinceMs: AT + 3,
    taintedAtMs: AT + 4,
    reissueTotal: 0,
    reissuedAtMs: AT + 5,
  },
  { id: 'fedcba9876543210', phase: 'signing', preparedAtMs: AT },
];

describe('stateRecord', () => {
  it('reads what stateTexts has written', () => {
    const written = stateConfigMap('agent-trust-system', 'leader-1', { message: 'x', ...stateTexts(STATES) });
    const { states, texts } = stateRecord(written);
    expect(states).to.deep.equal(STATES);
    expect(texts['message']).to.equal('x');
  });

  it('reads which keys are refused, and leaves out what is none', () => {
    const refused = new Map([
      ['x'.repeat(43), 'fedcba9876543210'],
      ['y'.repeat(43), '0123456789abcdef'],
    ]);
    const read = (text: object): ReadonlyMap<string, string> =>
      stateRecord(stateConfigMap('agent-trust-system', 'leader-1', { refused: JSON.stringify(text) }))
        .refused;
    const texts = stateTexts(STATES, refused);
    expect(stateRecord(stateConfigMap('agent-trust-system', 'leader-1', texts)).refused).to.deep.equal(
      refused,
    );
    expect(read({ '0123456789abcdef': 'short', x: 'x'.repeat(43), fedcba9876543210: 7 })).to.have.length(0);
    expect(
      stateRecord(stateConfigMap('agent-trust-system', 'leader-1', stateTexts(STATES))).texts,
    ).to.not.have.property('refused');
  });

  const good = { phase: 'signing', preparedAt: '2026-01-01T00:00:00.000Z' };
  const bad: readonly (readonly [string, unknown])[] = [
    ['no JSON', undefined],
    ['a list', []],
    ['a generation that is no object', { a: 1 }],
    ['an unknown phase', { a: { ...good, phase: 'resting' } }],
    ['no instant of its making', { a: { phase: 'signing' } }],
    ['an instant that is none', { a: { ...good, seenSince: 'yesterday' } }],
    ['a number in place of an instant', { a: { ...good, taintedAt: 7 } }],
    ['a total that is no number', { a: { ...good, reissueTotal: '7' } }],
    ['one good and one bad generation', { a: good, b: { ...good, phase: 1 } }],
  ];
  for (const [what, value] of bad) {
    it(`reads nothing from ${what}`, () => {
      const generations = value === undefined ? 'signing' : JSON.stringify(value);
      const configMap = stateConfigMap('agent-trust-system', 'leader-1', { generations });
      expect(stateRecord(configMap).states).to.equal(undefined);
    });
  }
});
