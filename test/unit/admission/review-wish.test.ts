/** What holds for every kind; DelegationPolicy stands for all of them where one is enough. */

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { reviewBoundary } from '../../../src/admission/boundary.ts';
import { reviewIdentity } from '../../../src/admission/identity.ts';
import type { Known } from '../../../src/admission/known.ts';
import { reviewPolicy } from '../../../src/admission/policy.ts';
import type { AdmissionRequest, Reviewer } from '../../../src/admission/review.ts';
import {
  creation,
  type KnownCluster,
  type KnownLists,
  startKnown,
  stored,
  update,
} from '../../support/known-cluster.ts';

const ALLOWED = { kind: 'allowed' };
/** Refused if it is looked at. */
const BAD_RULES = [{ from: 'a', to: ['ai/a'], capabilities: [{ name: 'x' }] }];
const POLICY = stored('ai/swarm', { rules: BAD_RULES });

const REVIEWERS: Readonly<Record<string, (known: Known) => Reviewer>> = {
  DelegationPolicy: reviewPolicy,
  AgentIdentity: reviewIdentity,
  CapabilityBoundary: reviewBoundary,
};

describe('wishReviewer', () => {
  let cluster: KnownCluster | undefined;

  async function reviewers(lists: KnownLists = {}): Promise<Readonly<Record<string, Reviewer>>> {
    cluster = await startKnown(lists);
    const { known } = cluster;
    return Object.fromEntries(Object.entries(REVIEWERS).map(([kind, make]) => [kind, make(known)]));
  }

  async function reviewer(lists: KnownLists = {}): Promise<Reviewer> {
    cluster = await startKnown(lists);
    return reviewPolicy(cluster.known);
  }

  afterEach(async () => {
    await cluster?.close();
    cluster = undefined;
  });

  it('rejects what it cannot know yet, and says what is missing', async () => {
    const review = await reviewer({ unanswered: 'namespaces' });
    const message = 'not ready: namespaces are not known yet; try again';
    expect(review(creation(POLICY))).to.deep.equal({ kind: 'refused', message });
  });

  it('accepts what asks for nothing, even when nothing is known', async () => {
    const review = await reviewer({ unanswered: 'agentidentities' });
    const labelled = { ...POLICY, metadata: { ...POLICY.metadata, labels: { a: 'b' } } };
    expect(review(update(POLICY, labelled))).to.deep.equal(ALLOWED);
    expect(review({ ...creation(POLICY), operation: 'DELETE' })).to.deep.equal(ALLOWED);
    const going = { ...POLICY, metadata: { ...POLICY.metadata, deletionTimestamp: '2026-02-01T00:00:00Z' } };
    expect(review(update(going, { ...going, spec: { rules: [...BAD_RULES, ...BAD_RULES] } }))).to.deep.equal(
      ALLOWED,
    );
  });

  it('accepts a suspended identity, whatever else it says and even when nothing is known', async () => {
    const { AgentIdentity: review } = await reviewers({ unanswered: 'delegationpolicies' });
    const spec = { suspended: true, callers: [{ serviceAccounts: ['ai/a'], ports: [1], paths: ['/x'] }] };
    expect(review?.(update(stored('ai/a', {}), stored('ai/a', spec)))).to.deep.equal(ALLOWED);
    expect(review?.(creation(stored('ai/a', spec)))).to.deep.equal(ALLOWED);
    expect(review?.(creation(stored('ai/a', { ...spec, suspended: false })))?.kind).to.equal('refused');
  });

  it('does not take a deletion that only the new object claims for one', async () => {
    const review = await reviewer();
    const claims = { ...POLICY, metadata: { ...POLICY.metadata, deletionTimestamp: '2026-02-01T00:00:00Z' } };
    expect(review(creation(claims)).kind).to.equal('refused');
    expect(review(update(stored('ai/swarm', {}), claims)).kind).to.equal('refused');
  });

  it('accepts everything in a namespace that is not served, and says that it has no effect', async () => {
    const review = await reviewer();
    for (const namespace of ['elsewhere', 'kube-system', 'agent-trust-system']) {
      expect(review(creation(stored(`${namespace}/swarm`, { rules: BAD_RULES })))).to.deep.equal({
        kind: 'allowed',
        warnings: [`namespace ${namespace} is not served by agent-trust: this has no effect there`],
      });
    }
  });

  it('rejects an operation or a scope that it does not know', async () => {
    const all = await reviewers();
    const message = (kind: string): string =>
      `this ${kind} is not understood: its fields are not of the types that the schema says`;
    const connect: AdmissionRequest = {
      ...creation(stored('ai/a', { namespaceSelector: {} })),
      operation: 'CONNECT',
    };
    for (const [kind, review] of Object.entries(all))
      expect(review(connect)).to.deep.equal({ kind: 'refused', message: message(kind) });
    const nowhere = creation(stored('swarm', {}));
    expect(all['DelegationPolicy']?.(nowhere)).to.deep.equal({
      kind: 'refused',
      message: message('DelegationPolicy'),
    });
    const somewhere = creation(stored('ai/limit', { namespaceSelector: {} }));
    expect(all['CapabilityBoundary']?.(somewhere)).to.deep.equal({
      kind: 'refused',
      message: message('CapabilityBoundary'),
    });
  });

  it('rejects objects of an odd shape without failing', async () => {
    const all = await reviewers();
    const odd: readonly unknown[] = [
      undefined,
      null,
      0,
      'text',
      true,
      [],
      {},
      [null],
      ['a'],
      { a: null },
      [[1]],
      Number.NEGATIVE_INFINITY,
    ];
    const fields = [
      'rules',
      'maxDepth',
      'capabilities',
      'callers',
      'server',
      'certificate',
      'tokens',
      'acceptFrom',
      'namespaceSelector',
      'suspended',
      'enforcement',
      'serviceAccountName',
    ];
    let refused = 0;
    for (const [kind, review] of Object.entries(all)) {
      const id = kind === 'CapabilityBoundary' ? 'thing' : 'ai/thing';
      const base = stored(id, kind === 'CapabilityBoundary' ? { namespaceSelector: {} } : {});
      const objects = [
        ...odd,
        ...odd.map((metadata) => ({ ...base, metadata })),
        ...odd.map((spec) => ({ ...base, spec })),
        ...fields.flatMap((field) =>
          odd.map((value) => ({ ...base, spec: { ...base.spec, [field]: value } })),
        ),
        ...fields.flatMap((field) =>
          odd.map((value) => ({
            ...base,
            spec: { ...base.spec, [field]: [value, { [field]: value, name: value, to: value, from: value }] },
          })),
        ),
      ];
      for (const object of objects) {
        const request = { ...creation(base), object };
        if (review(request).kind === 'refused') refused++;
        review({ ...request, operation: 'UPDATE', oldObject: base });
        review({ ...request, operation: 'UPDATE', object: base, oldObject: object });
      }
    }
    expect(refused).to.be.greaterThan(400);
  });

  it('takes a stored object of an odd shape for none, so that all is new', async () => {
    const review = await reviewer({ agentidentities: [stored('ai/a', {})] });
    const wide = stored('ai/swarm', { rules: [{ from: 'a', to: ['b'], capabilities: [{ name: 'x' }] }] });
    expect(review({ ...update(wide, wide), oldObject: { spec: 1 } }).kind).to.equal('refused');
  });
});
