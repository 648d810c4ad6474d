import { expect } from 'chai';
import { AuthorityBook } from '../../../../src/controllers/authority/authority-book.ts';
import { AuthorityStall } from '../../../../src/controllers/authority/authority-stall.ts';
import { KubeError, type KubeErrorCode } from '../../../../src/kube/errors.ts';
import { storedAuthority, T0 } from '../../crypto/fixture.ts';

const AUTHORITY = storedAuthority();
const USE = {
  states: [{ id: AUTHORITY.id, phase: 'signing', preparedAtMs: T0 }],
  acceleration: 1,
  reissuePerSecond: 20,
} as const;
const RECHECK = { kind: 'recheck', atMs: T0 } as const;

interface Seen {
  readonly stall: AuthorityStall;
  readonly book: AuthorityBook;
  readonly told: string[];
  /** What the metric was set to. */
  readonly gauge: boolean[];
}

function stalling(isSound = true): Seen {
  const book = new AuthorityBook(() => false);
  const told: string[] = [];
  const gauge: boolean[] = [];
  const stall = new AuthorityStall({
    ...{ book, namespace: 'agent-trust-system' },
    keeper: { isSound, adopt: () => book.adopt([AUTHORITY], USE) },
    observer: { stalled: (isStalled) => gauge.push(isStalled) },
    tell: ({ reason, note }) => told.push(`${reason}: ${note}`),
  });
  return { stall, book, told, gauge };
}

const error = (code: KubeErrorCode): KubeError => new KubeError(code, 'update configmaps x/y: refused');
const TOLD = 'AuthorityStalled: The rotation stands still: update configmaps x/y: refused.';
const SIGNING = `${TOLD} Generation ${AUTHORITY.id} goes on signing; it is tried again all the time`;

describe('AuthorityStall', () => {
  for (const code of ['KUBE_FORBIDDEN', 'KUBE_INVALID'] as const)
    it(`tells of ${code} at once and once, and lets sign who signed before`, () => {
      const { stall, book, told, gauge } = stalling();
      stall.because(error(code));
      stall.because(error(code));
      expect(told).to.deep.equal([SIGNING]);
      expect(book.isSigning(AUTHORITY.id)).to.equal(true);
      stall.isOver(RECHECK);
      stall.because(error(code));
      expect(told).to.deep.equal([SIGNING, SIGNING]);
      expect(gauge).to.deep.equal([true, true, false, true]);
    });

  it('tells of what may pass when it did not pass three times', () => {
    const { stall, book, told, gauge } = stalling();
    for (const _ of [1, 2]) stall.because(error('KUBE_UNAVAILABLE'));
    expect([told, book.state.kind]).to.deep.equal([[], 'pending']);
    stall.because(error('KUBE_UNAVAILABLE'));
    expect([told, book.state.kind]).to.deep.equal([[SIGNING], 'ready']);
    expect(gauge).to.deep.equal([true, true, true]);
  });

  it('lets nobody sign when the server does not say who does, and says why', () => {
    const { stall, book, told } = stalling(false);
    stall.because(error('KUBE_FORBIDDEN'));
    expect(told).to.deep.equal([`${TOLD} Nothing signs meanwhile; it is tried again all the time`]);
    expect(book.state).to.have.property('kind', 'unavailable');
    expect(book.state).to.have.property('message').that.contains('update configmaps x/y: refused');
  });

  it('says nothing of what is no failure of the server, or a race', () => {
    const { stall, told, gauge } = stalling();
    for (const code of ['KUBE_CONFLICT', 'KUBE_LEASE_NOT_HELD', 'KUBE_ABORTED'] as const)
      for (const _ of [1, 2, 3]) stall.because(error(code));
    stall.because(new TypeError('a bug'));
    expect([told, gauge]).to.deep.equal([[], []]);
  });

  it('counts a Secret that nobody may use as a stall', () => {
    const { stall, gauge } = stalling();
    stall.isOver({ kind: 'stalled', reason: 'AuthorityUnavailable' });
    expect(gauge).to.deep.equal([true]);
  });
});
