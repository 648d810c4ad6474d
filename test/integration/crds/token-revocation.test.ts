/** The TokenRevocation schema in a real API server: every rule has what it accepts and what it rejects. */

import { expect } from 'chai';
import { TOKEN_REVOCATION } from '../../../src/api/group.ts';
import {
  type Examples,
  itBeginsPending,
  itHasMetEveryConstraint,
  itJudges,
  useServedKind,
} from './served-kind.ts';

const SUBJECT = { issuer: 'https://login.example.org', name: 'u-17' };
const SAY_WHAT = 'set at least one of agent, transaction, tokenID, subject, policy or everything';
const ALONE =
  'everything stands alone, because fields beside it would narrow it; leave it out or leave the others out';

const EXAMPLES: Examples = {
  accepted: {
    'an agent': { agent: 'agent-deployer' },
    'an agent of another namespace': { agent: `${'n'.repeat(63)}/${'a'.repeat(40)}` },
    'a transaction': { transaction: '~'.repeat(128) },
    'a token': { tokenID: '!'.repeat(128) },
    'a subject': { subject: SUBJECT },
    'a subject at its bounds': {
      subject: { issuer: `https://${'a'.repeat(504)}`, name: 'a'.repeat(255) },
    },
    'a policy': { policy: 'p'.repeat(63) },
    everything: { everything: true, issuedBefore: '2026-11-21T00:00:00Z' },
    'everything else at once': {
      agent: 'agent-deployer',
      transaction: 't-1',
      tokenID: 'j-1',
      subject: SUBJECT,
      policy: 'swarm',
      issuedBefore: '2026-11-21T00:00:00+01:00',
      reason: 'a'.repeat(1_024),
      ttlAfterExpiry: '720h',
    },
    'an object that goes with its last token': { tokenID: 'j-1', ttlAfterExpiry: '0s' },
  },
  rejected: {
    nothing: [{}, 'spec: Invalid value', SAY_WHAT],
    'a moment alone': [
      { issuedBefore: '2026-11-21T00:00:00Z', reason: 'a' },
      'spec: Invalid value',
      SAY_WHAT,
    ],
    'an everything that is false': [{ everything: false }, 'spec.everything', 'Unsupported value: false'],
    'everything and an agent': [{ everything: true, agent: 'a' }, 'spec.everything', ALONE],
    'everything and a transaction': [{ everything: true, transaction: 'a' }, 'spec.everything', ALONE],
    'everything and a token': [{ everything: true, tokenID: 'a' }, 'spec.everything', ALONE],
    'everything and a subject': [{ everything: true, subject: SUBJECT }, 'spec.everything', ALONE],
    'everything and a policy': [{ everything: true, policy: 'a' }, 'spec.everything', ALONE],
    'a part of a transaction': [
      { transaction: 'a', tokenID: 'b', issuedBefore: '2026-11-21T00:00:00Z' },
      'spec.issuedBefore',
      'a transaction or tokenID is revoked whole; leave issuedBefore out, or add agent, subject or policy',
    ],
    'a moment that is none': [{ agent: 'a', issuedBefore: 'yesterday' }, 'spec.issuedBefore', 'date-time'],
    'an empty agent': [{ agent: '' }, 'spec.agent', 'at least 1 chars'],
    'every agent': [{ agent: '*' }, 'spec.agent', 'should match'],
    'an agent of 105 characters': [
      { agent: 'a'.repeat(105) },
      'spec.agent',
      'may not be more than 104 bytes',
    ],
    'an empty transaction and token': [
      { transaction: '', tokenID: '' },
      'spec.transaction',
      'spec.tokenID',
      'at least 1 chars',
    ],
    'a transaction with a space': [{ transaction: 'a b' }, 'spec.transaction', 'should match'],
    'a transaction with an unpaired surrogate': [
      { transaction: 'a\ud800' },
      'spec.transaction',
      'should match',
    ],
    'a transaction of 129 characters': [
      { transaction: 'a'.repeat(129) },
      'spec.transaction',
      'may not be more than 128 bytes',
    ],
    'a token with a line break': [{ tokenID: 'a\n' }, 'spec.tokenID', 'should match'],
    'a token of 129 characters': [
      { tokenID: 'a'.repeat(129) },
      'spec.tokenID',
      'may not be more than 128 bytes',
    ],
    'a subject that says nothing': [
      { subject: {} },
      'spec.subject.issuer: Required value',
      'spec.subject.name: Required value',
    ],
    'a subject of an issuer without TLS': [
      { subject: { issuer: 'http://a', name: 'b' } },
      'spec.subject.issuer',
      'should match',
    ],
    'a subject of an issuer of 513 characters': [
      { subject: { issuer: `https://${'a'.repeat(505)}`, name: 'b' } },
      'spec.subject.issuer',
      'may not be more than 512 bytes',
    ],
    'a subject without a name': [
      { subject: { ...SUBJECT, name: '' } },
      'spec.subject.name',
      'at least 1 chars',
    ],
    'a subject of 256 characters': [
      { subject: { ...SUBJECT, name: 'a'.repeat(256) } },
      'spec.subject.name',
      'may not be more than 255 bytes',
    ],
    'an empty policy': [{ policy: '' }, 'spec.policy', 'at least 1 chars'],
    'a policy with a dot': [{ policy: 'a.b' }, 'spec.policy', 'should match'],
    'a policy of 64 characters': [{ policy: 'a'.repeat(64) }, 'spec.policy', 'may not be more than 63 bytes'],
    'a reason of 1,025 characters': [
      { agent: 'a', reason: 'a'.repeat(1_025) },
      'spec.reason',
      'may not be more than 1024 bytes',
    ],
    'an object that stays for 31 days': [
      { agent: 'a', ttlAfterExpiry: '744h' },
      'spec.ttlAfterExpiry',
      'ttlAfterExpiry must be 0s to 720h, for example 24h',
    ],
    'an object that goes before its time': [
      { agent: 'a', ttlAfterExpiry: '-1s' },
      'spec.ttlAfterExpiry',
      'should match',
    ],
    'a stay of 33 characters': [
      { agent: 'a', ttlAfterExpiry: `${'0'.repeat(32)}s` },
      'spec.ttlAfterExpiry',
      'may not be more than 32 bytes',
    ],
    'a field that does not exist': [{ agent: 'a', tokenId: 'b' }, 'unknown field "spec.tokenId"'],
  },
};

