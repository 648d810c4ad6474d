import { expect } from 'chai';
import { lintMeshObject } from '../../../../src/domain/mesh/lint.ts';
import type { MeshObject, MeshObjects, MeshRole, MeshTarget } from '../../../../src/domain/mesh/model.ts';
import { planWrites } from '../../../../src/domain/mesh/order.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import { Dice } from '../../../support/random-world.ts';
import { PLANES, rendered, rolesOf, statesOf, walk } from './crash-points.ts';
import { DEPLOYER, SIDECAR } from './fixture.ts';
import { editedByOthers } from './foreign-edits.ts';

const ROUNDS = 120;
/** Called by one of those who make the calls of these tests. */
const CALLED: MeshTarget = {
  ...DEPLOYER,
  delegators: [{ namespace: 'north', serviceAccountName: 'a', capabilities: [] }],
};
const { objects: VERIFIED } = planMesh(CALLED, { ...SIDECAR, authorizerProvider: 'agent-trust' });
const STRANGER = { principals: ['example.org/ns/south/sa/c'] };

describe('planWrites after others wrote', () => {
  const { objects } = planMesh(DEPLOYER, SIDECAR);

  it('puts a foreign edit back with one write', () => {
    const opened = {
      ...objects,
      allow: { ...(objects.allow ?? objectless()), spec: { action: 'ALLOW', rules: [{}] } },
    };
    expect(planWrites(opened, objects)).to.deep.equal([
      { verb: 'put', role: 'allow', object: objects.allow },
    ]);
  });

  it('closes ALLOW first where another object says what rendered ones never say', () => {
    const { objects: wanted } = planMesh({ ...DEPLOYER, delegators: [] }, SIDECAR);
    const odd = {
      ...objects,
      fence: { ...(objects.fence ?? objectless()), spec: { action: 'DENY', rules: [] } },
    };
    expect(rolesOf(planWrites(odd, wanted))[0]).to.equal('put allow');
  });

  it('rule 2: nor does it after others made anything of the objects', () => {
    const walked = { points: 0, between: 0 };
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const old = editedByOthers(dice, dice.chance(0.1) ? {} : rendered(dice));
      walk(walked, `seed ${seed}`, { old, wanted: rendered(dice), dataPlane: dice.one(PLANES) });
    }
    expect(walked.points).to.be.greaterThan(400);
    expect(walked.between).to.be.greaterThan(1_000);
  });

  for (const [what, old] of Object.entries(disarmedSets())) {
    it(`rule 2: opens nothing on the way back from ${what}`, () => {
      for (const dataPlane of PLANES)
        walk({ points: 0, between: 0 }, what, { old, wanted: VERIFIED, dataPlane });
    });
  }

  it('rule 14: writes nothing that Istio would refuse, not even for a moment', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      for (const write of planWrites(editedByOthers(dice, rendered(dice)), rendered(dice))) {
        if (write.verb === 'put') expect(lintMeshObject(write.object), `seed ${seed}`).to.deep.equal([]);
      }
    }
  });

  it('takes specs that no schema would', () => {
    const { objects: wanted } = planMesh({ ...DEPLOYER, delegators: [] }, SIDECAR);
    const odd = [{}, { rules: [null] }, { rules: 'x' }, { ingress: [null] }, { ingress: [{ from: 'x' }] }];
    for (const spec of [...odd, { ingress: [{ from: null, ports: [null] }], policyTypes: ['Ingress'] }]) {
      for (const [role, object] of Object.entries(objects)) {
        const observed = { ...objects, [role]: { ...object, spec: { ...selectorsOf(object), ...spec } } };
        expect(statesOf(observed, planWrites(observed, wanted)).at(-1)).to.deep.equal(wanted);
      }
    }
  });

  it('ends the same from every point where the operator may die', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const [old, wanted] = [editedByOthers(dice, rendered(dice)), rendered(dice)];
      for (const state of statesOf(old, planWrites(old, wanted))) {
        expect(statesOf(state, planWrites(state, wanted)).at(-1)).to.deep.equal(wanted);
      }
    }
  });

  it('writes each object at most twice, however old and new differ', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const writes = planWrites(editedByOthers(dice, rendered(dice)), rendered(dice));
      const counts = new Map<MeshRole, number>();
      for (const { role } of writes) counts.set(role, (counts.get(role) ?? 0) + 1);
      expect(Math.max(0, ...counts.values())).to.be.at.most(2);
    }
  });
});

/** What others make of the objects in a few moves, so that what should refuse a call does not, or the reverse. */
function disarmedSets(): Readonly<Record<string, MeshObjects>> {
  const { verify: _verify, ...objects } = VERIFIED;
  const { objects: closed } = planMesh({ ...DEPLOYER, delegators: [] }, SIDECAR);
  const { objects: dry } = planMesh({ ...CALLED, state: 'dry-run' }, SIDECAR);
  const [allow, dryallow] = [objects.allow ?? objectless(), dry.dryallow ?? objectless()];
  const armed = { ...dryallow, metadata: { ...dryallow.metadata, annotations: {} } };
  const open = { ...armed, spec: { ...allow.spec, rules: [{}] } };
  const disarmed = { ...allow, metadata: { ...allow.metadata, annotations: dryallow.metadata.annotations } };
  const { net = objectless() } = closed;
  const { allow: _allow, ...walls } = objects;
  const narrow = { ...armed, spec: { ...closed.allow?.spec, rules: [{ from: [{ source: STRANGER }] }] } };
  return {
    'an ALLOW that only records': { ...closed, allow: disarmed },
    'a record that allows everything, and a closed NetworkPolicy': { ...VERIFIED, net, dryallow: open },
    'a record that allows a stranger, instead of the ALLOW': { ...walls, dryallow: narrow },
    'a CUSTOM that allows a stranger, instead of the ALLOW': { ...walls, verify: narrow },
    'a record that allows, instead of the ALLOW': { ...closed, allow: dryallow, dryallow: armed },
    'a record that allows everything, in closed walls': { ...closed, dryallow: open },
    'a fence that allows everything, in closed walls': { ...closed, fence: open },
  };
}

function selectorsOf({ spec }: MeshObject): MeshObject['spec'] {
  const { selector, podSelector } = spec;
  return selector === undefined ? { podSelector } : { selector };
}

function objectless(): MeshObject {
  throw new Error('the plan lacks an object');
}
