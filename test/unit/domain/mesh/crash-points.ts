/** Every point where the operator may die on the way from one set of objects to another, and what is let in there. */

import { expect } from 'chai';
import type { MeshObjects, MeshWrite } from '../../../../src/domain/mesh/model.ts';
import { planWrites } from '../../../../src/domain/mesh/order.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import type { Dice } from '../../../support/random-world.ts';
import { CALLS, letsIn, randomFacts, randomTarget } from './fixture.ts';

/** What may carry the traffic of the pods. */
export const PLANES = ['sidecar', 'ambient'] as const;

/** Verb and role of each write. */
export function rolesOf(writes: readonly MeshWrite[]): readonly string[] {
  return writes.map(({ verb, role }) => `${verb} ${role}`);
}

/** A random target as it is rendered. */
export function rendered(dice: Dice): MeshObjects {
  return planMesh(randomTarget(dice), randomFacts(dice)).objects;
}

function after(objects: MeshObjects, write: MeshWrite): MeshObjects {
  const { [write.role]: _before, ...others } = objects;
  return write.verb === 'put' ? { ...others, [write.role]: write.object } : others;
}

/** Objects on the server after each write, the first before any. */
export function statesOf(observed: MeshObjects, writes: readonly MeshWrite[]): readonly MeshObjects[] {
  const states = [observed];
  for (const write of writes) states.push(after(states.at(-1) ?? {}, write));
  return states;
}

/** Judges every call after every write: none that neither the old nor the new set lets in. Counts into `walked`. */
export function walk(
  walked: { points: number; between: number },
  what: string,
  {
    old,
    wanted,
    dataPlane,
  }: { readonly old: MeshObjects; readonly wanted: MeshObjects; readonly dataPlane: 'sidecar' | 'ambient' },
): void {
  const states = statesOf(old, planWrites(old, wanted));
  expect(states.at(-1), what).to.deep.equal(wanted);
  const refused = CALLS.filter((call) => !letsIn(old, call, dataPlane) && !letsIn(wanted, call, dataPlane));
  for (const [at, state] of states.entries()) {
    walked.points++;
    for (const call of refused) {
      if (letsIn(state, call, dataPlane)) expect.fail(`${what}, after ${at} writes: ${JSON.stringify(call)}`);
    }
    if (at > 0 && at < states.length - 1) {
      walked.between += CALLS.filter((call) => letsIn(state, call, dataPlane)).length;
    }
  }
}
