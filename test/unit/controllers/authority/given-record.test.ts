import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import {
  type GivenAuthority,
  givenRecord,
  judgeGiven,
} from '../../../../src/controllers/authority/given-record.ts';
import type { Authority } from '../../../../src/crypto/authority-reader.ts';
import { generateKeyPair } from '../../../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../../../src/crypto/leaf.ts';
import { encodePem } from '../../../../src/crypto/pem.ts';
import { MIN_GIVEN_LIFE_MS } from '../../../../src/domain/authority/given.ts';
import { GIVEN_REASONS } from '../../../../src/domain/authority/given-refusal.ts';
import { leafProfile } from '../../../../src/domain/certificate/profile.ts';
import { GIVEN_NOW_MS } from '../../../support/authority/given-ca.ts';
import { GIVEN_REFUSED, GIVEN_TAKEN, type GivenRow } from '../../../support/authority/given-rows.ts';

const SETTINGS = { trustDomain: 'cluster.local', clusterDomain: 'cluster.local' };
const REQUIRED = { ...SETTINGS, nowMs: GIVEN_NOW_MS, minLifeMs: MIN_GIVEN_LIFE_MS };
const DAY_MS = 86_400_000;

function judged({ secret, generations = [], refused = new Map() }: GivenRow): GivenAuthority {
  const made = secret();
  return judgeGiven(made && givenRecord(made), REQUIRED, { generations, retiring: new Set(), refused });
}

/** A leaf for an agent as its Secret holds it. */
async function leafOf(authority: Authority): Promise<string> {
  const made = leafProfile(
    {
      ...{ name: 'deployer', namespace: 'ai', serviceAccountName: 'deployer', durationMs: DAY_MS },
      ...{ keyAlgorithm: 'ECDSA', keySize: 256, extraDnsNames: ['db.ai.svc'] },
    },
    SETTINGS,
  );
  if (made.kind === 'refuse') throw new Error(made.message);
  const validity = { notBeforeMs: GIVEN_NOW_MS, notAfterMs: GIVEN_NOW_MS + DAY_MS };
  return new LeafSigner(authority).issueLeaf(made.profile, validity, await generateKeyPair(made.profile.key))
    .certificatePem;
}

/** What `openssl verify -x509_strict` says of `tls.crt` with nothing trusted but the root. */
async function opensslSays(chainPem: string, rootPem: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'agent-trust-given-'));
  try {
    const [chain, root] = [join(directory, 'tls.crt'), join(directory, 'ca.crt')];
    await Promise.all([writeFile(chain, chainPem), writeFile(root, rootPem)]);
    const { stdout } = await promisify(execFile)('openssl', [
      ...['verify', '-x509_strict', '-purpose', 'sslserver', '-attime', String(GIVEN_NOW_MS / 1000 + 60)],
      ...['-no-CApath', '-no-CAstore', '-CAfile', root, '-untrusted', chain, chain],
    ]);
    return stdout.replace(chain, 'tls.crt').trim();
  } catch (error) {
    return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe('judgeGiven', () => {
  for (const row of GIVEN_TAKEN) {
    it(`accepts ${row.name}, and OpenSSL strictly accepts what it signs`, async () => {
      const given = judged(row);
      if (given.kind === 'refuse') throw new Error(given.message);
      const { authority } = given;
      const rootPem = encodePem('CERTIFICATE', authority.root.raw);
      expect(await opensslSays(await leafOf(authority), rootPem)).to.equal('tls.crt: OK');
    });
  }

  for (const row of GIVEN_REFUSED) {
    it(`rejects ${row.name}: ${row.reason}`, () => {
      const given = judged(row);
      expect(given).to.have.property('reason', row.reason);
      if (given.kind !== 'refuse') return;
      const { wayOut } = GIVEN_REASONS[given.reason];
      expect(given.message).to.match(/^(Secret|type|tls\.crt|tls\.key|ca\.crt)( \(certificate \d\))?: /);
      expect(given.message.endsWith(`. ${wayOut}`), given.message).to.equal(true);
      expect(given.message).not.to.match(/-----|\n/);
    });
  }

  it('has a row for every reason', () => {
    const seen = new Set(GIVEN_REFUSED.map(({ reason }) => reason));
    expect(
      Object.keys(GIVEN_REASONS).filter((reason) => !seen.has(reason as GivenRow['reason'])),
    ).to.deep.equal([]);
  });

  it('accepts what is in use although it is about to end', () => {
    const [row] = GIVEN_REFUSED.filter(({ name }) => name === 'a root that ends in 167 h');
    const made = row?.secret();
    const record = made && givenRecord(made);
    if (record?.reading.kind !== 'authority') throw new Error('it was not read');
    const { authority } = record.reading;
    const among = { generations: [authority], retiring: new Set<string>(), refused: new Map() };
    expect(judgeGiven(record, REQUIRED, among)).to.deep.equal({ kind: 'authority', authority });
    // It was replaced, and is still trusted: it comes back when it is gone.
    expect(judgeGiven(record, REQUIRED, { ...among, retiring: new Set([authority.id]) })).to.have.property(
      'reason',
      'KeyInUse',
    );
  });
});
