import { expect } from 'chai';
import type { EffectiveEdge } from '../../../../src/domain/delegation/facts.ts';
import type { RefusalReason } from '../../../../src/domain/identity/eligibility.ts';
import { resolveServer } from '../../../../src/domain/mesh/resolve-server.ts';
import { resolveTarget, type TargetInput } from '../../../../src/domain/mesh/resolve-target.ts';

const LIMITS = { maxDepth: 2, tokens: { maxTtlSeconds: 120, maxUses: 1 } };
const EDGES: readonly EffectiveEdge[] = [
  {
    from: 'ai-agents/planner',
    to: 'ai-agents/deployer',
    grants: [
      { policy: 'ai-agents/p', rule: 0, capabilities: [{ name: 'write' }, { name: 'read' }], ...LIMITS },
      { policy: 'ai-agents/p', rule: 1, capabilities: [{ name: 'read' }], ...LIMITS },
    ],
  },
  { from: 'ai-agents/gone', to: 'ai-agents/deployer', grants: [] },
];

function targetOf(refusal?: RefusalReason, enforcement?: string): ReturnType<typeof resolveTarget> {
  return resolveTarget(inputOf(refusal, enforcement));
}

function inputOf(refusal?: RefusalReason, enforcement = 'Enforce'): TargetInput {
  return {
    namespace: 'ai-agents',
    name: 'deployer',
    serviceAccountName: 'deployer-sa',
    labels: { a: 'b' },
    annotations: { c: 'd' },
    server: resolveServer({ enforcement }, () => false),
    refusal,
    edges: EDGES,
    accountOf: (agent) =>
      agent === 'ai-agents/planner'
        ? { namespace: 'ai-agents', serviceAccountName: 'planner-sa' }
        : undefined,
  };
}

describe('resolveTarget', () => {
  it('lets in whoever has an edge, with the capabilities of all of its grants', () => {
    expect(targetOf()).to.deep.equal({
      namespace: 'ai-agents',
      name: 'deployer',
      serviceAccountName: 'deployer-sa',
      labels: { a: 'b' },
      annotations: { c: 'd' },
      state: 'enforce',
      port: 8443,
      routes: [{ method: 'POST', path: '/v1/delegate' }],
      callers: [],
      delegators: [
        { namespace: 'ai-agents', serviceAccountName: 'planner-sa', capabilities: ['read', 'write'] },
      ],
    });
  });

  for (const [refusal, enforced, recorded] of [
    ['Deleting', 'killed', 'killed'],
    ['Quarantined', 'killed', 'killed'],
    ['InvalidSpec', 'closed', 'dry-run'],
    ['NotServed', 'closed', 'dry-run'],
  ] as const) {
    it(`lets in nobody with ${refusal}`, () => {
      const targets = [targetOf(refusal), targetOf(refusal, 'DryRun')];
      expect(targets.map(({ state }) => state)).to.deep.equal([enforced, recorded]);
      for (const { routes, callers, delegators } of targets) {
        expect([routes, callers, delegators]).to.deep.equal([[], [], []]);
      }
    });
  }

  for (const refusal of ['ServiceAccountMissing', 'NamespaceRoleMissing'] as const) {
    it(`is not changed by ${refusal}, which says nothing about who may call`, () => {
      expect(targetOf(refusal)).to.deep.equal(targetOf());
    });
  }

  it('lets in nobody as long as the server has a value that cannot be served, whatever else is in the way', () => {
    const server = resolveServer({ server: { routes: [{ method: 'POST', path: 'x' }] } }, () => false);
    const { state, routes, delegators } = resolveTarget({ ...inputOf('NamespaceRoleMissing'), server });
    expect({ state, routes, delegators }).to.deep.equal({ state: 'closed', routes: [], delegators: [] });
  });

  it('only records with DryRun', () => {
    expect(targetOf(undefined, 'DryRun')).to.deep.equal({ ...targetOf(), state: 'dry-run' });
  });
});
