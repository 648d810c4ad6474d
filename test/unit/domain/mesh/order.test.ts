import { expect } from 'chai';
import type { MeshObjects } from '../../../../src/domain/mesh/model.ts';
import { planWrites } from '../../../../src/domain/mesh/order.ts';
import { planMesh } from '../../../../src/domain/mesh/plan.ts';
import { Dice } from '../../../support/random-world.ts';
import { PLANES, rendered, rolesOf, statesOf, walk } from './crash-points.ts';
import { DEPLOYER, letsIn, SIDECAR } from './fixture.ts';

const ROUNDS = 120;

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

  it('rule 2: lets in, wherever the operator may die, nothing that neither old nor new lets in', () => {
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
});
