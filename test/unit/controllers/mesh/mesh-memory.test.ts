import { expect } from 'chai';
import { MeshMemory } from '../../../../src/controllers/mesh/mesh-memory.ts';

const KEY = 'ai-agents/deployer';
const NOW = Date.UTC(2026, 0, 1);

describe('MeshMemory', () => {
  it('takes a deviation for the doing of somebody else only from what was brought about before', () => {
    const memory = new MeshMemory();
    const answers = [memory.isMending(KEY, 'a')];
    memory.kept(KEY, 'a');
    answers.push(memory.isMending(KEY, 'a'), memory.isMending(KEY, 'b'));
    memory.forget(KEY);
    answers.push(memory.isMending(KEY, 'a'));
    expect(answers).to.deep.equal([false, true, false, false]);
  });

  it('never lets a wall be down for more than a second, however often it is undone', () => {
    const memory = new MeshMemory();
    const pauses = Array.from({ length: 10 }, (_, round) => {
      const nowMs = NOW + round * 10;
      const untilMs = memory.pauseUntilMs(KEY, nowMs);
      memory.mended(KEY, nowMs);
      return untilMs === undefined ? 0 : untilMs - nowMs;
    });
    expect(pauses).to.deep.equal([0, 0, 0, 0, 0, 0, 990, 990, 990, 990]);
  });

  it('forgets rounds after an hour', () => {
    const memory = new MeshMemory();
    for (let round = 0; round < 8; round++) memory.mended(KEY, NOW);
    expect(memory.pauseUntilMs(KEY, NOW + 3_600_000)).to.equal(undefined);
    expect(memory.mended(KEY, NOW + 3_600_000)).to.equal(1);
  });

  it('tries again ever more seldom after refusals, until one is none', () => {
    const memory = new MeshMemory();
    const delays = Array.from({ length: 5 }, () => memory.failed(KEY, NOW) - NOW);
    expect(delays).to.deep.equal([5_000, 10_000, 20_000, 30_000, 30_000]);
    memory.kept(KEY, 'a');
    expect(memory.failed(KEY, NOW) - NOW).to.equal(5_000);
  });

  it('counts attempts without an answer in a row', () => {
    const memory = new MeshMemory();
    const counts = [memory.unanswered(KEY), memory.unanswered(KEY)];
    memory.kept(KEY, 'a');
    expect([...counts, memory.unanswered(KEY)]).to.deep.equal([1, 2, 1]);
  });
});
