/** The texts of the demo's screen. */

import { expect } from 'chai';
import { agentTable, elapsed, shortSerial, span, twoSided } from '../../../../hack/demo/text.ts';
import type { AgentIdentity } from '../../../../src/api/agent-identity.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('twoSided', () => {
  it('puts the right text at the end of the line', () => {
    expect(twoSided('left', 'right', 14)).to.equal('left     right');
  });

  it('keeps two blanks between texts that do not fit', () => {
    expect(twoSided('a long left side', 'right', 10)).to.equal('a long left side  right');
  });

  it('adds nothing where there is no right text', () => {
    expect(twoSided('left', '', 14)).to.equal('left');
  });
});

describe('elapsed', () => {
  const CASES = [
    [0.04, '0.0 ms'],
    [3.14, '3.1 ms'],
    [84.4, '84 ms'],
    [9.97, '10 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [12_345, '12.3 s'],
  ] as const;
  for (const [ms, text] of CASES) it(`writes ${ms} ms as ${text}`, () => expect(elapsed(ms)).to.equal(text));
});

describe('span', () => {
  const CASES = [
    [24 * HOUR_MS, '24h'],
    [24 * HOUR_MS - 2_000, '24h'],
    [15 * HOUR_MS + 42 * MINUTE_MS, '15h 42m'],
    [9 * MINUTE_MS, '9m'],
    [0, 'now'],
    [-HOUR_MS, 'now'],
  ] as const;
  for (const [ms, text] of CASES) it(`writes ${ms} ms as ${text}`, () => expect(span(ms)).to.equal(text));
});

describe('shortSerial', () => {
  it('keeps the ends', () => expect(shortSerial('0b7c112233445566e1')).to.equal('0b7c…e1'));
  it('leaves a short one whole', () => expect(shortSerial('0b7ce1')).to.equal('0b7ce1'));
});

describe('agentTable', () => {
  const nowMs = Date.parse('2026-11-20T10:00:00Z');

  function identity(name: string, status?: AgentIdentity['status']): AgentIdentity {
    const metadata = {
      name,
      namespace: 'ai-agents',
      uid: 'u',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-11-20T09:59:00Z',
    };
    return { metadata, spec: {}, ...(status === undefined ? {} : { status }) };
  }

  function ready(
    status: 'True' | 'False',
    reason: string,
  ): Pick<NonNullable<AgentIdentity['status']>, 'conditions'> {
    const lastTransitionTime = '2026-11-20T10:00:00Z';
    return { conditions: [{ type: 'Ready', status, reason, message: '', lastTransitionTime }] };
  }

  it('has a line for each agent, whatever is known of it', () => {
    const issued = identity('agent-analyst', {
      ...ready('True', 'Issued'),
      certificate: {
        serialNumber: '0b7c112233445566e1',
        notAfter: '2026-11-21T10:00:00Z',
        renewalTime: '2026-11-21T01:42:00Z',
      },
    });
    const refused = identity('agent-deployer', ready('False', 'SecretConflict'));
    expect(agentTable([issued, refused, identity('new')], nowMs)).to.deep.equal([
      'AGENT            READY     CERTIFICATE      EXPIRES   RENEWS',
      'agent-analyst    True      0b7c…e1          24h       15h 42m',
      'agent-deployer   False     SecretConflict',
      'new              Unknown',
    ]);
  });

  it('has its headings when there is nothing to show', () => {
    expect(agentTable([], nowMs)).to.deep.equal(['AGENT   READY   CERTIFICATE   EXPIRES   RENEWS']);
  });
});
