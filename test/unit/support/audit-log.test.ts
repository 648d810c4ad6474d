/** What the oracle of the tests with two replicas makes of an audit log. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type AuditedWrite,
  auditedWrites,
  credentialIdOf,
  overlaps,
  termsOf,
} from '../../support/audit-log.ts';

const at = (millisecond: number): string => `2026-01-01T00:00:00.${String(millisecond).padStart(3, '0')}000Z`;

function write(credentialId: string, receivedMs: number, answeredMs: number): AuditedWrite {
  return {
    credentialId,
    what: 'update secrets a/b',
    status: 200,
    receivedAt: at(receivedMs),
    answeredAt: at(answeredMs),
  };
}

describe('auditedWrites', () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'audit-log-'));
  });
  after(() => rm(directory, { recursive: true }));

  it('gives the writes of the credentials by time of receipt, without reads and Leases', async () => {
    const event = (verb: string, resource: string, [id, receivedMs]: readonly [string, number]) => ({
      verb,
      user: { extra: { 'authentication.kubernetes.io/credential-id': [id] } },
      objectRef: { resource, namespace: 'a', name: 'b' },
      responseStatus: { code: 200 },
      requestReceivedTimestamp: at(receivedMs),
      stageTimestamp: at(receivedMs + 1),
    });
    const events = [
      event('update', 'secrets', ['one', 5]),
      event('get', 'secrets', ['one', 1]),
      event('update', 'leases', ['one', 2]),
      event('update', 'secrets', ['stranger', 3]),
      event('update', 'secrets', ['two', 4]),
    ];
    const auditLogPath = join(directory, 'audit.log');
    await writeFile(auditLogPath, events.map((each) => `${JSON.stringify(each)}\n`).join(''));
    expect(await auditedWrites({ auditLogPath }, ['one', 'two'])).to.deep.equal([
      write('two', 4, 5),
      write('one', 5, 6),
    ]);
  });
});

describe('credentialIdOf', () => {
  it('reads the identifier of a token', () => {
    const payload = Buffer.from(JSON.stringify({ jti: '62c7ef49' })).toString('base64url');
    expect(credentialIdOf(`e30.${payload}.c2ln`)).to.equal('JTI=62c7ef49');
  });
});

describe('termsOf and overlaps', () => {
  it('accepts one writer after the other', () => {
    const terms = termsOf([
      write('one', 1, 9),
      write('one', 2, 3),
      write('two', 10, 11),
      write('one', 12, 13),
    ]);
    expect(terms).to.deep.equal([
      { credentialId: 'one', writes: 2, firstReceivedAt: at(1), lastAnsweredAt: at(9) },
      { credentialId: 'two', writes: 1, firstReceivedAt: at(10), lastAnsweredAt: at(11) },
      { credentialId: 'one', writes: 1, firstReceivedAt: at(12), lastAnsweredAt: at(13) },
    ]);
    expect(overlaps(terms)).to.deep.equal([]);
  });

  it('rejects a writer that begins before the other has its last answer', () => {
    expect(overlaps(termsOf([write('one', 1, 9), write('one', 2, 3), write('two', 8, 11)]))).to.deep.equal([
      `two wrote at ${at(8)}, one until ${at(9)}`,
    ]);
  });
});
