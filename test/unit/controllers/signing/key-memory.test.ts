import { expect } from 'chai';
import { KeyMemory } from '../../../../src/controllers/signing/key-memory.ts';
import type { HeldKey } from '../../../../src/domain/signing/keys.ts';
import { held, START } from '../../domain/signing/fixture.ts';

const KEY = 'ai-agents/agent-deployer';
const active = held('active', { state: 'Active', createdMs: 1, since: START });
const next = held('next', { state: 'Next', createdMs: 2, since: START });
const retiring = held('retiring', { state: 'Retiring', createdMs: 0, since: 0, until: START });
const written: readonly HeldKey[] = [retiring, active, next];

function memory(): KeyMemory {
  const made = new KeyMemory();
  made.remember(KEY, 'uid-1', written);
  return made;
}

describe('KeyMemory', () => {
  it('believes what is found while it knows nothing', () => {
    const found = [active];
    expect(new KeyMemory().recall(KEY, 'uid-1', found)).to.equal(found);
  });

  it('gives back what is found when that is what was written', () => {
    const found = [{ ...retiring }, { ...active }, { ...next }];
    expect(memory().recall(KEY, 'uid-1', found)).to.equal(found);
  });

  it('keeps keys that were lost, which nobody can use any more', () => {
    expect(memory().recall(KEY, 'uid-1', [next])).to.deep.equal([
      retiring,
      { ...active, isUsable: false },
      next,
    ]);
  });

  it('does not believe keys that were not written, nor other lives of those that were', () => {
    const found = [
      held('planted', { state: 'Active', createdMs: 3, since: START }),
      { ...active, state: 'Next', since: 0 } as const,
      { ...retiring, state: 'Active', isUsable: true } as const,
      next,
    ];
    expect(memory().recall(KEY, 'uid-1', found)).to.deep.equal(written);
  });

  it('knows nothing of another identity of the name, and nothing after it has forgotten', () => {
    expect(memory().recall(KEY, 'uid-2', [])).to.deep.equal([]);
    const forgetful = memory();
    forgetful.forget(KEY);
    expect(forgetful.recall(KEY, 'uid-1', [])).to.deep.equal([]);
  });
});
