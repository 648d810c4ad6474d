import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { signCrl } from '../../../src/crypto/crl.ts';
import { type RevocationList, readRevocationLists } from '../../../src/crypto/crl-reader.ts';
import { RevokedCertificates } from '../../../src/crypto/revoked-certificates.ts';
import { issuedLeaf, type StoredAuthority, storedAuthority, T0 } from './fixture.ts';

const HOUR_MS = 3_600_000;
const SERIAL = '8a'.repeat(16);

function listOf(
  authority: Pick<StoredAuthority, 'subjectDer' | 'keyIdentifier' | 'privateKey'>,
  ...serials: readonly string[]
): RevocationList {
  const entries = serials.map((serialHex) => {
    return { serialHex, revokedAtMs: T0, reason: 'privilegeWithdrawn' } as const;
  });
  const contents = { number: 1, thisUpdateMs: T0, nextUpdateMs: T0 + HOUR_MS, entries };
  const [list] = readRevocationLists(Buffer.from(signCrl(contents, authority))) ?? [];
  if (list === undefined) throw new Error('not read');
  return list;
}

describe('RevokedCertificates', () => {
  const [one, two] = [storedAuthority(), storedAuthority()];
  const rawOf = ({ certificate }: StoredAuthority): Buffer => certificate.raw;

  describe('has', () => {
    it('knows a certificate by its issuer and its number', async () => {
      const leaf = await issuedLeaf(one);
      const revoked = new RevokedCertificates([listOf(one, leaf.serialHex), listOf(two, SERIAL)]);
      const has = (authority: StoredAuthority, serialHex: string): boolean =>
        revoked.has({ issuerDer: rawOf(authority), serialHex });
      expect(has(one, leaf.serialHex)).to.equal(true);
      expect(has(two, leaf.serialHex)).to.equal(false);
      expect(has(one, SERIAL)).to.equal(false);
      expect(has(two, SERIAL)).to.equal(true);
    });

    it('goes by no list that the issuer has not signed', () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const revoked = new RevokedCertificates([listOf({ ...one, privateKey }, SERIAL)]);
      expect(revoked.has({ issuerDer: rawOf(one), serialHex: SERIAL })).to.equal(false);
    });

    it('knows nothing of an issuer that is no certificate', () => {
      const revoked = new RevokedCertificates([listOf(one, SERIAL)]);
      expect(revoked.has({ issuerDer: Buffer.from('none'), serialHex: SERIAL })).to.equal(false);
    });
  });

  describe('agreesWith', () => {
    it('accepts lists of these authorities and of others', () => {
      const revoked = new RevokedCertificates([listOf(one), listOf(two)]);
      expect(revoked.agreesWith([rawOf(one)])).to.equal(true);
      expect(revoked.agreesWith([rawOf(one), rawOf(two)])).to.equal(true);
    });

    it('accepts two authorities of one name', () => {
      const namesake = { ...two, subjectDer: one.subjectDer };
      expect(new RevokedCertificates([listOf(one), listOf(namesake)]).agreesWith([rawOf(one)])).to.equal(
        true,
      );
    });

    it('refuses a list with the name and key identifier of one of them that it has not signed', () => {
      const { privateKey } = two;
      const revoked = new RevokedCertificates([listOf(one), listOf({ ...one, privateKey })]);
      expect(revoked.agreesWith([rawOf(two)])).to.equal(true);
      expect(revoked.agreesWith([rawOf(one)])).to.equal(false);
    });
  });

  it('reads serial numbers as certificates have them', async () => {
    const leaf = await issuedLeaf(one);
    const serial = new X509Certificate(leaf.certificatePem).serialNumber.toLowerCase();
    const revoked = new RevokedCertificates([listOf(one, leaf.serialHex)]);
    expect(revoked.has({ issuerDer: rawOf(one), serialHex: serial })).to.equal(true);
  });
});
