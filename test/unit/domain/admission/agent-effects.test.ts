/** How much is worked out for one answer; what is said is a matter of test/unit/admission/identity.test.ts. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import { agentWarnings } from '../../../../src/domain/admission/agent-effects.ts';
import type { RuleFacts } from '../../../../src/domain/delegation/facts.ts';
import { agent, graphOf, policy, rule } from '../delegation/fixture.ts';

const READ = { name: 'read' };

/** How much is said when an agent that so many may call gets what they all pass on, and the last of it. */
function said(callers: number): { readonly count: number; readonly last: string | undefined } {
  const names = Array.from({ length: callers }, (_, index) => `caller-${index}`);
  const rules = names.map((from): RuleFacts => rule(['ai/popular'], [READ], { from }));
  const before = agent('ai/popular', []);
  const graph = graphOf(
    [before, ...names.map((name) => agent(`ai/${name}`, [READ]))],
    rules.map((each, index) => policy([each], { name: `p-${index}` })),
  );
  const edit = { before, after: agent('ai/popular', [READ]) };
  const warnings = agentWarnings(edit, { graph, originateOf: () => undefined });
  return { count: warnings.length, last: warnings.at(-1)?.() };
}

describe('agentWarnings', () => {
  it('looks at every edge of an ordinary agent', () => {
    const { count, last } = said(40);
    expect(count).to.equal(40);
    expect(last).to.equal(
      'popular gains read through caller-39 (policy ai/p-39, rules[0]): caller-39 -> popular',
    );
  });

  it('stops at an agent that everybody calls, and says so', () => {
    const { count, last } = said(1_200);
    expect(count).to.be.within(900, 1_001);
    expect(last).to.equal('this touches more edges than one review looks at: what is said here is not all');
  });

  it('says nothing when nothing differs', () => {
    const facts = agent('ai/a', [READ]);
    const teller = { graph: graphOf([facts], []), originateOf: () => undefined };
    expect(agentWarnings({ before: facts, after: { ...facts } }, teller)).to.deep.equal([]);
  });
});
