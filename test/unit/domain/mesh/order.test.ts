import { expect } from 'chai';
import type { MeshObject, MeshObjects, MeshRole, MeshWrite } from '../../../../src/domain/mesh/model.ts';
import { planWrites } from '../../../../src/domain/mesh/order.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import { Dice } from '../../../support/random-world.ts';
import { CALLS, DEPLOYER, letsIn, randomFacts, randomTarget, SIDECAR } from './fixture.ts';

const ROUNDS = 120;

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

  it('removes ALLOW last', () => {
    expect(rolesOf(planWrites(objects, {}))).to.deep.equal([
      'delete mtls',
      'delete net',
      'delete fence',
      'delete allow',
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

  it('lets in, at every point where the operator may die, nothing that neither old nor new lets in', function () {
    this.timeout(60_000);
    let points = 0;
    let mixed = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const old = dice.chance(0.1) ? {} : rendered(dice);
      const wanted = dice.chance(0.05) ? {} : rendered(dice);
      const states = statesOf(old, planWrites(old, wanted));
      expect(states.at(-1), `seed ${seed}`).to.deep.equal(wanted);
      for (const [at, state] of states.entries()) {
        points++;
        for (const call of CALLS) {
          const isLetIn = letsIn(state, call);
          const isFine = !isLetIn || letsIn(old, call) || letsIn(wanted, call);
          if (isLetIn && at > 0 && at < states.length - 1) mixed++;
          expect(isFine, `seed ${seed}, after ${at} writes: ${JSON.stringify(call)}`).to.equal(true);
        }
      }
    }
    expect(points).to.be.greaterThan(400);
    expect(mixed).to.be.greaterThan(1_000);
  });

  it('ends the same from every point where the operator may die', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const [old, wanted] = [rendered(dice), rendered(dice)];
      for (const state of statesOf(old, planWrites(old, wanted))) {
        expect(statesOf(state, planWrites(state, wanted)).at(-1)).to.deep.equal(wanted);
      }
    }
  });

  it('writes each object at most twice, however old and new differ', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const dice = new Dice(seed);
      const writes = planWrites(rendered(dice), rendered(dice));
      const counts = new Map<MeshRole, number>();
      for (const { role } of writes) counts.set(role, (counts.get(role) ?? 0) + 1);
      expect(Math.max(0, ...counts.values())).to.be.at.most(2);
    }
  });
});

function objectless(): MeshObject {
  throw new Error('the plan lacks an object');
}
