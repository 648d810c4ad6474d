import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { LeafSupply } from '../../../../src/controllers/identity/leaf-supply.ts';
import type { IssuedLeaf } from '../../../../src/crypto/leaf.ts';
import { LeafSigner } from '../../../../src/crypto/leaf.ts';
import type { CertificateWish } from '../../../../src/domain/certificate/plan.ts';
import type { LedgerLine } from '../../../../src/domain/ledger/ledger-line.ts';
import { KubeError } from '../../../../src/kube/errors.ts';
import { caughtKubeError } from '../../../support/caught.ts';
import { storedAuthority } from '../../crypto/fixture.ts';
import { ISSUED_AT, MINUTE, wish as plainWish } from '../../domain/certificate/fixture.ts';

const KEY = 'ai-agents/agent-deployer';

describe('LeafSupply', () => {
  const authority = storedAuthority({ nowMs: ISSUED_AT });
  const signer = new LeafSigner(authority);
  const { id, notBeforeMs, notAfterMs } = authority;
  const wish: CertificateWish = {
    ...plainWish,
    signingAuthority: { id, notBeforeMs, notAfterMs, retiring: undefined },
  };
  let committed: LedgerLine[];
  let refusals: number;
  let supply: LeafSupply;

  beforeEach(() => {
    committed = [];
    refusals = 0;
    supply = new LeafSupply({
      async commit(line) {
        if (refusals-- > 0) throw new KubeError('KUBE_UNAVAILABLE', 'update configmaps', { lost: true });
        committed.push(line);
      },
    });
  });

  const leafFor = (changes: Partial<CertificateWish> = {}, nowMs = ISSUED_AT): Promise<IssuedLeaf> =>
    supply.leafFor({ ...wish, ...changes }, signer, nowMs);
  const serials = (): readonly string[] => committed.map(({ serialHex }) => serialHex);

  it('gives a leaf whose line is in the ledger', async () => {
    const leaf = await leafFor();
    expect(committed).to.deep.equal([
      {
        identityUid: 'uid-1',
        namespace: 'ai-agents',
        serviceAccountName: 'agent-deployer',
        serialHex: leaf.serialHex,
        notAfterMs: leaf.notAfterMs,
        generation: id,
      },
    ]);
    const certificate = new X509Certificate(leaf.certificatePem);
    expect(certificate.verify(authority.publicKey)).to.equal(true);
    expect(certificate.serialNumber.toLowerCase()).to.equal(leaf.serialHex);
  });

  it('gives no leaf whose line is not in the ledger, and the same one when it is', async () => {
    refusals = 2;
    expect((await caughtKubeError(leafFor())).lost).to.equal(true);
    await caughtKubeError(leafFor());
    const leaf = await leafFor();
    expect(serials()).to.deep.equal([leaf.serialHex]);
  });

  it('gives the same leaf until it is settled, with one line', async () => {
    const first = await leafFor();
    const second = await leafFor({}, ISSUED_AT + 5 * MINUTE);
    expect(second).to.equal(first);
    expect(serials()).to.deep.equal([first.serialHex]);
  });

  it('gives a new leaf once the last is settled', async () => {
    const first = await leafFor();
    supply.settle(KEY);
    const second = await leafFor();
    expect(second.privateKeyPem).to.not.equal(first.privateKeyPem);
    expect(serials()).to.deep.equal([first.serialHex, second.serialHex]);
  });

  it('keeps the leaves of two identities apart', async () => {
    const ownerReference = { ...wish.secret.ownerReference, name: 'other' };
    const first = await leafFor();
    const other = await leafFor({ identityUid: 'uid-2', secret: { ...wish.secret, ownerReference } });
    supply.settle('ai-agents/other');
    expect(other.serialHex).to.not.equal(first.serialHex);
    expect(await leafFor()).to.equal(first);
  });

  const changes: readonly (readonly [string, Partial<CertificateWish>])[] = [
    ['the spec changed', { profile: { ...wish.profile, durationMs: wish.profile.durationMs / 2 } }],
    ['the identity was made anew', { identityUid: 'uid-2' }],
    ['another authority signs', { signingAuthority: { ...wish.signingAuthority, id: 'bbbbbbbbbbbbbbbb' } }],
    ['older leaves are refused', { refuseLeafsBeforeMs: ISSUED_AT }],
    ['a renewal was asked for', { renewLeafsBeforeMs: ISSUED_AT }],
  ];
  for (const [what, change] of changes) {
    it(`gives a new leaf when ${what}`, async () => {
      const first = await leafFor();
      expect((await leafFor(change)).serialHex).to.not.equal(first.serialHex);
    });
  }

  it('gives the same leaf when only the Secret around it is to be another', async () => {
    const first = await leafFor();
    expect(await leafFor({ secret: { ...wish.secret, name: 'other-tls' }, lastIssuedAtMs: 1 })).to.equal(
      first,
    );
  });

  it('gives a new leaf when the kept one is ten minutes old', async () => {
    const first = await leafFor();
    expect(await leafFor({}, ISSUED_AT + 10 * MINUTE)).to.equal(first);
    expect(await leafFor({}, ISSUED_AT + 10 * MINUTE + 1)).to.not.equal(first);
  });

  it('gives a new leaf when a tenth of the life of the kept one is over', async () => {
    const profile = { ...wish.profile, durationMs: 10 * MINUTE };
    const first = await leafFor({ profile });
    expect(await leafFor({ profile }, ISSUED_AT + MINUTE)).to.equal(first);
    expect(await leafFor({ profile }, ISSUED_AT + MINUTE + 1)).to.not.equal(first);
  });

  it('gives a new leaf when the clock was set back', async () => {
    const first = await leafFor();
    expect(await leafFor({}, ISSUED_AT - 1)).to.not.equal(first);
  });

  it('rejects when the authority is about to end', async () => {
    const signingAuthority = { ...wish.signingAuthority, notAfterMs: ISSUED_AT + MINUTE };
    const error: unknown = await leafFor({ signingAuthority }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(RangeError);
    expect(committed).to.deep.equal([]);
  });
});
