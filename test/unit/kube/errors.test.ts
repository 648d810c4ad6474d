/** Errors: what the codes say, and what they never say. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import {
  asLost,
  describeSubject,
  isKubeError,
  isNamespaceTerminating,
  KUBE_ERRORS,
  KubeError,
  type KubeErrorCode,
} from '../../../src/kube/errors.ts';
import { WIDGET } from '../../support/loopback-transport.ts';

describe('KubeError', () => {
  it('knows whether trying again can help', () => {
    for (const [code, { retryable }] of Object.entries(KUBE_ERRORS)) {
      expect(new KubeError(code as KubeErrorCode, 'text').retryable, code).to.equal(retryable);
    }
  });
});

describe('isKubeError', () => {
  it('accepts any KubeError without codes, and one of the given codes', () => {
    const error = new KubeError('KUBE_CONFLICT', 'text');
    expect([isKubeError(error), isKubeError(error, 'KUBE_GONE', 'KUBE_CONFLICT')]).to.deep.equal([
      true,
      true,
    ]);
  });

  it('rejects other codes and other errors', () => {
    expect([
      isKubeError(new KubeError('KUBE_GONE', 'text'), 'KUBE_CONFLICT'),
      isKubeError(new Error('text')),
    ]).to.deep.equal([false, false]);
  });
});

describe('isNamespaceTerminating', () => {
  const forbidden = (reason: string) =>
    new KubeError('KUBE_FORBIDDEN', 'text', { causes: [{ reason, field: 'metadata.namespace' }] });

  it('accepts the cause that says so', () => {
    expect(isNamespaceTerminating(forbidden('NamespaceTerminating'))).to.equal(true);
  });

  it('rejects any other refusal', () => {
    expect(isNamespaceTerminating(forbidden('Other'))).to.equal(false);
  });
});

describe('asLost', () => {
  it('changes nothing else', () => {
    const cause = new Error('cause');
    const details = {
      httpStatus: 409,
      reason: 'Conflict',
      retryAfterMs: 5,
      causes: [],
      serverMessage: 'm',
      cause,
    };
    const lost = asLost(new KubeError('KUBE_CONFLICT', 'text', details));
    expect({ ...lost, message: lost.message, cause: lost.cause }).to.deep.equal({
      ...details,
      name: 'KubeError',
      code: 'KUBE_CONFLICT',
      lost: true,
      message: 'text',
    });
  });
});

describe('describeSubject', () => {
  it('says as much as there is', () => {
    const list = { verb: 'list', type: WIDGET };
    expect([
      describeSubject(list),
      describeSubject({ ...list, namespace: 'a' }),
      describeSubject({ verb: 'get', type: WIDGET, namespace: 'a', name: 'w' }),
    ]).to.deep.equal(['list widgets', 'list widgets a', 'get widgets a/w']);
  });
});
