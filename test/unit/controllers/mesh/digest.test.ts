import { expect } from 'chai';
import { type PolicyObject, policyDigest } from '../../../../src/controllers/mesh/digest.ts';

const OBJECT: PolicyObject = {
  metadata: { name: 'x', namespace: 'y', labels: { 'agenttrust.dev/managed': 'true' } },
  spec: { action: 'ALLOW', selector: { matchLabels: { a: 'b', c: 'd' } } },
};

function withMetadata(metadata: Partial<PolicyObject['metadata']>): PolicyObject {
  return { ...OBJECT, metadata: { ...OBJECT.metadata, ...metadata } };
}

describe('policyDigest', () => {
  it('is short, and the same however the fields are ordered', () => {
    const spec = { selector: { matchLabels: { c: 'd', a: 'b' } }, action: 'ALLOW' };
    expect(policyDigest({ ...OBJECT, spec })).to.equal(policyDigest(OBJECT));
    expect(policyDigest(OBJECT)).to.have.length(22);
  });

  for (const [what, metadata] of [
    ['labels of others', { labels: { ...OBJECT.metadata.labels, team: 'red', 'example.org/x': 'y' } }],
    ['annotations of others', { annotations: { 'kubectl.kubernetes.io/x': 'y', 'notistio.io/x': 'y' } }],
    ['versions and times', { uid: 'u', resourceVersion: '7', generation: 3, finalizers: ['a/b'] }],
  ] as const) {
    it(`takes no notice of ${what}`, () => {
      expect(policyDigest(withMetadata(metadata))).to.equal(policyDigest(OBJECT));
    });
  }

  for (const [what, object] of [
    ['the spec', { ...OBJECT, spec: { ...OBJECT.spec, rules: [] } }],
    ['a label of ours', withMetadata({ labels: {} })],
    [
      'another label of ours',
      withMetadata({ labels: { ...OBJECT.metadata.labels, 'agenttrust.dev/x': 'y' } }),
    ],
    ['an annotation that disarms it', withMetadata({ annotations: { 'istio.io/dry-run': 'true' } })],
    ['an annotation of a part of Istio', withMetadata({ annotations: { 'ambient.istio.io/x': 'y' } })],
    ['tracking by Argo CD', withMetadata({ annotations: { 'argocd.argoproj.io/tracking-id': 'x' } })],
    ['an owner', withMetadata({ ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] })],
  ] as const) {
    it(`changes with ${what}`, () => {
      expect(policyDigest(object)).to.not.equal(policyDigest(OBJECT));
    });
  }
});
