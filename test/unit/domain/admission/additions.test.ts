import { expect } from 'chai';
import { describe, it } from 'mocha';
import { additionsOf } from '../../../../src/domain/admission/additions.ts';
import type { PolicyFacts, RuleFacts } from '../../../../src/domain/delegation/facts.ts';
import { policy, rule } from '../delegation/fixture.ts';

const READ = { name: 'read', resources: ['/a/*'] };

/** What is new, in short: rule, index, name, resources, the first target for which it is. */
function added(before: readonly RuleFacts[] | undefined, after: readonly RuleFacts[]): readonly unknown[] {
  const edit = { before: before && policy(before), after: policy(after) };
  return additionsOf(edit).found.map((each) => [
    each.rule.index,
    each.capability,
    each.name,
    each.resources,
    each.target,
  ]);
}

describe('additionsOf', () => {
  it('finds all of a new policy', () => {
    const rules = [rule(['ai/analyst', 'ai/writer'], [READ, { name: 'write' }])];
    expect(added(undefined, rules)).to.deep.equal([
      [0, 0, 'read', ['/a/*'], 'ai/analyst'],
      [0, 1, 'write', undefined, 'ai/analyst'],
    ]);
  });

  it('finds nothing in what is as before, or moved, split, merged, renamed', () => {
    const both = rule(['ai/analyst', 'ai/writer'], [READ, { name: 'write' }]);
    const parts = [
      rule(['ai/writer'], [{ name: 'write' }], { name: 'one' }),
      rule(['ai/analyst'], [READ, { name: 'write' }]),
      rule(['ai/writer'], [READ]),
    ];
    expect(added([both], [both])).to.deep.equal([]);
    expect(added([both], parts)).to.deep.equal([]);
    expect(added(parts, [both])).to.deep.equal([]);
  });

  it('finds nothing in what is narrower', () => {
    const wide = [rule(['ai/analyst'], [{ name: 'read' }, { name: 'write', resources: ['*'] }])];
    const narrow = [rule(['ai/analyst'], [READ, { name: 'write', resources: ['/b'] }])];
    expect(added(wide, narrow)).to.deep.equal([]);
  });

  it('finds only the resources that no old rule contains', () => {
    const before = [rule(['ai/analyst'], [READ])];
    const after = [rule(['ai/analyst'], [{ name: 'read', resources: ['/a/b', '/c', '/a/*', '/*'] }])];
    expect(added(before, after)).to.deep.equal([[0, 0, 'read', ['/c', '/*'], 'ai/analyst']]);
  });

  it('takes a capability without resources for more than one with any', () => {
    const before = [rule(['ai/analyst'], [{ name: 'read', resources: ['*'] }])];
    const after = [rule(['ai/analyst'], [{ name: 'read' }])];
    expect(added(before, after)).to.deep.equal([[0, 0, 'read', undefined, 'ai/analyst']]);
  });

  it('names the first target for which something is new', () => {
    const before = [rule(['ai/analyst'], [READ])];
    const after = [rule(['ai/analyst', 'ai/writer', 'data/keeper'], [READ])];
    expect(added(before, after)).to.deep.equal([[0, 0, 'read', ['/a/*'], 'ai/writer']]);
  });

  it('tells agents of rules apart', () => {
    const before = [rule(['ai/analyst'], [READ])];
    const after = [rule(['ai/analyst'], [READ], { from: 'planner' })];
    expect(added(before, after)).to.deep.equal([[0, 0, 'read', ['/a/*'], 'ai/analyst']]);
  });

  it('takes nothing from an old capability that stands twice but what both entries say', () => {
    const before = [rule(['ai/analyst'], [READ, { name: 'read', resources: ['/b/*'] }])];
    const after = [rule(['ai/analyst'], [READ])];
    expect(added(before, after)).to.deep.equal([[0, 0, 'read', ['/a/*'], 'ai/analyst']]);
  });

  it('says so when there is more to compare than it may, and never counts what is as before', () => {
    const before: PolicyFacts = policy([rule(['ai/analyst'], [READ, { name: 'write' }])]);
    const after: PolicyFacts = policy([...before.rules, rule(['ai/writer'], [READ, { name: 'write' }])]);
    expect(additionsOf({ before, after }, 2).isAll).to.equal(true);
    expect(additionsOf({ before, after }, 1)).to.deep.equal({ found: [], isAll: false });
    expect(additionsOf({ before, after: before }, 0)).to.deep.equal({ found: [], isAll: true });
  });
});
