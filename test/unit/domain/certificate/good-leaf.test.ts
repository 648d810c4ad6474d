import { expect } from 'chai';
import type { SecretContent } from '../../../../src/domain/certificate/facts.ts';
import { holdsGoodLeaf, type LeafStanding } from '../../../../src/domain/certificate/good-leaf.ts';
import type { RejectedLeaf } from '../../../../src/domain/certificate/plan.ts';
import { content, leaf } from './fixture.ts';

const good: LeafStanding = {
  isTrusted: true,
  hasIssuer: false,
  rejected: () => undefined,
  nowMs: leaf.notAfterMs,
};
const rejectedAs =
  (because: RejectedLeaf['because']): LeafStanding['rejected'] =>
  ({ serialHex }) => ({ serialHex, because });

interface Case {
  readonly content?: Partial<SecretContent>;
  readonly standing?: Partial<LeafStanding>;
}

describe('holdsGoodLeaf', () => {
  const accepted: Readonly<Record<string, Case>> = {
    'a leaf of a trusted authority, to its last instant': {},
    'a leaf of nobody known, for an agent with an issuer': {
      standing: { isTrusted: false, hasIssuer: true },
    },
    'a leaf that the ledger does not know': { standing: { rejected: rejectedAs('unknown') } },
  };
  for (const [name, given] of Object.entries(accepted)) {
    it(`accepts ${name}`, () => expect(judge(given)).to.equal(true));
  }

  const refused: Readonly<Record<string, Case>> = {
    'what is no certificate': { content: { certificate: { kind: 'problem', problem: 'was missing' } } },
    'a key of another leaf': { content: { keyMatches: false } },
    'a leaf of nobody known': { standing: { isTrusted: false } },
    'a leaf that is over': { standing: { nowMs: leaf.notAfterMs + 1 } },
    'a leaf that is revoked': { standing: { rejected: rejectedAs('revoked') } },
  };
  for (const [name, given] of Object.entries(refused)) {
    it(`rejects ${name}`, () => expect(judge(given)).to.equal(false));
  }

  function judge(given: Case): boolean {
    return holdsGoodLeaf({ ...content, ...given.content }, { ...good, ...given.standing });
  }
});
