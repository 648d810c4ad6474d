import { expect } from 'chai';
import {
  type RequestCondition,
  type RequestState,
  requestState,
} from '../../../../src/domain/issuance/request-state.ts';

const condition = (type: string, status: string, reason?: string): RequestCondition => ({
  type,
  status,
  ...(reason === undefined ? {} : { reason }),
});
const APPROVED = condition('Approved', 'True');
const READY = condition('Ready', 'True', 'Issued');

describe('requestState', () => {
  const CASES: readonly (readonly [string, readonly RequestCondition[], boolean, RequestState])[] = [
    ['nothing', [], false, { kind: 'waiting', isApproved: false }],
    ['an approval', [APPROVED], false, { kind: 'waiting', isApproved: true }],
    [
      'an approval that was not given',
      [condition('Approved', 'False')],
      false,
      { kind: 'waiting', isApproved: false },
    ],
    [
      'an issuer at work',
      [APPROVED, condition('Ready', 'False', 'Pending')],
      false,
      { kind: 'waiting', isApproved: true },
    ],
    ['an answer', [APPROVED, READY], true, { kind: 'answered' }],
    ['Ready without a certificate', [APPROVED, READY], false, { kind: 'waiting', isApproved: true }],
    ['a certificate before Ready', [APPROVED], true, { kind: 'waiting', isApproved: true }],
    ['a failure', [APPROVED, condition('Ready', 'False', 'Failed')], false, { kind: 'failed' }],
    ['a failure beside a certificate', [condition('Ready', 'False', 'Failed')], true, { kind: 'failed' }],
    ['a denial', [condition('Denied', 'True')], false, { kind: 'denied', by: 'Denied' }],
    [
      'a denial by the reason of Ready',
      [condition('Ready', 'False', 'Denied')],
      false,
      { kind: 'denied', by: 'Denied' },
    ],
    [
      'a denial beside an answer',
      [APPROVED, condition('Denied', 'True'), READY],
      true,
      { kind: 'denied', by: 'Denied' },
    ],
    [
      'an invalid request',
      [condition('InvalidRequest', 'True'), READY],
      true,
      { kind: 'denied', by: 'InvalidRequest' },
    ],
  ];
  for (const [title, conditions, hasCertificate, state] of CASES) {
    it(`judges ${title}`, () => expect(requestState(conditions, hasCertificate)).to.deep.equal(state));
  }
});
