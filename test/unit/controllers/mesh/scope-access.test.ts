import { expect } from 'chai';
import type { MeshScope } from '../../../../src/controllers/mesh/mesh-view.ts';
import { scopeAccess } from '../../../../src/controllers/mesh/scope-access.ts';
import type { CacheState } from '../../../../src/kube/cache.ts';

type Served = Parameters<typeof scopeAccess>[0]['servesIstio'];

/** All caches are synced, but for those that are named. */
function accessWith(servesIstio: Served, states: Partial<Record<keyof MeshScope, CacheState>> = {}): string {
  const scope = Object.fromEntries(
    ['networkPolicies', 'services', 'authorizationPolicies', 'peerAuthentications', 'pods'].map((name) => [
      name,
      { state: 'synced', ...(name in states ? { state: states[name as keyof MeshScope] } : {}) },
    ]),
  );
  return scopeAccess({ servesIstio, kinds: () => [] }, scope as unknown as MeshScope);
}

describe('scopeAccess', () => {
  it('allows when everything is known, with a mesh and without', () => {
    expect([accessWith(true), accessWith(false)]).to.deep.equal(['allowed', 'allowed']);
    const starting = { authorizationPolicies: 'starting', peerAuthentications: 'refused' } as const;
    expect(accessWith(false, starting)).to.equal('allowed');
  });

  for (const name of ['networkPolicies', 'authorizationPolicies', 'peerAuthentications'] as const) {
    it(`does not know as long as ${name} are not listed, and is refused when they may not be`, () => {
      expect(accessWith(true, { [name]: 'starting' })).to.equal('unknown');
      expect(accessWith(true, { [name]: 'refused' })).to.equal('refused');
    });
  }

  it('does not know as long as Services are not listed: one may say that calls come through a waypoint', () => {
    expect(accessWith(true, { services: 'starting' })).to.equal('unknown');
  });

  it('lets walls stand while only one of the kinds of Istio is served', () => {
    expect(accessWith('in-part')).to.equal('in-part');
    expect(accessWith(undefined)).to.equal('unknown');
  });
});
