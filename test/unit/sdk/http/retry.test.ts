import { expect } from 'chai';
import { readRetryAfter, retryDelayMs, type TryOutcome } from '../../../../src/sdk/http/retry.ts';

type Result = TryOutcome['result'];
const answer = (status: number, more: Partial<Extract<Result, { kind: 'answer' }>> = {}): Result => ({
  kind: 'answer',
  status,
  refusal: undefined,
  retryAfterSeconds: undefined,
  ...more,
});
const failed = (reason: Extract<Result, { kind: 'failed' }>['reason']): Result => ({
  kind: 'failed',
  reason,
});

const ONCE = { isIdempotent: false, canReplay: true } as const;
const TWICE = { isIdempotent: true, canReplay: true } as const;
const delayAfter = (result: Result, repeatable: Parameters<typeof retryDelayMs>[1] = ONCE, attempts = 1) =>
  retryDelayMs({ attempts, result }, repeatable, { limits: {}, random: 0 });

describe('retryDelayMs', () => {
  for (const [what, result] of [
    ['nothing was sent', failed('unreachable')],
    ['the audience did not know the key yet', answer(401, { refusal: 'unknown_key' })],
  ] as const)
    it(`tries again when ${what}, after a back-off that doubles`, () => {
      expect([1, 2, 3].map((attempts) => delayAfter(result, ONCE, attempts))).to.deep.equal([100, 200, 400]);
    });

  it('tries again when the server asks for it, and not before it asks', () => {
    const busy = answer(503, { refusal: 'store_unavailable', retryAfterSeconds: 2 });
    expect(delayAfter(busy)).to.equal(2000);
    expect(delayAfter(answer(503, { retryAfterSeconds: 0 }))).to.equal(100);
  });

  for (const [what, result] of [
    ['a connection that was lost', failed('lost')],
    ['a token that somebody else has used', answer(401, { refusal: 'replayed' })],
  ] as const)
    it(`tries again after ${what} only what may be executed twice`, () => {
      expect(delayAfter(result, TWICE)).to.equal(100);
      expect(delayAfter(result, ONCE)).to.equal(undefined);
    });

  for (const [what, result] of [
    ['an answer', answer(200)],
    ['an error of the application', answer(500)],
    ['503 without Retry-After', answer(503)],
    ['503 with a Retry-After that is too long', answer(503, { retryAfterSeconds: 31 })],
    ['429', answer(429, { refusal: 'rate_limited', retryAfterSeconds: 1 })],
    ['another refusal', answer(403, { refusal: 'not_delegable' })],
    ['the wrong server', failed('wrong_server')],
    ['a caller that gave up', failed('aborted')],
  ] as const)
    it(`does not try again after ${what}, whatever the request`, () => {
      expect(delayAfter(result, TWICE)).to.equal(undefined);
    });

  it('does not try again after the last try', () => {
    expect(delayAfter(failed('unreachable'), TWICE, 4)).to.equal(undefined);
  });

  it('does not try again what is not there any more to be sent', () => {
    expect(delayAfter(failed('unreachable'), { isIdempotent: true, canReplay: false })).to.equal(undefined);
  });

  it('spreads the tries of many callers', () => {
    const delay = (random: number, result: Result) =>
      retryDelayMs({ attempts: 1, result }, ONCE, { limits: {}, random });
    expect(delay(1, failed('unreachable'))).to.equal(50);
    expect(delay(1, answer(503, { retryAfterSeconds: 2 }))).to.equal(2500);
  });
});

describe('readRetryAfter', () => {
  it('accepts seconds and dates', () => {
    expect(readRetryAfter('0', 0)).to.equal(0);
    expect(readRetryAfter('120', 0)).to.equal(120);
    const date = 'Fri, 20 Nov 2026 10:00:05 GMT';
    expect(readRetryAfter(date, Date.parse(date) - 5000)).to.equal(5);
    expect(readRetryAfter(date, Date.parse(date) + 5000)).to.equal(0);
  });

  it('rejects everything else', () => {
    for (const value of [null, '', '-1', '1.5', '1e3', 'soon', '9999999999', 'Abc, x'])
      expect(readRetryAfter(value, 0), String(value)).to.equal(undefined);
  });
});
