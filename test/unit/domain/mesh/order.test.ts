import { expect } from 'chai';
import { lintMeshObject } from '../../../../src/domain/mesh/lint.ts';
import type { MeshObject, MeshObjects, MeshRole, MeshWrite } from '../../../../src/domain/mesh/model.ts';
import { planWrites } from '../../../../src/domain/mesh/order.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import { Dice } from '../../../support/random-world.ts';
import { CALLS, DEPLOYER, letsIn, randomFacts, randomTarget, SIDECAR } from './fixture.ts';
import { editedByOthers } from './foreign-edits.ts';

const ROUNDS = 120;
const PLANES = ['sidecar', 'ambient'] as const;

function rolesOf(writes: readonly MeshWrite[]): readonly string[] {
  return writes.map(({ verb, role }) => `${verb} ${role}`);
}

function after(objects: MeshObjects, write: MeshWrite): MeshObjects {
  const { [write.role]: _before, ...others } = objects;
  return write.verb === 'put' ? { ...others, [write.role]: write.object } : others;
}

/** Objects on the server after each write, the first before any. */
function statesOf(observed: MeshObjects, writes: readonly MeshWrite[]): readonly MeshObjects[] {
  const states = [observed];
  for (const write of writes) states.push(after(states.at(-1) ?? {}, write));
  return states;
}

function rendered(dice: Dice): MeshObjects {
  return planMesh(randomTarget(dice), randomFacts(dice)).objects;
}

