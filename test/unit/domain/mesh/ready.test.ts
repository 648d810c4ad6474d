import { expect } from 'chai';
import { judgeCoverage } from '../../../../src/domain/mesh/ready.ts';
import type { CoverageFacts, PodFacts } from '../../../../src/domain/mesh/ready-facts.ts';

const LABELS = { 'agenttrust.dev/identity': 'deployer-sa' };
const POD: PodFacts = {
  name: 'deployer-7c9-a',
  labels: LABELS,
  hostNetwork: false,
  isMeshed: true,
  isInjectionOff: false,
  exclusions: [],
  workload: 'deployment/deployer',
};
const STRICT = {
  namespace: 'ai-agents',
  name: 'at-mtls',
  createdAt: '2026-01-01T00:00:00Z',
  matchLabels: LABELS,
  mode: 'STRICT',
  portModes: {},
} as const;
const FACTS: CoverageFacts = {
  namespace: 'ai-agents',
  serviceAccountName: 'deployer-sa',
  port: 8443,
  isDryRun: false,
  servesIstio: true,
  dataPlane: 'sidecar',
  rootNamespace: 'istio-system',
  pods: [POD],
  foreignAllows: [],
  foreignNetworkPolicies: [],
  peers: [STRICT],
  notes: [],
};

function pods(...traits: readonly Partial<PodFacts>[]): Pick<CoverageFacts, 'pods'> {
  return { pods: [POD, ...traits.map((trait, at) => ({ ...POD, name: `pod-${at}`, ...trait }))] };
}

/** Reason and message. */
function said(facts: Partial<CoverageFacts>): string {
  const { reason, message } = judgeCoverage({ ...FACTS, ...facts });
  return `${reason} ${message}`;
}

describe('judgeCoverage', () => {
  it('accepts pods that all stand behind the wall, and none', () => {
    expect(said({})).to.equal('Covered Every pod that runs as this agent is covered (1).');
    expect(said({ pods: [] })).to.equal('Covered No pod runs as this agent.');
  });

  it('names pods without the label, and how to get it', () => {
    expect(said(pods({ labels: {} }, { labels: { 'agenttrust.dev/identity': 'other' } }))).to.equal(
      'Degraded UnlabelledPods: 2 of 3 pods are open to every caller, without the label agenttrust.dev/identity=deployer-sa: pod-0, pod-1. Restart: kubectl rollout restart deployment/deployer. If that does not help, put the label into the pod template.',
    );
  });

  it('names at most five pods', () => {
    const many = pods(...Array.from({ length: 7 }, () => ({ labels: {} })));
    expect(said(many)).to.include(': pod-0, pod-1, pod-2, pod-3, pod-4 and 2 more. ');
  });

  for (const [reason, trait] of [
    ['HostNetwork', { hostNetwork: true }],
    ['InjectionOff', { isMeshed: false, isInjectionOff: true }],
    ['NotMeshed', { isMeshed: false }],
    ['TrafficExcluded', { exclusions: ['x'] }],
  ] as const) {
    it(`rejects a pod with ${JSON.stringify(trait)}`, () => {
      expect(said(pods(trait))).to.match(new RegExp(`^Degraded ${reason}: 1 of 2 pods is .*: pod-0\\.`));
    });
  }

  it('tells the worst first, and the others by name', () => {
    expect(said(pods({ labels: {} }, { isMeshed: false }, { hostNetwork: true }))).to.match(
      /^Degraded HostNetwork: .* Also: UnlabelledPods, NotMeshed\.$/,
    );
  });

  it('rejects a namespace that is not in the mesh, but not for pods that are all the same', () => {
    expect(said({ dataPlane: 'none', pods: [] })).to.match(/^Degraded NamespaceNotMeshed: /);
    expect(said({ dataPlane: 'none', pods: [{ ...POD, isMeshed: false }] })).to.match(
      /^Degraded NamespaceNotMeshed: /,
    );
    expect(said({ dataPlane: 'none' })).to.match(/^Covered /);
  });

  it('rejects a PeerAuthentication that is older and takes anything', () => {
    const older = {
      ...STRICT,
      name: 'legacy',
      createdAt: '2025-01-01T00:00:00Z',
      mode: 'PERMISSIVE',
    } as const;
    expect(said({ peers: [STRICT, older] })).to.equal(
      'Degraded PermissivePeer: PeerAuthentication ai-agents/legacy is older than ours and says PERMISSIVE, and the oldest wins. Delete it, or set it to STRICT.',
    );
    expect(said({ peers: [STRICT, older], isDryRun: true })).to.match(/^Covered /);
  });

  it('names objects of others that select the pods, and only those', () => {
    const foreign = { namespace: 'ai-agents', name: 'theirs', selector: { matchLabels: LABELS } };
    const elsewhere = { ...foreign, name: 'elsewhere', selector: { matchLabels: { app: 'x' } } };
    expect(said({ foreignAllows: [elsewhere, foreign] })).to.equal(
      'Degraded ForeignAllow: AuthorizationPolicies of others with action ALLOW select these pods: ai-agents/theirs; our DENY policy keeps everybody else out, and callers of ours gain what it allows them. Delete them, or let them select other pods.',
    );
    expect(said({ foreignNetworkPolicies: [elsewhere, { ...foreign, selector: {} }] })).to.match(
      /^Degraded ForeignNetworkPolicy: .*: ai-agents\/theirs; the mesh still refuses what it lets in\./,
    );
    expect(said({ foreignAllows: [elsewhere], foreignNetworkPolicies: [elsewhere] })).to.match(/^Covered /);
  });

  it('tells what rendering has to say', () => {
    const notes = [{ reason: 'WaypointNotYet', message: 'Closed.' }];
    expect(said({ notes })).to.equal('Degraded WaypointNotYet: Closed.');
  });

  it('says where no mesh is, with what makes the NetworkPolicy worth nothing', () => {
    const bare = { servesIstio: false, peers: [], dataPlane: 'none' } as const;
    expect(said({ ...bare, pods: [{ ...POD, isMeshed: false }] })).to.match(
      /^NotInstalled This cluster serves no AuthorizationPolicy .* enforces it\.$/,
    );
    expect(said({ ...bare, ...pods({ labels: {} }) })).to.match(
      /^NotInstalled .* UnlabelledPods: 1 of 2 pods is open/,
    );
    const foreign = { namespace: 'ai-agents', name: 'theirs', selector: {} };
    expect(said({ ...bare, foreignNetworkPolicies: [foreign] })).to.include('nothing refuses');
  });
});
