/** What thrown values mean to the controller loop, and what of them is logged. */

import { expect } from 'chai';
import type { KubeErrorCode } from '../../../src/kube/errors.ts';
import { KUBE_ERRORS, KubeError } from '../../../src/kube/errors.ts';
import type { FailureKind } from '../../../src/kube/failure.ts';
import { fieldsOf, judgeFailure } from '../../../src/kube/failure.ts';

class SignerDown extends Error {
  readonly code = 'SIGNER_UNAVAILABLE';
  readonly retryable = true;
}

const byCode: Readonly<Partial<Record<KubeErrorCode, FailureKind>>> = {
  KUBE_CONFLICT: 'race',
  KUBE_ALREADY_EXISTS: 'race',
  KUBE_LEASE_NOT_HELD: 'race',
  KUBE_ABORTED: 'retryable',
  KUBE_NOT_FOUND: 'retryable',
  KUBE_PROTOCOL: 'retryable',
};

describe('judgeFailure', () => {
  for (const code of Object.keys(KUBE_ERRORS) as KubeErrorCode[]) {
    const kind = byCode[code] ?? (KUBE_ERRORS[code].retryable ? 'retryable' : 'terminal');
    it(`takes ${code} as ${kind}`, () => {
      expect(judgeFailure(new KubeError(code, 'get secrets a/x'), false)).to.deep.equal({
        kind,
        retryAfterMs: 0,
        fields: { code, error: 'get secrets a/x' },
      });
    });
  }

  it('keeps what the server asked to wait', () => {
    const error = new KubeError('KUBE_TOO_MANY_REQUESTS', 'list secrets', { retryAfterMs: 3000 });
    expect(judgeFailure(error, false).retryAfterMs).to.equal(3000);
  });

  it('knows an error of another layer by its code', () => {
    expect(judgeFailure(new SignerDown('no answer'), false).kind).to.equal('retryable');
  });

  it('takes whatever is thrown after the time is over as a time-out', () => {
    expect(judgeFailure(new TypeError('x'), true).kind).to.equal('timeout');
  });

  for (const bug of [
    new TypeError('x is undefined'),
    Object.assign(new Error('x'), { code: 'ENOENT' }),
    'x',
    undefined,
  ]) {
    it(`takes ${String(bug)} as a bug`, () => {
      expect(judgeFailure(bug, false).kind).to.equal('bug');
    });
  }
});

describe('fieldsOf', () => {
  it('gives the stack of a bug', () => {
    const bug = new TypeError('x is undefined');
    expect(fieldsOf(bug)).to.deep.equal({ error: bug.stack });
  });

  it('leaves out the input that JSON.parse quotes', () => {
    let thrown: unknown;
    try {
      JSON.parse('hunter2');
    } catch (error) {
      thrown = error;
    }
    expect(String(thrown)).to.include('hunter2');
    expect(fieldsOf(thrown)['error']).to.match(/^SyntaxError: \(text left out\)\n +at /);
  });

  it('says no more than the type of what is not an error', () => {
    expect(fieldsOf('hunter2')).to.deep.equal({ error: 'thrown: string' });
  });
});
