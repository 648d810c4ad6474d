import { expect } from 'chai';
import {
  type LeafProfileResult,
  type LeafRequest,
  type LeafValidityInput,
  type LeafValidityResult,
  leafProfile,
  leafValidity,
  type TrustSettings,
} from '../../../../src/domain/certificate/profile.ts';

const HOUR = 3_600_000;
const request: LeafRequest = {
  name: 'agent-deployer',
  namespace: 'ai-agents',
  serviceAccountName: 'deployer',
  durationMs: 24 * HOUR,
  keyAlgorithm: 'ECDSA',
  keySize: undefined,
  extraDnsNames: [],
};
const settings: TrustSettings = { trustDomain: 'example.org', clusterDomain: 'cluster.local' };
const profile = {
  spiffeId: 'spiffe://example.org/ns/ai-agents/sa/deployer',
  dnsNames: ['agent-deployer.ai-agents.svc', 'agent-deployer.ai-agents.svc.cluster.local'],
  commonName: 'agent-deployer.ai-agents',
  organization: 'ai-agents',
  extendedKeyUsages: ['clientAuth', 'serverAuth'],
  key: { algorithm: 'ECDSA', size: 256 },
  durationMs: 24 * HOUR,
} as const;

function refused(
  reason: 'InvalidName' | 'DurationOutOfRange' | 'UnsupportedKey',
  message: string,
): LeafProfileResult {
  return { kind: 'refuse', reason, message };
}

const DURATION = refused('DurationOutOfRange', 'duration must be 10m to 168h');
const KEY = refused('UnsupportedKey', 'the key must be ECDSA 256 or 384, or RSA 2048, 3072 or 4096');
const NO_ID = refused('InvalidName', 'trust domain, namespace and ServiceAccount do not make a SPIFFE ID');

function foreign(name: string): LeafProfileResult {
  return refused(
    'InvalidName',
    `spec.certificate.dnsNames: "${name}" is no DNS name of this namespace. Use lower-case names without wildcard that end in .ai-agents.svc or .ai-agents.svc.cluster.local, or leave it out`,
  );
}

const longName = 'a'.repeat(40);
const longNamespace = 'n'.repeat(24);

interface Case {
  readonly request?: Partial<LeafRequest>;
  readonly settings?: Partial<TrustSettings>;
  readonly expect: LeafProfileResult;
}

const cases: Record<string, Case> = {
  'names the ServiceAccount in the SPIFFE ID and the identity in DNS': {
    expect: { kind: 'profile', profile },
  },
  'puts extra names after its own, each once': {
    request: {
      extraDnsNames: ['z.ai-agents.svc', 'agent-deployer.ai-agents.svc', 'a.ai-agents.svc.cluster.local'],
    },
    expect: {
      kind: 'profile',
      profile: {
        ...profile,
        dnsNames: [...profile.dnsNames, 'z.ai-agents.svc', 'a.ai-agents.svc.cluster.local'],
      },
    },
  },
  'takes 2048 bits for RSA without size': {
    request: { keyAlgorithm: 'RSA' },
    expect: { kind: 'profile', profile: { ...profile, key: { algorithm: 'RSA', size: 2048 } } },
  },
  'takes P-384': {
    request: { keySize: 384 },
    expect: { kind: 'profile', profile: { ...profile, key: { algorithm: 'ECDSA', size: 384 } } },
  },
  'cuts a duration to whole seconds': {
    request: { durationMs: 600_999 },
    expect: { kind: 'profile', profile: { ...profile, durationMs: 600_000 } },
  },
  'takes the shortest and the longest duration': {
    request: { durationMs: 168 * HOUR },
    expect: { kind: 'profile', profile: { ...profile, durationMs: 168 * HOUR } },
  },
  'rejects a duration below ten minutes': { request: { durationMs: 599_999 }, expect: DURATION },
  'rejects a duration above a week': { request: { durationMs: 168 * HOUR + 1 }, expect: DURATION },
  'rejects a duration that is no number': { request: { durationMs: Number.NaN }, expect: DURATION },
  'rejects an unknown key algorithm': { request: { keyAlgorithm: 'Ed25519' }, expect: KEY },
  'rejects a size of the other algorithm': { request: { keySize: 2048 }, expect: KEY },
  'rejects a small RSA key': { request: { keyAlgorithm: 'RSA', keySize: 1024 }, expect: KEY },
  'rejects a name outside the namespace': {
    request: { extraDnsNames: ['api.other.svc'] },
    expect: foreign('api.other.svc'),
  },
  'rejects a public name': { request: { extraDnsNames: ['example.org'] }, expect: foreign('example.org') },
  'rejects the namespace itself': {
    request: { extraDnsNames: ['ai-agents.svc'] },
    expect: foreign('ai-agents.svc'),
  },
  'rejects a name that goes on after the domain of the cluster': {
    request: { extraDnsNames: ['a.ai-agents.svc.cluster.local.example.org'] },
    expect: foreign('a.ai-agents.svc.cluster.local.example.org'),
  },
  'rejects a label of 64 characters, which the schema lets through': {
    request: { extraDnsNames: [`${'a'.repeat(64)}.ai-agents.svc`] },
    expect: foreign(`${'a'.repeat(64)}.ai-agents.svc`),
  },
  'rejects a wildcard': {
    request: { extraDnsNames: ['*.ai-agents.svc'] },
    expect: foreign('*.ai-agents.svc'),
  },
  'rejects a trust domain that is none': { settings: { trustDomain: 'Example.org' }, expect: NO_ID },
  'rejects a ServiceAccount that is no segment': { request: { serviceAccountName: '..' }, expect: NO_ID },
};

