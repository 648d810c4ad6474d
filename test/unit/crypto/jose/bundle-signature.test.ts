/** A bundle is read only with the signature of the authority's own certificate for bundles; each rule has its forgery. */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import { contextTag, der, objectIdentifier, TAG } from '../../../../src/crypto/der.ts';
import {
  type BundleClaims,
  type BundleSigner,
  peekBundleClaims,
  readBundleSignature,
  signBundle,
} from '../../../../src/crypto/jose/bundle-signature.ts';
import { createSigner, encodeHeader, signJws } from '../../../../src/crypto/jose/signer.ts';
import { generateEcKeyPair } from '../../../../src/crypto/key-pair.ts';
import { LeafSigner, type SigningAuthority } from '../../../../src/crypto/leaf.ts';
import { decodePem } from '../../../../src/crypto/pem.ts';
import { distinguishedName, extension, OID } from '../../../../src/crypto/x509-encoding.ts';
import { bundleLeafProfile } from '../../../../src/domain/bundle/leaf.ts';
import type { LeafProfile, Validity } from '../../../../src/domain/certificate/profile.ts';
import { type Forgery, forgedCertificate, storedAuthority, T0, validity } from '../fixture.ts';

const DOMAIN = 'example.org';
const SPIFFE_ID = `spiffe://${DOMAIN}/agent-trust/bundle`;
const AT = T0 / 1000;
const DIGEST = 'A'.repeat(43);
const CLAIMS: BundleClaims = {
  sequence: 7,
  iat: AT,
  exp: AT + 1800,
  aud: 'ai-agents',
  files: new Map([
    ['ca.crt', DIGEST],
    ['policy.json', DIGEST],
  ]),
};

const authority = storedAuthority();
const other = storedAuthority();
const profile = bundleLeafProfile(DOMAIN);

function leafOf(
  issuer: SigningAuthority,
  changes: Partial<LeafProfile> = {},
  during: Validity = validity,
  curve = 'P-256',
): BundleSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const spkiDer = publicKey.export({ type: 'spki', format: 'der' });
  const { certificateDer } = new LeafSigner(issuer).issue({ ...profile, ...changes }, during, spkiDer);
  return { key: privateKey, chainDer: [certificateDer] };
}

const USAGE = extension(OID.extendedKeyUsage, der(TAG.sequence, objectIdentifier(OID.documentSigning)));

/** A leaf that the signer would never make. */
function forged(changes: Partial<Forgery>): BundleSigner {
  const keyPair = generateEcKeyPair(256);
  const key = createPrivateKey({ key: keyPair.pkcs8Der, format: 'der', type: 'pkcs8' });
  const pem = forgedCertificate({
    issuer: authority,
    keyPair,
    subject: [],
    names: [[6, Buffer.from(SPIFFE_ID)]],
    more: [USAGE],
    ...changes,
  });
  return { key, chainDer: [derOf(pem)] };
}

type Called = SigningAuthority & { readonly pem: string };

/** An authority of any kind; its own root unless somebody else issues it. */
function authorityCalled(
  name: string,
  { issuer, ...changes }: { readonly issuer?: SigningAuthority } & Partial<Omit<Forgery, 'issuer'>>,
): Called {
  const keyPair = generateEcKeyPair(256);
  const privateKey = createPrivateKey({ key: keyPair.pkcs8Der, format: 'der', type: 'pkcs8' });
  const subject = [[OID.commonName, name]] as const;
  const own = {
    privateKey,
    keySize: 256,
    subjectDer: distinguishedName(subject),
    keyIdentifier: Buffer.alloc(20),
  } as const;
  const pem = forgedCertificate({
    keyPair,
    subject,
    names: [],
    isAuthority: true,
    keyUsage: Buffer.of(2, 0x04),
    ...changes,
    issuer: issuer ?? own,
  });
  return { ...own, pem };
}

/** A leaf with its issuer, which is no root, behind it. */
function below(issuer: Called): BundleSigner {
  const leaf = leafOf(issuer);
  return { ...leaf, chainDer: [...leaf.chainDer, derOf(issuer.pem)] };
}

/** The extension that lets URIs of one host through. */
function urisOf(host: string): Buffer {
  const base = der(TAG.sequence, der(contextTag(6, 'primitive'), Buffer.from(host)));
  const constraints = der(TAG.sequence, der(contextTag(0, 'constructed'), base));
  return extension(OID.nameConstraints, constraints, 'critical');
}

function derOf(pem: string): Buffer {
  const read = decodePem(Buffer.from(pem), { label: 'CERTIFICATE', limitBytes: 10_000, maxBlocks: 1 });
  if (read.kind === 'problem' || read.blocks[0] === undefined) throw new Error('no certificate');
  return read.blocks[0];
}

const good = leafOf(authority);

interface Draft {
  readonly header?: object;
  readonly payload?: object;
  readonly key?: KeyObject;
}

