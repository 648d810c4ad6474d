import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { bundleRecord, type ConfigMap, digestsOf } from '../../../../src/controllers/bundle/bundle-record.ts';
import { isCurrent, judgeBundle, partOf, renewalMs } from '../../../../src/controllers/bundle/judge.ts';
import { type BundleClaims, signBundle } from '../../../../src/crypto/jose/bundle-signature.ts';
import { LeafSigner } from '../../../../src/crypto/leaf.ts';
import { bundleLeafProfile } from '../../../../src/domain/bundle/leaf.ts';
import { storedAuthority, T0, validity } from '../../crypto/fixture.ts';

const authority = storedAuthority();
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spkiDer = publicKey.export({ type: 'spki', format: 'der' });
const { certificateDer } = new LeafSigner(authority).issue(
  bundleLeafProfile('example.org'),
  validity,
  spkiDer,
);

const IAT = T0 / 1000;
const FILES = { 'ca.crt': 'roots', 'policy.json': '{}' };
const FURTHER = { 'policy-1.json': '{}' };
const CLAIMS: BundleClaims = {
  sequence: 5,
  iat: IAT,
  exp: IAT + 1800,
  aud: 'ai-agents',
  files: digestsOf({ ...FILES, ...FURTHER }),
};
const signed = (claims: Partial<BundleClaims> = {}): string =>
  signBundle({ ...CLAIMS, ...claims }, { key: privateKey, chainDer: [certificateDer] });

function judged(
  changes: Partial<ConfigMap>,
  { jws = signed(), rootsPem = authority.certificatePem, formerPem = '' } = {},
): ReturnType<typeof judgeBundle> {
  const observed = bundleRecord({
    metadata: { name: 'x', labels: { 'agenttrust.dev/managed': 'true' } },
    data: { ...FILES, 'bundle.jws': jws },
    ...changes,
  });
  const trust = { rootsPem, trustDomain: 'example.org' };
  return judgeBundle({ namespace: 'ai-agents', observed, trust, formerPem });
}

const ALTERED = 'its data were not what agent-trust has signed';

describe('judgeBundle', () => {
  it('finds nothing wrong with what was signed, the parts elsewhere among it', () => {
    expect(judged({})).to.deep.equal({ claims: CLAIMS, wrong: undefined });
  });

  it('finds a missing label and an immutable one, and who signed', () => {
    expect(judged({ metadata: { name: 'x' } })).to.deep.equal({
      claims: CLAIMS,
      wrong: 'the label agenttrust.dev/managed was missing',
    });
    expect(judged({ immutable: true })).to.deep.equal({ claims: CLAIMS, wrong: 'it was immutable' });
  });

  const altered: Readonly<Record<string, Partial<ConfigMap>>> = {
    'a changed file': { data: { ...FILES, 'ca.crt': 'x', 'bundle.jws': signed() } },
    'a missing file': { data: { 'ca.crt': 'roots', 'bundle.jws': signed() } },
    'a further file': { data: { ...FILES, more: 'x', 'bundle.jws': signed() } },
    'a further binary file': { binaryData: { more: 'eA==' } },
  };
  for (const [what, changes] of Object.entries(altered))
    it(`finds ${what}`, () => expect(judged(changes)).to.deep.equal({ claims: CLAIMS, wrong: ALTERED }));

  it('finds nothing wrong with what a generation has signed that was trusted then, and takes no word of it', () => {
    const rootsPem = storedAuthority().certificatePem;
    const formerPem = authority.certificatePem;
    expect(judged({}, { rootsPem, formerPem })).to.deep.equal({ claims: undefined, wrong: undefined });
    const jws = signed({ aud: 'ai-data' });
    expect(judged({}, { jws, rootsPem, formerPem }).wrong).to.equal(ALTERED);
    expect(judged({}, { rootsPem, formerPem: rootsPem })).to.deep.equal({
      claims: undefined,
      wrong: ALTERED,
    });
    expect(judged({}, { rootsPem })).to.deep.equal({ claims: undefined, wrong: ALTERED });
  });

  const unsigned: Readonly<Record<string, Partial<ConfigMap>>> = {
    'no signature': { data: FILES },
    'a signature for another namespace': { data: { ...FILES, 'bundle.jws': signed({ aud: 'ai-data' }) } },
    'a signature of somebody else': {
      data: { ...FILES, 'bundle.jws': signed({ iat: IAT - 600, exp: IAT }) },
    },
    'a huge signature': { data: { ...FILES, 'bundle.jws': 'x'.repeat(70_000) } },
  };
  for (const [what, changes] of Object.entries(unsigned))
    it(`finds ${what}, and trusts no sequence`, () =>
      expect(judged(changes)).to.deep.equal({ claims: undefined, wrong: ALTERED }));
});

describe('isCurrent', () => {
  it('holds for the same files through the first half of their life', () => {
    const half = renewalMs(CLAIMS);
    expect(half).to.equal(T0 + 900_000);
    expect([T0, half - 1, half].map((nowMs) => isCurrent(CLAIMS, CLAIMS.files, nowMs))).to.deep.equal([
      true,
      true,
      false,
    ]);
    expect(isCurrent(CLAIMS, digestsOf(FILES), T0)).to.equal(false);
  });

  it('does not hold for what was signed by a clock that was ahead', () => {
    expect(isCurrent(CLAIMS, CLAIMS.files, T0 - 61_000)).to.equal(false);
  });
});

describe('partOf', () => {
  it('tells in which ConfigMap a file lies', () => {
    expect(['ca.crt', 'policy.json', 'policy-1.json', 'jwks-3.json'].map(partOf)).to.deep.equal([0, 0, 1, 3]);
  });
});
