/** Status answers as errors. */

import { expect } from 'chai';
import { describe, it } from 'mocha';
import { SECRET } from '../../../src/kube/core-types.ts';
import { retryAfterMs, statusError } from '../../../src/kube/status-error.ts';
import { WIDGET } from '../../support/loopback-transport.ts';

const UPDATE = { verb: 'update', type: WIDGET, namespace: 'a', name: 'w' };
const NOW_MS = Date.UTC(2026, 0, 1);

describe('statusError', () => {
  const codes: readonly [number, string, string][] = [
    [400, 'BadRequest', 'KUBE_BAD_REQUEST'],
    [401, 'Unauthorized', 'KUBE_UNAUTHORIZED'],
    [403, 'Forbidden', 'KUBE_FORBIDDEN'],
    [404, 'NotFound', 'KUBE_NOT_FOUND'],
    [406, 'NotAcceptable', 'KUBE_BAD_REQUEST'],
    [408, 'Timeout', 'KUBE_UNAVAILABLE'],
    [409, 'Conflict', 'KUBE_CONFLICT'],
    [409, 'AlreadyExists', 'KUBE_ALREADY_EXISTS'],
    [410, 'Expired', 'KUBE_GONE'],
    [415, 'UnsupportedMediaType', 'KUBE_BAD_REQUEST'],
    [422, 'Invalid', 'KUBE_INVALID'],
    [429, 'TooManyRequests', 'KUBE_TOO_MANY_REQUESTS'],
    [500, 'InternalError', 'KUBE_UNAVAILABLE'],
    [503, 'ServiceUnavailable', 'KUBE_UNAVAILABLE'],
    [504, 'Timeout', 'KUBE_UNAVAILABLE'],
    [302, 'Found', 'KUBE_PROTOCOL'],
  ];
  for (const [httpStatus, reason, code] of codes) {
    it(`turns ${httpStatus} ${reason} into ${code}`, () => {
      const error = statusError(UPDATE, { httpStatus, status: { reason }, nowMs: NOW_MS });
      expect([error.code, error.message]).to.deep.equal([
        code,
        `update widgets a/w: ${httpStatus} ${reason}`,
      ]);
    });
  }

  it("keeps causes without their messages, and the server's words in short", () => {
    const status = {
      reason: 'Invalid',
      message: 'y'.repeat(600),
      details: {
        causes: [{ reason: 'FieldValueInvalid', field: 'spec.x', message: 'Invalid value: "s3cret"' }],
      },
    };
    const { stack: _, ...error } = statusError(UPDATE, { httpStatus: 422, status, nowMs: NOW_MS });
    expect(error).to.deep.equal({
      name: 'KubeError',
      code: 'KUBE_INVALID',
      httpStatus: 422,
      reason: 'Invalid',
      retryAfterMs: undefined,
      causes: [{ reason: 'FieldValueInvalid', field: 'spec.x' }],
      serverMessage: 'y'.repeat(500),
      lost: false,
    });
  });

  it('says nothing of what the server says about a Secret', () => {
    const status = { reason: 'Invalid', message: 'Invalid value: "s3cret"' };
    const error = statusError({ ...UPDATE, type: SECRET }, { httpStatus: 422, status, nowMs: NOW_MS });
    expect(JSON.stringify({ ...error, message: error.message })).not.to.include('s3cret');
  });

  it('does not take text for a reason', () => {
    const error = statusError(UPDATE, { httpStatus: 500, status: { reason: 'tls: "key"' }, nowMs: NOW_MS });
    expect([error.reason, error.message]).to.deep.equal([
      undefined,
      'update widgets a/w: 500 no reason given',
    ]);
  });

  it('takes an Invalid about the uid for a conflict', () => {
    const status = { reason: 'Invalid', details: { causes: [{ field: 'metadata.uid' }] } };
    expect(statusError(UPDATE, { httpStatus: 422, status, nowMs: NOW_MS }).code).to.equal('KUBE_CONFLICT');
  });

  it('counts a write as lost at 5xx, and nothing else', () => {
    const lost = (verb: string, httpStatus: number) =>
      statusError({ ...UPDATE, verb }, { httpStatus, status: undefined, nowMs: NOW_MS }).lost;
    expect([lost('update', 500), lost('get', 500), lost('update', 409)]).to.deep.equal([true, false, false]);
  });

  it('takes the wait from the header, else from the details', () => {
    const status = { details: { retryAfterSeconds: 7 } };
    const answer = { httpStatus: 429, status, nowMs: NOW_MS };
    expect([
      statusError(UPDATE, answer).retryAfterMs,
      statusError(UPDATE, { ...answer, retryAfter: '3' }).retryAfterMs,
    ]).to.deep.equal([7000, 3000]);
  });

  it('survives any body', () => {
    for (const status of [undefined, null, 'text', 5, [], { details: { causes: [null, 5, 'x'] } }]) {
      expect(statusError(UPDATE, { httpStatus: 404, status, nowMs: NOW_MS }).code).to.equal('KUBE_NOT_FOUND');
    }
  });
});

describe('retryAfterMs', () => {
  it('accepts seconds and dates, and never more than a minute', () => {
    const values = ['0', '12', '61', 'Thu, 01 Jan 2026 00:00:05 GMT', 'Wed, 31 Dec 2025 00:00:00 GMT'];
    expect(values.map((value) => retryAfterMs(value, NOW_MS))).to.deep.equal([0, 12_000, 60_000, 5000, 0]);
  });

  it('rejects anything else', () => {
    expect([undefined, '', 'soon'].map((value) => retryAfterMs(value, NOW_MS))).to.deep.equal(
      Array(3).fill(undefined),
    );
  });
});
