/** The Quarantine schema in a real API server: every rule has what it accepts and what it rejects. */

import { expect } from 'chai';
import { QUARANTINE } from '../../../src/api/group.ts';
import {
  type Examples,
  itBeginsPending,
  itHasMetEveryConstraint,
  itJudges,
  useServedKind,
} from './served-kind.ts';

const EXAMPLES: Examples = {
  accepted: {
    'an agent of its own namespace': { agent: 'agent-deployer' },
    'an agent of another namespace, with a reason': {
      agent: `${'n'.repeat(63)}/${'a'.repeat(40)}`,
      reason: 'Calls the validator a thousand times an hour.\nSee ticket 17 – Grüße',
    },
    'a reason of 1,024 characters': { agent: 'a', reason: 'a'.repeat(1_024) },
  },
  rejected: {
    'nobody in particular': [{}, 'spec.agent: Required value'],
    'an empty agent': [{ agent: '' }, 'spec.agent', 'at least 1 chars'],
    everybody: [{ agent: '*' }, 'spec.agent', 'should match'],
    'an agent with capitals': [{ agent: 'Agent' }, 'spec.agent', 'should match'],
    'an agent of 41 letters': [{ agent: 'a'.repeat(41) }, 'spec.agent', 'should match'],
    'an agent of 105 characters': [
      { agent: 'a'.repeat(105) },
      'spec.agent',
      'may not be more than 104 bytes',
    ],
    'a reason of 1,025 characters': [
      { agent: 'a', reason: 'a'.repeat(1_025) },
      'spec.reason',
      'may not be more than 1024 bytes',
    ],
    'a list of agents': [{ agent: 'a', agents: ['b'] }, 'unknown field "spec.agents"'],
  },
};

describe('Quarantine in the API server', () => {
  const kind = useServedKind(QUARANTINE);

  itJudges(kind, EXAMPLES);
  itBeginsPending(kind, { agent: 'a' });

  it('takes another reason, and rejects another agent', async () => {
    const created = await kind().create({ agent: 'agent-deployer', reason: 'a' });
    await kind().patch(created, { spec: { reason: 'b' } });
    expect((await kind().get(created)).spec).to.deep.equal({ agent: 'agent-deployer', reason: 'b' });
    const message = await kind().refusal(kind().patch(created, { spec: { agent: 'agent-writer' } }));
    expect(message).to.include(
      'spec.agent: Invalid value: a Quarantine cannot change its agent; create another one',
    );
    const gone = await kind().refusal(kind().patch(created, { spec: { agent: null } }));
    expect(gone).to.include('spec.agent: Required value');
  });

  it('rejects an object without a spec', async () => {
    const { metadata } = kind().written({});
    const empty = kind().admin.client.create(QUARANTINE, { metadata });
    expect(await kind().refusal(empty)).to.include('spec: Required value');
  });

  itHasMetEveryConstraint(kind);

  it('stores an unpaired surrogate in a reason as the replacement character', async () => {
    const { spec } = await kind().create({ agent: 'a', reason: 'a\ud800b' });
    expect(spec['reason']).to.equal('a\ufffdb');
  });

  it('is listed under its short name and category, in columns', async () => {
    await kind().create({ agent: 'a', reason: 'because' }, 'columns');
    const headings = ['NAME', 'AGENT', 'READY', 'REASON', 'AGE'];
    expect(await kind().columns('quar', 'columns', '-n', 'default')).to.deep.equal(headings);
    expect(await kind().columns('agenttrust', '-n', 'default')).to.deep.equal(headings);
  });
});