const PAYLOAD = { version: 1, ...CLAIMS, files: Object.fromEntries(CLAIMS.files) };
const X5C = good.chainDer.map((each) => Buffer.from(each).toString('base64'));
const HEADER = { typ: 'agent-bundle+jwt', alg: 'ES256', x5c: X5C };

/** Signed by the right key, whatever it says. */
function jwsOf({ header = {}, payload = {}, key = good.key }: Draft): string {
  const signer = createSigner(key);
  if (signer === undefined) throw new Error('no key');
  return signJws(encodeHeader({ ...HEADER, ...header }), JSON.stringify({ ...PAYLOAD, ...payload }), signer);
}

function read(
  jws: string,
  nowMs: number = T0,
  rootsPem: string = authority.certificatePem,
): BundleClaims | undefined {
  return readBundleSignature(jws, { rootsPem, trustDomain: DOMAIN, nowMs });
}

describe('readBundleSignature', () => {
  it('gives the claims that were signed', () => {
    expect(read(signBundle(CLAIMS, good))).to.deep.equal(CLAIMS);
  });

  it('accepts any of several roots', () => {
    const roots = `${other.certificatePem}${authority.certificatePem}`;
    expect(read(signBundle(CLAIMS, good), T0, roots)).to.deep.equal(CLAIMS);
  });

  it('leaves it to the caller whether the claims have ended', () => {
    expect(read(signBundle(CLAIMS, good), T0 + 3_600_000)).to.deep.equal(CLAIMS);
  });

  const jws = signBundle(CLAIMS, good);
  const [head = '', body = '', signature = ''] = jws.split('.');
  const flipped = Buffer.from(body, 'base64url').toString().replace('ai-agents', 'ai-agentx');
  const forms: Readonly<Record<string, () => string>> = {
    nothing: () => '',
    'more than 64 KiB': () => `${jws}${'A'.repeat(65_536)}`,
    'two parts': () => `${head}.${body}`,
    padding: () => `${jws}=`,
    'a changed payload': () => `${head}.${Buffer.from(flipped).toString('base64url')}.${signature}`,
    'no signature': () => `${head}.${body}.`,
    'a signature in DER': () => `${head}.${body}.${Buffer.alloc(70, 1).toString('base64url')}`,
    'another typ': () => jwsOf({ header: { typ: 'agent-capability+jwt' } }),
    'another alg': () => jwsOf({ header: { alg: 'ES384' } }),
    'alg none': () => `${encodeHeader({ ...HEADER, alg: 'none' })}.${body}.`,
    'a header with more': () => jwsOf({ header: { kid: 'x' } }),
    'a header with crit': () => jwsOf({ header: { crit: ['x'] } }),
    'no certificate': () => jwsOf({ header: { x5c: [] } }),
    'five certificates': () => jwsOf({ header: { x5c: Array.from({ length: 5 }, () => X5C[0]) } }),
    'a certificate of 10 KB': () => jwsOf({ header: { x5c: ['A'.repeat(12_292)] } }),
    'a certificate that is none': () => jwsOf({ header: { x5c: ['AAAA'] } }),
    'base64url in x5c': () =>
      jwsOf({
        header: { x5c: [(X5C[0] ?? '').replaceAll('+', '-').replaceAll('/', '_')].map((x) => `${x}-`) },
      }),
    'a certificate for nothing behind': () => jwsOf({ header: { x5c: [...X5C, ...X5C] } }),
    'the root behind': () =>
      signBundle(CLAIMS, { ...good, chainDer: [...good.chainDer, authority.certificate.raw] }),
    'another version': () => jwsOf({ payload: { version: 2 } }),
    'a claim that nobody knows': () => jwsOf({ payload: { nbf: AT } }),
    'no sequence': () => jwsOf({ payload: { sequence: undefined } }),
    'a sequence with a fraction': () => jwsOf({ payload: { sequence: 1.5 } }),
    'several namespaces': () => jwsOf({ payload: { aud: ['ai-agents'] } }),
    'a namespace that is none': () => jwsOf({ payload: { aud: '../x' } }),
    'an end before the beginning': () => jwsOf({ payload: { exp: AT } }),
    'a life of more than a day': () => jwsOf({ payload: { exp: AT + 86_401 } }),
    'a digest that is none': () => jwsOf({ payload: { files: { 'ca.crt': 'x' } } }),
    'a file of another folder': () => jwsOf({ payload: { files: { '../ca.crt': DIGEST } } }),
    'too many files': () =>
      jwsOf({
        payload: { files: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`f${at}`, DIGEST])) },
      }),
    'the key of another certificate': () => jwsOf({ key: leafOf(authority).key }),
  };
  for (const [what, make] of Object.entries(forms)) {
    it(`rejects ${what}`, () => expect(read(make())).to.equal(undefined));
  }

  const URI = (text: string): readonly [number, Uint8Array] => [6, Buffer.from(text)];
  const signers: Readonly<Record<string, () => BundleSigner>> = {
    'the leaf of an agent': () =>
      leafOf(authority, {
        spiffeId: `spiffe://${DOMAIN}/ns/ai-agents/sa/agent-trust`,
        extendedKeyUsages: ['clientAuth', 'serverAuth'],
      }),
    'another trust domain': () => leafOf(authority, { spiffeId: 'spiffe://example.com/agent-trust/bundle' }),
    'a name below ours': () => leafOf(authority, { spiffeId: `${SPIFFE_ID}/x` }),
    'a DNS name beside it': () => leafOf(authority, { dnsNames: ['x.ai-agents.svc'] }),
    'two URIs': () => forged({ names: [URI(SPIFFE_ID), URI('spiffe://example.org/ns/a/sa/b')] }),
    'an IP address beside it': () => forged({ names: [URI(SPIFFE_ID), [7, Buffer.of(127, 0, 0, 1)]] }),
    'CA:true': () => forged({ isAuthority: true }),
    'the right to sign certificates': () => forged({ keyUsage: Buffer.of(2, 0x84) }),
    'no usage': () => leafOf(authority, { extendedKeyUsages: [] }),
    'TLS for clients': () => leafOf(authority, { extendedKeyUsages: ['clientAuth'] }),
    'TLS for servers beside the right usage': () =>
      leafOf(authority, { extendedKeyUsages: ['documentSigning', 'serverAuth'] }),
    'an issuer that is not trusted': () => leafOf(other),
    'no issuer but itself': () => {
      const { privateKey, certificate } = other;
      return { key: privateKey, chainDer: [certificate.raw] };
    },
  };
  for (const [what, make] of Object.entries(signers)) {
    it(`rejects a certificate with ${what}`, () =>
      expect(read(signBundle(CLAIMS, make()))).to.equal(undefined));
  }

  it('accepts what the forgeries are made of', () => {
    expect(read(signBundle(CLAIMS, forged({})))).to.deep.equal(CLAIMS);
  });

  it('rejects a certificate that has ended, and one that has not begun', () => {
    expect(read(jws, validity.notAfterMs)).to.deep.equal(CLAIMS);
    expect(read(jws, validity.notAfterMs + 1)).to.equal(undefined);
    expect(read(jws, validity.notBeforeMs - 1)).to.equal(undefined);
  });

  it('rejects a root that has ended', () => {
    const short = storedAuthority({ lifeMs: 3_600_000 });
    const long = signBundle(CLAIMS, leafOf(short));
    expect(read(long, T0, short.certificatePem)).to.deep.equal(CLAIMS);
    expect(read(long, T0 + 3_600_001, short.certificatePem)).to.equal(undefined);
  });

  it('rejects everything without roots', () => {
    expect(read(jws, T0, '')).to.equal(undefined);
    expect(read(jws, T0, 'roots')).to.equal(undefined);
  });

  it('accepts an authority between leaf and root, unless the root may have none', () => {
    const root = authorityCalled('root', {});
    const between = authorityCalled('between', { issuer: root });
    expect(read(signBundle(CLAIMS, below(between)), T0, root.pem)).to.deep.equal(CLAIMS);
    expect(read(signBundle(CLAIMS, leafOf(between)), T0, root.pem)).to.equal(undefined);
    const leaf = authorityCalled('leaf', { issuer: root, isAuthority: false });
    expect(read(signBundle(CLAIMS, below(leaf)), T0, root.pem)).to.equal(undefined);
    const signer = authorityCalled('signer', { issuer: root, keyUsage: Buffer.of(7, 0x80) });
    expect(read(signBundle(CLAIMS, below(signer)), T0, root.pem)).to.equal(undefined);
    for (const [host, wanted] of [
      [DOMAIN, CLAIMS],
      ['example.com', undefined],
    ] as const) {
      const constrained = authorityCalled('constrained', { issuer: root, more: [urisOf(host)] });
      expect(read(signBundle(CLAIMS, below(constrained)), T0, root.pem)).to.deep.equal(wanted);
    }
    const bounded = authorityCalled('bounded', { issuer: authority });
    expect(read(signBundle(CLAIMS, below(bounded)))).to.equal(undefined);
    expect(read(signBundle(CLAIMS, leafOf(bounded)), T0, bounded.pem)).to.deep.equal(CLAIMS);
  });
});

describe('signBundle', () => {
  it('signs with no key but one on P-256', () => {
    const key = leafOf(authority, {}, validity, 'P-384').key;
    expect(() => signBundle(CLAIMS, { ...good, key })).to.throw(TypeError);
  });

  it('signs equal claims in one form, whatever the order of the files', () => {
    const files = new Map([...CLAIMS.files].reverse());
    const [one, two] = [CLAIMS, { ...CLAIMS, files }].map((claims) => signBundle(claims, good).split('.')[1]);
    expect(one).to.equal(two);
  });
});

describe('peekBundleClaims', () => {
  it('gives the claims without a look at the signature', () => {
    const [head, body] = signBundle(CLAIMS, good).split('.');
    expect(peekBundleClaims(`${head}.${body}.`)).to.deep.equal(CLAIMS);
    expect(peekBundleClaims('x')).to.equal(undefined);
  });
});
