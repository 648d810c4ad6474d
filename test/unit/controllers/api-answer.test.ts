import { expect } from 'chai';
import { describeRefusal, judgeAnswer } from '../../../src/controllers/api-answer.ts';
import { KUBE_ERRORS, KubeError, type KubeErrorCode } from '../../../src/kube/errors.ts';

const CODES = Object.keys(KUBE_ERRORS) as KubeErrorCode[];

function failure(code: KubeErrorCode, causes: KubeError['causes'] = []): KubeError {
  return new KubeError(code, 'create secrets ai-agents/agent-deployer: no', { causes });
}

function judged(wasContested: boolean): Record<string, string[]> {
  return Object.groupBy(CODES, (code) => judgeAnswer(failure(code), wasContested)) as Record<
    string,
    string[]
  >;
}

describe('judgeAnswer', () => {
  const passing = ['KUBE_CONFLICT', 'KUBE_ABORTED', 'KUBE_LEASE_NOT_HELD'];
  const refused = ['KUBE_INVALID', 'KUBE_BAD_REQUEST', 'KUBE_FORBIDDEN'];
  const unanswered = [
    'KUBE_NOT_FOUND',
    'KUBE_GONE',
    'KUBE_UNAUTHORIZED',
    'KUBE_TOO_MANY_REQUESTS',
    'KUBE_UNAVAILABLE',
    'KUBE_PROTOCOL',
    'KUBE_NO_CREDENTIALS',
  ];

  it('tells what passes, what is refused, and what was not answered', () => {
    expect(judged(false)).to.deep.equal({
      passing: ['KUBE_ALREADY_EXISTS', ...passing],
      refused,
      unanswered,
    });
  });

  it('takes a name that is taken after a read past the cache for no answer', () => {
    const [notFound = '', ...others] = unanswered;
    expect(judged(true)).to.deep.equal({
      passing,
      refused,
      unanswered: [notFound, 'KUBE_ALREADY_EXISTS', ...others],
    });
  });

  it('sees that the namespace is going away', () => {
    const causes = [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }];
    expect(judgeAnswer(failure('KUBE_FORBIDDEN', causes))).to.equal('terminating');
  });
});

describe('describeRefusal', () => {
  it('names the fields that the server names', () => {
    const causes = ['spec.a', '', 'spec.b'].map((field) => ({ reason: 'FieldValueInvalid', field }));
    expect(describeRefusal(failure('KUBE_INVALID', causes))).to.equal(
      'create secrets ai-agents/agent-deployer: no (spec.a, spec.b)',
    );
  });

  it('adds nothing when the server names none', () => {
    expect(describeRefusal(failure('KUBE_FORBIDDEN'))).to.equal(
      'create secrets ai-agents/agent-deployer: no',
    );
  });
});
