/** The audit finds every violation that is seeded into a cluster where all is well. */

import { expect } from 'chai';
import { ANNOTATION_OWNER_UID, BUNDLE_NAME, LABEL_AGENT } from '../../../src/api/group.ts';
import { formatLedgerLine } from '../../../src/domain/ledger/ledger-line.ts';
import { audit } from '../../support/audit.ts';
import { base64, goodCluster, HOUR, NAMESPACE, NOW, newAuthority } from './audit-fixture.ts';
import {
  copyOfSecret,
  facts,
  history,
  ledger,
  orphanOf,
  type Seed,
  secretIn,
  suspended,
  withBundle,
  withData,
  withDataOf,
  withLedger,
  withMetadata,
  withoutSecret,
  withReady,
  withSecret,
  withSpec,
  withStatus,
} from './audit-seeds.ts';

const authority = newAuthority();
const good = await goodCluster(authority);

describe('audit', () => {
  it('finds nothing where all is well', () => {
    expect(audit(good.facts, good.history)).to.deep.equal([]);
  });

  const other = newAuthority();
  const [one, two] = ['ai-agents/one', 'ai-agents/two'];
  const kidOf = ({ facts: { identities } }: typeof good): string =>
    identities[0]?.status?.signingKeys?.[0]?.kid ?? '';
  const serials = good.facts.secrets.map((_, at) => [...good.history.leaves.keys()][at]);

  describe('of an identity', () => {
    finds('no Secret', withoutSecret('one-tls'), [`${one}: there is no Secret`]);
    finds('Ready=False', withReady('one', { status: 'False' }), [`${one}: Ready is False`]);
    finds('another reason', withReady('one', { reason: 'Pending', message: 'm' }), [
      `${one}: Ready says Pending: m`,
    ]);
    finds('an old condition', withReady('one', { observedGeneration: 1 }), [
      `${one}: a condition is of another generation`,
    ]);
    finds('an old status', withStatus('one', { observedGeneration: 1 }), [
      `${one}: observedGeneration is not the generation`,
    ]);
    finds('the SPIFFE ID of somebody else', withStatus('one', { spiffeID: 'spiffe://x' }), [
      `${one}: status has the SPIFFE ID spiffe://x`,
    ]);
    finds('another serial number and end', withStatus('one', { certificate: { serialNumber: '0a' } }), [
      `${one}: status has the serial number 0a`,
      `${one}: status has the end undefined`,
    ]);
    finds(
      'a ServiceAccount that is gone',
      facts(({ serviceAccounts }) => ({
        serviceAccounts: new Set([...serviceAccounts].filter((account) => account !== one)),
      })),
      [`${one}: Ready says Issued: m`, `${one}: Ready is True`],
    );
    finds('a key of a suspended identity', suspended('one'), [
      `${one}: Secret one-tls holds a key although the identity is suspended`,
      `${one}: Secret one-signing holds a key although the identity is suspended`,
      `${one}: Ready says Issued: m`,
      `${one}: Ready is True`,
    ]);
  });

  describe('of a Secret', () => {
    finds('another type', withSecret('one-tls', { type: 'Opaque' }), [
      `${one}: the Secret is of type Opaque`,
    ]);
    finds('immutability', withSecret('one-tls', { immutable: true }), [`${one}: the Secret is immutable`]);
    finds('a label that is missing', withMetadata('one-tls', { labels: { [LABEL_AGENT]: 'one' } }), [
      `${one}: the labels of the Secret are wrong`,
    ]);
    finds('an owner reference that is missing', withMetadata('one-tls', { ownerReferences: [] }), [
      `${one}: the owner reference of the Secret is wrong`,
    ]);
    finds('a deletion that does not end', withMetadata('one-tls', { deletionTimestamp: 'now' }), [
      `${one}: the Secret is being deleted`,
    ]);
    finds('another owner', withMetadata('one-tls', { annotations: { [ANNOTATION_OWNER_UID]: 'dead' } }), [
      `${one}: the Secret names another identity as its owner`,
      'Secret ai-agents/one-tls belongs to nobody alive',
    ]);
    finds('a key too many', withData('one-tls', { more: 'eA==' }), [
      `${one}: the Secret has the keys tls.crt, tls.key, ca.crt, tls-combined.pem, more`,
    ]);
    finds('no certificate', withData('one-tls', { 'tls.crt': '' }), [`${one}: tls.crt is no certificate`]);
    finds(
      'the key of another leaf',
      withData('one-tls', { 'tls.key': secretIn(good, 'two-tls')?.data?.['tls.key'] ?? '' }),
      [`${one}: tls.key is not the key of tls.crt`, `${one}: tls-combined.pem is not tls.key and tls.crt`],
    );
    finds('another combined file', withData('one-tls', { 'tls-combined.pem': '' }), [
      `${one}: tls-combined.pem is not tls.key and tls.crt`,
    ]);
    finds('another bundle', withData('one-tls', { 'ca.crt': base64(other.certificatePem) }), [
      `${one}: ca.crt is not the authority`,
      `${one}: tls.crt does not verify with ca.crt`,
    ]);
    finds('two Secrets of one identity', copyOfSecret('one-tls', 'copy'), [
      `${one}: Secret copy is one too many`,
    ]);
    finds('no signing Secret', withoutSecret('one-signing'), [`${one}: there is no signing key`]);
    finds('another type of the signing Secret', withSecret('one-signing', { type: 'Opaque' }), [
      `${one}: the signing Secret is of type Opaque`,
    ]);
    finds('another kid', withData('one-signing', { 'signing.kid': base64('kid') }), [
      `${one}: signing.key is not the key of signing.kid`,
      `${one}: signing.kid is not that of the Active key`,
    ]);
    finds('other signing keys in status', withStatus('one', { signingKeys: [] }), [
      `${one}: status has the signing keys `,
    ]);
    finds('no published keys', withData('one-signing', { 'published-keys.json': '' }), [
      `${one}: the keys to sign with are not those that are published`,
      `${one}: status has the signing keys Active ${kidOf(good)}`,
    ]);
    finds('a Secret of nobody', orphanOf('two-tls'), ['Secret ai-agents/left-tls belongs to nobody alive']);
  });

  describe('of a leaf', () => {
    finds('the leaf of another identity', withDataOf('one-tls', 'two-tls'), [
      `${one}: tls.crt is for URI:spiffe://cluster.local/ns/ai-agents/sa/two, DNS:two.ai-agents.svc, DNS:two.ai-agents.svc.cluster.local`,
      `${one}: status has the serial number ${serials[0]}`,
      `${one}: its line in the ledger is about something else`,
    ]);
    finds(
      'the end of its life',
      facts(() => ({ nowMs: NOW + 25 * HOUR })),
      [
        `${one}: tls.crt is valid from Dec 31 23:58:00 2025 GMT to Jan  2 00:00:00 2026 GMT`,
        `${two}: tls.crt is valid from Dec 31 23:58:00 2025 GMT to Jan  2 00:00:00 2026 GMT`,
        `${BUNDLE_NAME} of ai-agents is not what was signed`,
      ],
    );
    finds('another duration than the spec asks for', withSpec('one', { certificate: { duration: '12h' } }), [
      `${one}: tls.crt does not have the duration of the spec`,
    ]);
  });

  describe('of the namespace and the authority', () => {
    finds(
      'no bundle',
      facts(() => ({ bundles: [] })),
      [`${BUNDLE_NAME} of ai-agents is missing`],
    );
    finds('another bundle', withBundle({ data: { 'ca.crt': other.certificatePem } }), [
      `${BUNDLE_NAME} of ai-agents is not the authority`,
      `${BUNDLE_NAME} of ai-agents is not what was signed`,
    ]);
    finds(
      'a bundle without its label',
      withBundle({ metadata: { name: BUNDLE_NAME, namespace: NAMESPACE } }),
      [`${BUNDLE_NAME} of ai-agents lacks its label`],
    );
    finds(
      'a bundle for nobody',
      facts(({ bundles }) => ({
        namespaces: [NAMESPACE, 'empty'],
        bundles: bundles.flatMap((bundle) => [
          bundle,
          { ...bundle, metadata: { ...bundle.metadata, namespace: 'empty' } },
        ]),
      })),
      [`${BUNDLE_NAME} of empty is there for nobody`],
    );
    finds(
      'no authority',
      facts(() => ({ authority: undefined })),
      [
        'there is no authority',
        `${one}: ca.crt is not the authority`,
        `${two}: ca.crt is not the authority`,
        `${BUNDLE_NAME} of ai-agents is not the authority`,
        `${BUNDLE_NAME} of ai-agents is not what was signed`,
      ],
    );
  });

  describe('of the ledger', () => {
    const line = (serialHex: string): string =>
      formatLedgerLine({
        identityUid: 'uid-one',
        namespace: NAMESPACE,
        serviceAccountName: 'one',
        serialHex,
        notAfterMs: NOW,
        generation: authority.id,
      });
    finds(
      'a leaf that is in use and not in it',
      withLedger((text) => text.split('\n').slice(1).join('\n')),
      [`${one}: its leaf stands in the ledger 0 times`, `${serials[0]} is not in the ledger`],
    );
    finds(
      'a line twice',
      withLedger((text) => `${text.split('\n')[0]}\n${text}`),
      [`${one}: its leaf stands in the ledger 2 times`, `${serials[0]} stands in the ledger more than once`],
    );
    finds(
      'a line that says something else of a leaf',
      withLedger((text) => text.replace('uid-one', 'uid-1')),
      [`${one}: its line in the ledger is about something else`],
    );
    finds(
      'a line that was never a leaf',
      withLedger((text) => `${text}${line('ab01')}\n`),
      ['uid-one has 1 lines without a leaf, and lost 0 answers'],
    );
    finds(
      'a line that is none',
      withLedger((text) => `${text}nonsense\n`),
      ['a line of the ledger cannot be read'],
    );
    finds(
      'a leaf of the past that is not in it',
      history(({ leaves }) => ({ leaves: new Map([...leaves, ['ab02', 'uid-one']]) })),
      ['ab02 is not in the ledger'],
    );
    finds(
      'two that are open',
      facts(({ ledgers }) => ({ ledgers: [...ledgers, ledger('')] })),
      ['2 ledgers are open'],
    );
    finds(
      'one that is too long',
      facts(({ ledgers }) => ({
        ledgers: [
          ...ledgers,
          ledger(
            Array.from({ length: 501 }, (_, at) => `${line((4096 + at).toString(16))}\n`).join(''),
            true,
          ),
        ],
      })),
      [
        'agent-trust-ledger-2 holds too many lines',
        'uid-one has 501 lines without a leaf, and lost 0 answers',
      ],
    );

    it('accepts a line whose write lost its answer', () => {
      const seeded = withLedger((text) => `${text}${line('ab01')}\n`)(good);
      expect(audit(seeded.facts, { ...good.history, lost: new Map([['uid-one', 1]]) })).to.deep.equal([]);
    });
  });

  describe('of the past', () => {
    const secret = { secret: 'ai-agents/one-tls', changes: 2, reasons: 2, returned: [] };
    finds(
      'a change without a reason',
      history(() => ({ secrets: [{ ...secret, reasons: 1 }] })),
      ['Secret ai-agents/one-tls changed 2 times for 1 reasons'],
    );
    finds(
      'a leaf that came back',
      history(() => ({ secrets: [{ ...secret, returned: ['0a'] }] })),
      ['Secret ai-agents/one-tls came back with the old leaf 0a'],
    );

    it('accepts a change for each reason', () => {
      expect(audit(good.facts, { ...good.history, secrets: [secret] })).to.deep.equal([]);
    });
  });
});

function finds(what: string, seed: Seed, violations: readonly string[]): void {
  it(`finds ${what}`, () => {
    const seeded = seed(good);
    expect(audit(seeded.facts, seeded.history)).to.deep.equal(violations);
  });
}
