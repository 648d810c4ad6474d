import { expect } from 'chai';
import { type Deviation, leafDeviations } from '../../../../src/domain/certificate/deviation.ts';
import type { CertificateFacts } from '../../../../src/domain/certificate/facts.ts';
import type { LeafProfile } from '../../../../src/domain/certificate/profile.ts';
import { authority, DAY, HOUR, ISSUED_AT, leaf, MINUTE, wish } from './fixture.ts';

interface Case {
  readonly profile?: Partial<LeafProfile>;
  readonly leaf?: Partial<CertificateFacts>;
  readonly authorityNotAfterMs?: number;
  readonly expect: readonly Deviation[];
}

const { profile } = wish;
const [shortName = '', longName = ''] = profile.dnsNames;

const cases: Record<string, Case> = {
  'accepts what was asked for': { expect: [] },
  'accepts DNS names in another order': { leaf: { dnsNames: [longName, shortName] }, expect: [] },
  'accepts usages in another order': {
    leaf: { extendedKeyUsages: ['serverAuth', 'clientAuth'] },
    expect: [],
  },
  'accepts a leaf without back-dating': { leaf: { notBeforeMs: ISSUED_AT }, expect: [] },
  'accepts a leaf that was cut to the end of its authority': {
    leaf: { notAfterMs: ISSUED_AT + HOUR },
    authorityNotAfterMs: ISSUED_AT + HOUR + 999,
    expect: [],
  },
  'rejects another SPIFFE ID': { leaf: { uris: [`${profile.spiffeId}x`] }, expect: ['SPIFFE ID'] },
  'rejects a second URI': {
    leaf: { uris: [profile.spiffeId, 'https://example.org'] },
    expect: ['SPIFFE ID'],
  },
  'rejects no URI': { leaf: { uris: [] }, expect: ['SPIFFE ID'] },
  'rejects a missing DNS name': { leaf: { dnsNames: [shortName] }, expect: ['DNS names'] },
  'rejects an extra DNS name': {
    leaf: { dnsNames: [...profile.dnsNames, 'b.ns.svc'] },
    expect: ['DNS names'],
  },
  'rejects a name twice': { leaf: { dnsNames: [shortName, shortName] }, expect: ['DNS names'] },
  'rejects names of other types': { leaf: { otherNameCount: 1 }, expect: ['other names'] },
  'rejects another common name': { leaf: { commonName: 'admin' }, expect: ['subject'] },
  'rejects a common name where none is wanted': { profile: { commonName: undefined }, expect: ['subject'] },
  'rejects another organization': { leaf: { organization: 'system:masters' }, expect: ['subject'] },
  'rejects more subject attributes': { leaf: { otherSubjectAttributeCount: 1 }, expect: ['subject'] },
  'rejects an authority': { leaf: { isAuthority: true }, expect: ['usages'] },
  'rejects another key usage': {
    leaf: { keyUsages: ['digitalSignature', 'keyCertSign'] },
    expect: ['usages'],
  },
  'rejects a missing extended key usage': { leaf: { extendedKeyUsages: ['clientAuth'] }, expect: ['usages'] },
  'rejects another key algorithm': { leaf: { keyAlgorithm: 'RSA', keySize: 256 }, expect: ['key type'] },
  'rejects another key size': { profile: { key: { algorithm: 'ECDSA', size: 384 } }, expect: ['key type'] },
  'rejects a longer life': { leaf: { notAfterMs: ISSUED_AT + DAY + 2_000 }, expect: ['life'] },
  'rejects a shorter life that nobody cut': {
    leaf: { notAfterMs: ISSUED_AT + DAY - 3 * MINUTE },
    expect: ['life'],
  },
  'rejects a life that is cut too long': {
    leaf: { notAfterMs: ISSUED_AT + 2 * DAY },
    authorityNotAfterMs: ISSUED_AT + 2 * DAY,
    expect: ['life'],
  },
  'names everything that differs, in a fixed order': {
    leaf: { uris: [], isAuthority: true, keySize: 0, dnsNames: [] },
    expect: ['SPIFFE ID', 'DNS names', 'usages', 'key type'],
  },
};

describe('leafDeviations', () => {
  for (const [name, given] of Object.entries(cases)) {
    it(name, () => {
      const wanted = { ...profile, ...given.profile };
      const endMs = given.authorityNotAfterMs ?? authority.notAfterMs;
      expect(leafDeviations(wanted, { ...leaf, ...given.leaf }, endMs)).to.deep.equal(given.expect);
    });
  }
});