describe('planWrites', () => {
  const { objects } = planMesh(DEPLOYER, SIDECAR);

  it('writes nothing where all is as it should be', () => {
    expect(planWrites(objects, planMesh(DEPLOYER, SIDECAR).objects)).to.deep.equal([]);
  });

  it('rule 2: renders first an ALLOW without rules, and its rules last', () => {
    const { objects: wanted } = planMesh(DEPLOYER, { ...SIDECAR, authorizerProvider: 'agent-trust' });
    const writes = planWrites({}, wanted);
    expect(rolesOf(writes)).to.deep.equal([
      'put allow',
      'put fence',
      'put mtls',
      'put verify',
      'put net',
      'put allow',
    ]);
    const [first] = writes;
    expect(first?.verb === 'put' && first.object.spec).to.not.have.property('rules');
  });

  it('rule 2: shrinks ALLOW before the fence', () => {
    const { objects: wanted } = planMesh({ ...DEPLOYER, delegators: [] }, SIDECAR);
    expect(rolesOf(planWrites(objects, wanted))).to.deep.equal(['put allow', 'put fence', 'put net']);
  });

  it('rule 2: grows ALLOW after everything else', () => {
    const { objects: closed } = planMesh({ ...DEPLOYER, delegators: [] }, SIDECAR);
    expect(rolesOf(planWrites(closed, objects))).to.deep.equal(['put net', 'put fence', 'put allow']);
  });

  it('never closes what stays open when one caller comes and another goes', () => {
    const [coordinator] = DEPLOYER.delegators;
    const other = { namespace: 'ai-agents', serviceAccountName: 'other', capabilities: [] };
    const third = { namespace: 'ai-agents', serviceAccountName: 'third', capabilities: [] };
    const both = (each: typeof other): MeshObjects =>
      planMesh({ ...DEPLOYER, delegators: [coordinator ?? each, each] }, SIDECAR).objects;
    const call = {
      namespace: 'ai-agents',
      account: 'agent-coordinator-sa',
      labelled: true,
      port: 8443,
      method: 'POST',
      path: '/v1/delegate',
      verified: true,
    };
    for (const state of statesOf(both(other), planWrites(both(other), both(third)))) {
      expect(letsIn(state, call)).to.equal(true);
    }
  });

  it('rule 1: un-governs behind an ALLOW without rules, which goes last', () => {
    const writes = planWrites(objects, {});
    expect(rolesOf(writes)).to.deep.equal([
      'put allow',
      'delete mtls',
      'delete net',
      'delete fence',
      'delete allow',
    ]);
    const [first] = writes;
    expect(first?.verb === 'put' && first.object.spec).to.not.have.property('rules');
  });

  it('rule 1: makes a tombstone by closing ALLOW first', () => {
    const { objects: tombstone } = planMesh({ ...DEPLOYER, state: 'tombstone' }, SIDECAR);
    expect(rolesOf(planWrites(objects, tombstone))).to.deep.equal(['put allow', 'put fence', 'put net']);
  });

  it('rule 11: prunes after everything else is written', () => {
    const { objects: verified } = planMesh(DEPLOYER, { ...SIDECAR, authorizerProvider: 'agent-trust' });
    const { objects: closed } = planMesh({ ...DEPLOYER, delegators: [] }, SIDECAR);
    expect(rolesOf(planWrites(verified, closed))).to.deep.equal([
      'put allow',
      'put fence',
      'put net',
      'delete verify',
    ]);
  });

  it('rule 13: records before it stops to enforce, and enforces before it stops to record', () => {
    const { objects: recording } = planMesh({ ...DEPLOYER, state: 'dry-run' }, SIDECAR);
    expect(rolesOf(planWrites(objects, recording))).to.deep.equal([
      'put dryallow',
      'put dryfence',
      'put mtls',
      'delete net',
      'delete fence',
      'delete allow',
    ]);
    expect(rolesOf(planWrites(recording, objects))).to.deep.equal([
      'put allow',
      'put fence',
      'put mtls',
      'put net',
      'delete dryallow',
      'delete dryfence',
    ]);
  });

  it('opens a tombstone again with one write for each object', () => {
    const tombstone = {
      ...DEPLOYER,
      state: 'tombstone',
      labels: { 'agenttrust.dev/tombstone': 'true' },
    } as const;
    const writes = planWrites(planMesh(tombstone, SIDECAR).objects, objects);
    expect(rolesOf(writes)).to.deep.equal(['put mtls', 'put net', 'put fence', 'put allow']);
  });

  it('asks a new authorizer before it lets a new caller in', () => {
    const { objects: closed } = planMesh({ ...DEPLOYER, delegators: [] }, SIDECAR);
    const { objects: verified } = planMesh(DEPLOYER, { ...SIDECAR, authorizerProvider: 'agent-trust' });
    expect(rolesOf(planWrites(closed, verified))).to.deep.equal([
      'put verify',
      'put net',
      'put fence',
      'put allow',
    ]);
  });

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

  it('rule 2: lets in, wherever the operator may die, nothing that neither old nor new lets in', function () {
    this.timeout(60_000);
    const walked = { points: 0, between: 0 };
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const old = dice.chance(0.1) ? {} : rendered(dice);
      const wanted = dice.chance(0.05) ? {} : rendered(dice);
      walk(walked, `seed ${seed}`, { old, wanted, dataPlane: dice.one(PLANES) });
    }
    expect(walked.points).to.be.greaterThan(400);
    expect(walked.between).to.be.greaterThan(1_000);
  });

  it('rule 2: nor does it after others made anything of the objects', function () {
    this.timeout(60_000);
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
        walk({ points: 0, between: 0 }, what, { old, wanted: objects, dataPlane });
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

/** Judges every call after every write. */
function walk(
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

/** What others make of the objects in a few moves, so that what should refuse a call does not, or the reverse. */
function disarmedSets(): Readonly<Record<string, MeshObjects>> {
  const { objects } = planMesh(DEPLOYER, SIDECAR);
  const { objects: closed } = planMesh({ ...DEPLOYER, delegators: [] }, SIDECAR);
  const { objects: dry } = planMesh({ ...DEPLOYER, state: 'dry-run' }, SIDECAR);
  const [allow, dryallow] = [objects.allow ?? objectless(), dry.dryallow ?? objectless()];
  const armed = { ...dryallow, metadata: { ...dryallow.metadata, annotations: {} } };
  const open = { ...armed, spec: { ...allow.spec, rules: [{}] } };
  const disarmed = { ...allow, metadata: { ...allow.metadata, annotations: dryallow.metadata.annotations } };
  const { net = objectless() } = closed;
  return {
    'an ALLOW that only records': { ...closed, allow: disarmed },
    'a record that allows everything, and a closed NetworkPolicy': { ...objects, net, dryallow: open },
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
