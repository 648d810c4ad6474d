import { expect } from 'chai';
import type { SecretFacts } from '../../../../src/domain/certificate/facts.ts';
import { conflictMessage, isOwnSecret } from '../../../../src/domain/certificate/ownership.ts';
import { content, leaf, secret, wish } from './fixture.ts';

const stripped: SecretFacts = {
  ...secret,
  ownerUid: undefined,
  ownerReferences: [],
  labels: {},
  annotations: {},
};
const foreign: SecretFacts = {
  ...stripped,
  content: { ...content, certificate: { kind: 'problem', problem: 'was missing' } },
};
const otherOwner = { apiVersion: 'example.org/v1', kind: 'Gateway', name: 'front', uid: 'uid-9' };

describe('isOwnSecret', () => {
  const accepted: Record<string, SecretFacts> = {
    'the uid in its annotation': { ...foreign, ownerUid: 'uid-1' },
    'an owner reference to the uid': { ...foreign, ownerReferences: secret.ownerReferences },
    'nothing but a leaf of the identity': stripped,
    'a leaf of the identity and the uid before a restore': { ...stripped, ownerUid: 'uid-0' },
  };
  for (const [name, given] of Object.entries(accepted)) {
    it(`accepts ${name}`, () => expect(isOwnSecret(wish, given)).to.equal(true));
  }

  const rejected: Record<string, SecretFacts> = {
    'an empty Secret of nobody': foreign,
    'the uid of another identity': { ...foreign, ownerUid: 'uid-2' },
    'a leaf of another identity': {
      ...stripped,
      content: { ...content, certificate: { ...leaf, uris: ['spiffe://example.org/ns/ai-agents/sa/other'] } },
    },
    'a leaf with its name that no trusted authority signed': {
      ...stripped,
      content: { ...content, certificate: { ...leaf, authorityId: undefined } },
    },
  };
  for (const [name, given] of Object.entries(rejected)) {
    it(`rejects ${name}`, () => expect(isOwnSecret(wish, given)).to.equal(false));
  }
});

describe('conflictMessage', () => {
  const longName = 'x'.repeat(300);
  const cases: Record<string, { readonly secret: SecretFacts; readonly owner: string }> = {
    'names the Certificate of cert-manager': {
      secret: { ...foreign, annotations: { 'cert-manager.io/certificate-name': 'web' } },
      owner: 'belongs to Certificate/web (cert-manager)',
    },
    'names the owner': {
      secret: { ...foreign, ownerReferences: [otherOwner] },
      owner: 'belongs to Gateway/front',
    },
    'says that another identity has it': {
      secret: { ...foreign, ownerUid: 'uid-2' },
      owner: 'belongs to another AgentIdentity',
    },
    'says when nobody is known': { secret: foreign, owner: 'is not of this identity' },
    'shortens what is too long for a message': {
      secret: { ...foreign, annotations: { 'cert-manager.io/certificate-name': longName } },
      owner: `belongs to Certificate/${longName.slice(0, 253)} (cert-manager)`,
    },
  };
  for (const [name, given] of Object.entries(cases)) {
    it(name, () => {
      expect(conflictMessage(wish.secret, given.secret)).to.equal(
        `Secret ai-agents/agent-deployer-tls exists and ${given.owner}. Set spec.certificate.secretName to another name, or delete what owns it`,
      );
    });
  }
});
