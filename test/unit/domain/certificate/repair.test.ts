import { expect } from 'chai';
import type { SecretFacts } from '../../../../src/domain/certificate/facts.ts';
import {
  mustRecreate,
  type RepairFinding,
  repairFindings,
} from '../../../../src/domain/certificate/repair.ts';
import { TEMPLATE_ANNOTATION } from '../../../../src/domain/certificate/secret-template.ts';
import { secret, secretWithContent, secretWithLeaf, wish } from './fixture.ts';

const keys = secret.dataKeys;
const RECORD = '{"labels":["team"],"annotations":["note"]}';

const cases: Record<string, { readonly secret: SecretFacts; readonly expect: readonly RepairFinding[] }> = {
  'finds nothing wrong with a Secret as it should be': { secret, expect: [] },
  'leaves foreign labels, annotations and owners alone': {
    secret: {
      ...secret,
      labels: { ...secret.labels, team: 'a' },
      annotations: { ...secret.annotations, note: 'b' },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'd' },
        ...secret.ownerReferences,
      ],
    },
    expect: [],
  },
  'finds a wrong type': {
    secret: { ...secret, type: 'Opaque' },
    expect: [{ what: 'SecretType', message: 'the Secret was not of type kubernetes.io/tls' }],
  },
  'finds an immutable Secret': {
    secret: { ...secret, immutable: true },
    expect: [{ what: 'Immutable', message: 'the Secret was immutable' }],
  },
  'finds more certificates than the leaf': {
    secret: secretWithLeaf({ chainLength: 2 }),
    expect: [{ what: 'CertificateChain', message: 'tls.crt held more than the leaf' }],
  },
  'finds more certificates than the leaf and its intermediates': {
    secret: secretWithLeaf({ chainLength: 3, intermediateCount: 1 }),
    expect: [
      {
        what: 'CertificateChain',
        message: 'tls.crt held more than the leaf and what leads to its authority',
      },
    ],
  },
  'accepts intermediates that lead to the authority': {
    secret: secretWithLeaf({ chainLength: 2, intermediateCount: 1 }),
    expect: [],
  },
  'takes what leads from the leaf to its root': {
    secret: secretWithLeaf({ chainLength: 3, intermediateCount: 2 }),
    expect: [],
  },
  'takes what leads to an authority that is not trusted': {
    secret: secretWithLeaf({ chainLength: 2, authorityId: undefined }),
    expect: [],
  },
  'finds that what leads to the root is missing': {
    secret: secretWithLeaf({ lacksIntermediates: true }),
    expect: [
      { what: 'CertificateChain', message: 'tls.crt did not hold what leads from the leaf to its root' },
    ],
  },
  'finds another ca.crt': {
    secret: secretWithContent({ trustBundleSha256: 'bad' }),
    expect: [{ what: 'TrustBundle', message: 'ca.crt was not the trust bundle' }],
  },
  'finds a missing ca.crt': {
    secret: {
      ...secretWithContent({ trustBundleSha256: undefined }),
      dataKeys: keys.filter((key) => key !== 'ca.crt'),
    },
    expect: [{ what: 'TrustBundle', message: 'ca.crt was missing' }],
  },
  'finds another combined PEM': {
    secret: secretWithContent({ combinedMatches: false }),
    expect: [{ what: 'CombinedPem', message: 'tls-combined.pem was not tls.key and tls.crt' }],
  },
  'finds a missing combined PEM': {
    secret: {
      ...secretWithContent({ combinedMatches: false }),
      dataKeys: keys.filter((key) => key !== 'tls-combined.pem'),
    },
    expect: [{ what: 'CombinedPem', message: 'tls-combined.pem was missing' }],
  },
  'finds an unknown key': {
    secret: { ...secret, dataKeys: [...keys, 'foo'] },
    expect: [{ what: 'UnknownKeys', message: 'extra data key foo' }],
  },
  'names three of many unknown keys': {
    secret: { ...secret, dataKeys: [...keys, 'e', 'd', 'c', 'b', 'a'] },
    expect: [{ what: 'UnknownKeys', message: 'extra data key a, b, c and 2 more' }],
  },
  'finds a missing label': {
    secret: { ...secret, labels: {} },
    expect: [{ what: 'Labels', message: 'label agenttrust.dev/managed was missing or changed' }],
  },
  'finds a changed annotation': {
    secret: { ...secret, annotations: { 'agenttrust.dev/owner-uid': 'other' } },
    expect: [{ what: 'Annotations', message: 'annotation agenttrust.dev/owner-uid was missing or changed' }],
  },
  'finds what the template had before': {
    secret: {
      ...secret,
      labels: { ...secret.labels, team: 'a', foreign: 'b' },
      annotations: { ...secret.annotations, note: 'b', [TEMPLATE_ANNOTATION]: RECORD },
    },
    expect: [
      { what: 'Labels', message: 'label team is no longer in the template' },
      { what: 'Annotations', message: 'annotation note is no longer in the template' },
    ],
  },
  'finds a record of a template whose labels are gone': {
    secret: { ...secret, annotations: { ...secret.annotations, [TEMPLATE_ANNOTATION]: RECORD } },
    expect: [
      {
        what: 'Annotations',
        message: 'annotation agenttrust.dev/secret-template was for a template that is gone',
      },
    ],
  },
  'finds an owner reference to another uid': {
    secret: { ...secret, ownerReferences: [{ ...wish.secret.ownerReference, uid: 'uid-0' }] },
    expect: [{ what: 'OwnerReference', message: 'the owner reference to the AgentIdentity was missing' }],
  },
  'finds everything at once, in a fixed order': {
    secret: {
      ...secretWithContent({ trustBundleSha256: undefined, combinedMatches: false }),
      immutable: true,
      labels: {},
      ownerReferences: [],
    },
    expect: [
      { what: 'Immutable', message: 'the Secret was immutable' },
      { what: 'TrustBundle', message: 'ca.crt was not the trust bundle' },
      { what: 'CombinedPem', message: 'tls-combined.pem was not tls.key and tls.crt' },
      { what: 'Labels', message: 'label agenttrust.dev/managed was missing or changed' },
      { what: 'OwnerReference', message: 'the owner reference to the AgentIdentity was missing' },
    ],
  },
};

describe('repairFindings', () => {
  for (const [name, given] of Object.entries(cases)) {
    it(name, () => expect(repairFindings(wish.secret, given.secret)).to.deep.equal(given.expect));
  }
});

describe('mustRecreate', () => {
  it('is false for a Secret that can be written', () => expect(mustRecreate(secret)).to.equal(false));
  it('is true for another type', () => expect(mustRecreate({ ...secret, type: 'Opaque' })).to.equal(true));
  it('is true for an immutable one', () =>
    expect(mustRecreate({ ...secret, immutable: true })).to.equal(true));
});
