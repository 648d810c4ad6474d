import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { Authority } from '../../../src/crypto/authority-reader.ts';
import { readGivenAuthority } from '../../../src/crypto/given-authority.ts';
import { generateEcKeyPair } from '../../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../../src/crypto/leaf.ts';
import { encodePem } from '../../../src/crypto/pem.ts';
import { signingAuthority } from '../../../src/crypto/signing-authority.ts';
import { givenCa } from '../../support/authority/given-ca.ts';
import { inputOf, middle, root, signed } from '../../support/issuance/bad-answers.ts';
import { forgedCertificate, issuedLeaf, profile, storedAuthority, validity } from './fixture.ts';

const authority = storedAuthority();
const other = storedAuthority({ keySize: 384 });
const pem = Buffer.from((await issuedLeaf(authority)).certificatePem);

const signingAuthorityId = (...args: Parameters<typeof signingAuthority>): string | undefined =>
  signingAuthority(...args)?.authorityId;

const derPem = (der: Buffer): string => encodePem('CERTIFICATE', der);

function givenIntermediate(): Authority {
  const top = givenCa({ name: 'Top' });
  const upper = givenCa({ name: 'Upper', issuer: top });
  const lower = givenCa({ name: 'Lower', issuer: upper });
  const read = readGivenAuthority({
    certificatePem: Buffer.from(lower.pem + upper.pem + top.pem),
    privateKeyPem: Buffer.from(lower.keyPem),
    rootsPem: undefined,
  });
  if (read.kind === 'refuse') throw new Error(read.message);
  return read.authority;
}

describe('signingAuthority', () => {
  it('accepts the authority that signed, wherever it stands', () => {
    expect([
      signingAuthorityId(pem, [authority]),
      signingAuthorityId(pem, [other, authority]),
      signingAuthorityId(pem, [authority, other]),
    ]).to.deep.equal([authority.id, authority.id, authority.id]);
  });

  it('follows the certificates behind the leaf, and counts those that it needs', () => {
    const [trusted] = inputOf({}).known;
    if (trusted === undefined) throw new Error('the root of the test is none');
    const chain = signed({}, middle) + middle.pem;
    const end = { authorityId: trusted.id, intermediateCount: 1 };
    expect(signingAuthority(Buffer.from(chain), [trusted])).to.deep.equal(end);
    expect(signingAuthority(Buffer.from(chain + root.pem), [authority, trusted])).to.deep.equal(end);
    expect(signingAuthority(Buffer.from(signed()), [trusted])).to.deep.equal({ authorityId: trusted.id });
  });

  it('says whether what must stand behind a leaf does', () => {
    const given = givenIntermediate();
    const { intermediates } = given;
    const [own = Buffer.alloc(0)] = intermediates;
    const leaf = derPem(
      new LeafSigner(given).issue(profile, validity, generateEcKeyPair(256).spkiDer).certificateDer,
    );
    const behind = intermediates.map(derPem).join('');
    const lacks = { authorityId: given.id, lacksIntermediates: true };
    const whole = { authorityId: given.id, intermediateCount: 2 };
    const endOf = (pem: string) => signingAuthority(Buffer.from(pem), [authority, given]);
    expect(endOf(leaf + behind)).to.deep.equal(whole);
    expect(endOf(leaf + behind + authority.certificatePem)).to.deep.equal(whole);
    for (const pem of [
      leaf,
      leaf + derPem(own),
      leaf + derPem(own).repeat(2),
      leaf + authority.certificatePem,
    ])
      expect(endOf(pem)).to.deep.equal(lacks);
  });

  it('rejects a chain with a gap, with another certificate, or without a CA in it', () => {
    const { known } = inputOf({});
    const leaf = signed({}, middle);
    for (const chain of [
      leaf,
      leaf + root.pem + middle.pem,
      leaf + authority.certificatePem,
      leaf + signed(),
    ])
      expect(signingAuthority(Buffer.from(chain), known)).to.equal(undefined);
  });

  it('rejects a chain with a CA whose key is of no known kind', async () => {
    const keyPair = generateEcKeyPair(256);
    const spkiDer = Buffer.from(keyPair.spkiDer);
    spkiDer[10] = (spkiDer[10] ?? 0) ^ 1; // in the identifier of the algorithm
    const strange = forgedCertificate({
      issuer: authority,
      keyPair: { ...keyPair, spkiDer },
      isAuthority: true,
      keyUsage: Buffer.of(2, 0x04),
    });
    expect(new X509Certificate(strange).ca).to.equal(true);
    const leaf = (await issuedLeaf(other)).certificatePem;
    expect(signingAuthority(Buffer.from(leaf + strange), [authority])).to.equal(undefined);
  });

  it('rejects every other, and what is no certificate', () => {
    expect([
      signingAuthorityId(pem, []),
      signingAuthorityId(pem, [other]),
      signingAuthorityId(pem, [storedAuthority()]),
      signingAuthorityId(Buffer.from('garbage'), [authority]),
      signingAuthorityId(Buffer.alloc(200_000, 65), [authority]),
    ]).to.deep.equal([undefined, undefined, undefined, undefined, undefined]);
  });
});