describe('TokenRevocation in the API server', () => {
  const kind = useServedKind(TOKEN_REVOCATION);

  itJudges(kind, EXAMPLES);
  itBeginsPending(kind, { agent: 'a' });

  it('rejects every change of its spec', async () => {
    const created = await kind().create({ agent: 'agent-deployer', reason: 'a' });
    await kind().patch(created, { metadata: { labels: { team: 'a' } } });
    for (const spec of [{ agent: 'agent-writer' }, { reason: 'b' }, { reason: null }, { policy: 'swarm' }]) {
      expect(await kind().refusal(kind().patch(created, { spec }))).to.include(
        'spec: Invalid value: a TokenRevocation cannot change, because what it has revoked stays so; create another one',
      );
    }
  });

  it('rejects an object without a spec', async () => {
    const { metadata } = kind().written({});
    const empty = kind().admin.client.create(TOKEN_REVOCATION, { metadata });
    expect(await kind().refusal(empty)).to.include('spec: Required value');
  });

  itHasMetEveryConstraint(kind);

  it('is listed under its short name and category, in columns', async () => {
    await kind().create({ agent: 'a' }, 'columns');
    const headings = ['NAME', 'READY', 'AGENT', 'TRANSACTION', 'EXPIRES', 'AGE'];
    expect(await kind().columns('trev', 'columns', '-n', 'default')).to.deep.equal(headings);
    expect(await kind().columns('agenttrust', '-n', 'default')).to.deep.equal(headings);
  });
});
