import { expect } from 'chai';
import { planKill } from '../../../../src/domain/mesh/kill.ts';
import { lintMeshObject } from '../../../../src/domain/mesh/lint.ts';
import { meshAllows } from '../../../support/mesh/evaluate.ts';
import { CALLS } from './fixture.ts';

const PLACE = { rootNamespace: 'istio-system', trustDomain: 'example.org', labels: {} };
const POD = { namespace: 'anywhere', labels: {} };

function isLetIn(killed: readonly string[], principal: string): boolean {
  const [call] = CALLS;
  const request = {
    principal,
    namespace: 'x',
    labels: {},
    port: call?.port ?? 0,
    method: 'GET',
    path: '/',
    tokenVerified: true,
  };
  return meshAllows([planKill(killed, PLACE)], POD, request).allowed;
}

describe('planKill', () => {
  it('cuts killed agents off from every pod of the mesh, and nobody else', () => {
    const killed = ['example.org/ns/a/sa/b', 'example.org/ns/a/sa/a'];
    expect(isLetIn(killed, 'example.org/ns/a/sa/a')).to.equal(false);
    expect(isLetIn(killed, 'example.org/ns/a/sa/c')).to.equal(true);
  });

  it('refuses nobody when nobody is killed, and still has a rule, without which Istio refuses a DENY', () => {
    expect(isLetIn([], 'example.org/ns/a/sa/a')).to.equal(true);
    expect(planKill([], PLACE).spec['rules']).to.have.length(1);
  });

  it('rule 14: says nothing that Istio would refuse', () => {
    const policies = [[], ['example.org/ns/a/sa/b']].map((killed) => planKill(killed, PLACE));
    expect(policies.flatMap(lintMeshObject)).to.deep.equal([]);
  });

  it('gives the same bytes whatever the order', () => {
    expect(planKill(['b', 'a', 'b'], PLACE)).to.deep.equal(planKill(['a', 'b'], PLACE));
  });
});
