import { expect } from 'chai';
import { parseJson } from '../../../../../src/domain/json/parse.ts';
import { Fault } from '../../../../../src/domain/json/shape.ts';
import { readClaims } from '../../../../../src/domain/token/claims-shape.ts';
import { REFUSAL_NAMES, refuse } from '../../../../../src/domain/token/refusal.ts';
import type { TokenRefusal } from '../../../../../src/domain/token/verify/examine.ts';
import {
  answerRefusal,
  readRefusalName,
  refusalStatus,
} from '../../../../../src/domain/token/wire/refusal-answer.ts';
import { ROOT_CLAIMS } from '../../../../support/token/scene.ts';

function claimed(isAuthentic: boolean): NonNullable<TokenRefusal['claimed']> {
  const parsed = parseJson(JSON.stringify(ROOT_CLAIMS), 4096);
  const claims = parsed.kind === 'value' ? readClaims(parsed.value) : undefined;
  if (claims === undefined || claims instanceof Fault) throw new Error('no claims');
  return { isAuthentic, claims };
}

describe('refusalStatus', () => {
  it('is that of the reference, for every name', () => {
    const byStatus = Object.groupBy(REFUSAL_NAMES, (name) => String(refusalStatus(name)));
    expect(byStatus).to.deep.equal({
      400: ['malformed'],
      401: [
        'wrong_type',
        'unknown_claim',
        'wrong_audience',
        'not_yet_valid',
        'expired',
        'too_long_lived',
        'unknown_issuer',
        'issuer_mismatch',
        'unknown_key',
        'wrong_algorithm',
        'bad_signature',
        'chain_broken',
        'principal_changed',
        'suspended',
        'revoked',
        'holder_mismatch',
        'proof_invalid',
        'replayed',
      ],
      403: [
        'depth_exceeded',
        'not_narrower',
        'root_not_allowed',
        'not_delegable',
        'capability_not_granted',
        'resource_not_granted',
        'fanout_exceeded',
      ],
      429: ['rate_limited'],
      503: ['stale_state', 'replay_unknown', 'store_unavailable'],
    });
  });
});

describe('answerRefusal', () => {
  it('names the refusal in the field, in the challenge and in the problem', () => {
    const refusal = refuse('depth_exceeded', 'The tokens allow a depth of 2 only.', { depth: 3 });
    const { body, ...head } = answerRefusal({ ...refusal, claimed: claimed(true) });
    expect(head).to.deep.equal({
      status: 403,
      headers: {
        'agent-trust-refusal': 'depth_exceeded',
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'www-authenticate': 'Bearer error="insufficient_scope", error_description="depth_exceeded"',
      },
    });
    expect(JSON.parse(body)).to.deep.equal({
      type: 'https://agenttrust.dev/refusals/depth_exceeded',
      title: 'delegation denied',
      detail: 'The tokens allow a depth of 2 only.',
      transaction: ROOT_CLAIMS['txn'],
    });
  });

  it('does not repeat a transaction that nobody has signed', () => {
    const { body } = answerRefusal({ ...refuse('expired', 'x'), claimed: claimed(false) });
    expect(JSON.parse(body)).to.not.have.property('transaction');
  });

  it('makes the challenge with the scheme of the token, and with the error of RFC 6750 or RFC 9449', () => {
    const challenge = (name: Parameters<typeof refuse>[0]) =>
      answerRefusal(refuse(name, 'x'), 'DPoP').headers['www-authenticate'];
    expect(challenge('replayed')).to.equal('DPoP error="invalid_token", error_description="replayed"');
    expect(challenge('proof_invalid')).to.equal(
      'DPoP error="invalid_dpop_proof", error_description="proof_invalid"',
    );
    expect(challenge('malformed')).to.equal('DPoP error="invalid_request", error_description="malformed"');
  });

  it('asks for another try, and for no other token, where the token is not to blame', () => {
    const headersOf = (name: Parameters<typeof refuse>[0], detail = {}) => {
      const { headers } = answerRefusal(refuse(name, 'x', detail));
      return [headers['retry-after'], headers['www-authenticate']];
    };
    expect(headersOf('stale_state')).to.deep.equal(['5', undefined]);
    expect(headersOf('replay_unknown')).to.deep.equal(['11', undefined]);
    expect(headersOf('store_unavailable')).to.deep.equal(['1', undefined]);
    expect(headersOf('rate_limited', { retryAfterSeconds: 6.2 })).to.deep.equal(['7', undefined]);
  });
});

describe('readRefusalName', () => {
  it('accepts a name with its status', () => {
    expect(readRefusalName(401, 'replayed')).to.equal('replayed');
  });

  it('rejects what an application may have written', () => {
    for (const [status, value] of [
      [401, null],
      [200, 'replayed'],
      [403, 'replayed'],
      [401, 'Replayed'],
      [401, 'other'],
    ] as const)
      expect(readRefusalName(status, value), `${status} ${value}`).to.equal(undefined);
  });
});
