import { expect } from 'chai';
import { failureResponse, parseReview, reviewResponse } from '../../../src/servers/admission-review.ts';

const REQUEST = {
  uid: '705ab4f5',
  operation: 'UPDATE',
  namespace: 'ai-agents',
  name: 'swarm',
  resource: { group: 'agenttrust.dev', version: 'v1alpha1', resource: 'delegationpolicies' },
  object: { spec: 1 },
  oldObject: { spec: 0 },
};

function review(request: object, more: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request, ...more }),
  );
}

describe('parseReview', () => {
  it('reads what reviewers need', () => {
    expect(parseReview(review(REQUEST), 'delegationpolicies')).to.deep.equal({
      kind: 'review',
      request: {
        uid: '705ab4f5',
        operation: 'UPDATE',
        namespace: 'ai-agents',
        name: 'swarm',
        object: { spec: 1 },
        oldObject: { spec: 0 },
      },
    });
  });

  it('leaves out what the API server leaves out or sends as null', () => {
    const { uid, resource, object } = REQUEST;
    const created = { uid, operation: 'CREATE', resource, object, oldObject: null };
    expect(parseReview(review(created), 'delegationpolicies')).to.deep.equal({
      kind: 'review',
      request: { uid, operation: 'CREATE', object },
    });
  });

  for (const [what, body, problem] of [
    ['what is not JSON', Buffer.from('{'), 'the body is not JSON'],
    ['null', Buffer.from('null'), 'the body is no AdmissionReview of admission.k8s.io/v1'],
    [
      'another version',
      review(REQUEST, { apiVersion: 'admission.k8s.io/v1beta1' }),
      'the body is no AdmissionReview of admission.k8s.io/v1',
    ],
    ['a review without a uid', review({ ...REQUEST, uid: '' }), 'request.uid is missing'],
    [
      'an operation that there is not',
      review({ ...REQUEST, operation: 'GROW' }),
      'request.operation is none',
    ],
    [
      'a review of something else',
      review({ ...REQUEST, resource: { resource: 'pods' } }),
      'request.resource is not delegationpolicies',
    ],
  ] as const) {
    it(`rejects ${what}`, () => {
      expect(parseReview(body, 'delegationpolicies')).to.deep.equal({ kind: 'unreadable', problem });
    });
  }
});

describe('reviewResponse', () => {
  const responseOf = (text: string): unknown => {
    const { apiVersion, kind, response } = JSON.parse(text);
    expect([apiVersion, kind]).to.deep.equal(['admission.k8s.io/v1', 'AdmissionReview']);
    return response;
  };

  it('allows, with warnings and a patch', () => {
    const patch = [{ op: 'add' as const, path: '/metadata/labels', value: {} }];
    expect(responseOf(reviewResponse('1', { kind: 'allowed', warnings: ['w'], patch }))).to.deep.equal({
      uid: '1',
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      warnings: ['w'],
    });
  });

  it('says nothing of a patch and of warnings that there are not', () => {
    const answer = { kind: 'allowed' as const, warnings: [], patch: [] };
    expect(responseOf(reviewResponse('1', answer))).to.deep.equal({ uid: '1', allowed: true });
  });

  it('refuses as Forbidden', () => {
    const answer = { kind: 'refused' as const, message: 'because', warnings: ['w'] };
    expect(responseOf(reviewResponse('1', answer))).to.deep.equal({
      uid: '1',
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: 'because' },
      warnings: ['w'],
    });
  });

  it('refuses what could not be decided, and names the line in the log', () => {
    expect(responseOf(failureResponse('1', 'e-1'))).to.deep.equal({
      uid: '1',
      allowed: false,
      status: {
        code: 500,
        reason: 'InternalError',
        message:
          'could not be decided because of an error of the webhook, and is refused for that reason. Its log says more under errorId e-1.',
      },
    });
  });
});