describe('leafProfile', () => {
  for (const [name, given] of Object.entries(cases)) {
    it(name, () => {
      const result = leafProfile({ ...request, ...given.request }, { ...settings, ...given.settings });
      expect(result).to.deep.equal(given.expect);
    });
  }

  it('has a common name of exactly 64 bytes', () => {
    const namespace = longNamespace.slice(1);
    const result = leafProfile({ ...request, name: longName, namespace }, settings);
    expect(result).to.have.nested.property('profile.commonName', `${longName}.${namespace}`);
  });

  it('leaves out a common name of 65 bytes', () => {
    const result = leafProfile({ ...request, name: longName, namespace: longNamespace }, settings);
    expect(result).to.have.nested.property('profile.commonName', undefined);
  });
});

describe('leafValidity', () => {
  const now = Date.UTC(2026, 0, 1) + 250;
  const second = Date.UTC(2026, 0, 1);
  const input: LeafValidityInput = {
    profile: { durationMs: 24 * HOUR },
    nowMs: now,
    authorityNotAfterMs: now + 30 * 24 * HOUR,
    notBeforeFloorMs: undefined,
  };
  const validityCases: Record<
    string,
    { readonly input?: Partial<LeafValidityInput>; readonly expect: LeafValidityResult }
  > = {
    'begins two minutes ago and ends after the duration, in whole seconds': {
      expect: {
        kind: 'valid',
        validity: { notBeforeMs: second - 120_000, notAfterMs: second + 24 * HOUR },
      },
    },
    'never begins before the floor': {
      input: { notBeforeFloorMs: second - 30_500 },
      expect: { kind: 'valid', validity: { notBeforeMs: second - 30_000, notAfterMs: second + 24 * HOUR } },
    },
    'begins at the next second when the floor is just now': {
      input: { notBeforeFloorMs: now },
      expect: { kind: 'valid', validity: { notBeforeMs: second + 1000, notAfterMs: second + 24 * HOUR } },
    },
    'never ends after the authority': {
      input: { authorityNotAfterMs: now + HOUR },
      expect: { kind: 'valid', validity: { notBeforeMs: second - 120_000, notAfterMs: second + HOUR } },
    },
    'accepts an authority with five minutes left': {
      input: { authorityNotAfterMs: now + 300_000 },
      expect: { kind: 'valid', validity: { notBeforeMs: second - 120_000, notAfterMs: second + 300_000 } },
    },
    'rejects an authority with less than five minutes left': {
      input: { authorityNotAfterMs: now + 299_999 },
      expect: {
        kind: 'refuse',
        reason: 'AuthorityExpiring',
        message: 'the authority ends at 2026-01-01T00:05:00.249Z, too soon to sign',
      },
    },
    'rejects a floor in the future': {
      input: { notBeforeFloorMs: now + 60_000 },
      expect: {
        kind: 'refuse',
        reason: 'NotYetValid',
        message: 'no leaf may begin before 2026-01-01T00:01:01.000Z, which is still to come',
      },
    },
  };
  for (const [name, given] of Object.entries(validityCases)) {
    it(name, () => expect(leafValidity({ ...input, ...given.input })).to.deep.equal(given.expect));
  }
});
