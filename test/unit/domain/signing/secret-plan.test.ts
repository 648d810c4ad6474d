import { expect } from 'chai';
import type { SigningSecretFacts } from '../../../../src/domain/signing/facts.ts';
import {
  isOwnSigningSecret,
  planSigningSecret,
  type SigningSecretWish,
} from '../../../../src/domain/signing/secret-plan.ts';
import { held, START, WISH } from './fixture.ts';

const OWNER = {
  apiVersion: 'agenttrust.dev/v1alpha1',
  kind: 'AgentIdentity',
  name: 'agent-deployer',
  uid: 'uid-1',
};
const LABELS = { 'agenttrust.dev/managed': 'true' };
const ANNOTATIONS = { 'agenttrust.dev/owner-uid': 'uid-1' };
const NOW_MS = START * 1000;
const keys = [held('kid-1', { state: 'Active', createdMs: NOW_MS, since: START - 60 })];

const wish: SigningSecretWish = {
  ...WISH,
  identityUid: 'uid-1',
  secret: {
    namespace: 'ai-agents',
    name: 'agent-deployer-signing',
    labels: LABELS,
    annotations: ANNOTATIONS,
    ownerReference: OWNER,
  },
};
const good: SigningSecretFacts = {
  type: 'agenttrust.dev/signing-key',
  immutable: false,
  ownerUid: 'uid-1',
  ownerReferences: [OWNER],
  labels: LABELS,
  annotations: ANNOTATIONS,
  dataKeys: ['signing.key', 'signing.kid', 'signing-keys.json', 'published-keys.json'],
  signing: { identityUid: 'uid-1', keys, altered: [] },
};

function planOf(changes: Partial<SigningSecretFacts>, known = keys): ReturnType<typeof planSigningSecret> {
  return planSigningSecret(wish, { secret: { ...good, ...changes }, keys: known }, NOW_MS);
}

describe('planSigningSecret', () => {
  it('leaves a Secret that is as it should be', () => {
    expect(planOf({})).to.deep.equal({ kind: 'keep', recheckAtMs: NOW_MS + 23.5 * 3_600_000 });
  });

  it('makes one that is not there', () => {
    const plan = planSigningSecret(wish, { secret: undefined, keys: [] }, NOW_MS);
    expect(plan).to.deep.include({ kind: 'write', reason: 'First', replace: 'create', findings: [] });
  });

  it('makes one that is not there with the keys that are known', () => {
    const plan = planSigningSecret(wish, { secret: undefined, keys }, NOW_MS);
    expect(plan).to.deep.include({ reason: undefined, replace: 'create' });
    expect(plan.kind === 'write' && plan.keys.map((key) => 'kid' in key && key.kid)).to.deep.equal(['kid-1']);
  });

  const mended: Record<string, readonly [Partial<SigningSecretFacts>, string, string, string]> = {
    'another type': [
      { type: 'Opaque' },
      'recreate',
      'SecretType',
      'the Secret was not of type agenttrust.dev/signing-key',
    ],
    immutability: [{ immutable: true }, 'recreate', 'Immutable', 'the Secret was immutable'],
    'an altered file': [
      { signing: { ...good.signing, altered: ['signing.kid'] } },
      'update',
      'SigningKeys',
      'signing.kid was not as it was written',
    ],
    'a missing file': [
      { signing: { ...good.signing, altered: ['signing.kid'] }, dataKeys: ['signing.key'] },
      'update',
      'SigningKeys',
      'signing.kid was missing',
    ],
    'keys of an older Secret': [
      { signing: { ...good.signing, keys: [] } },
      'update',
      'SigningKeys',
      'its keys were not those that were written',
    ],
    'a foreign data key': [
      { dataKeys: [...good.dataKeys, 'more'] },
      'update',
      'UnknownKeys',
      'extra data key more',
    ],
    'a missing label': [
      { labels: {} },
      'update',
      'Labels',
      'label agenttrust.dev/managed was missing or changed',
    ],
    'a missing annotation': [
      { annotations: {} },
      'update',
      'Annotations',
      'annotation agenttrust.dev/owner-uid was missing or changed',
    ],
    'a missing owner': [
      { ownerReferences: [] },
      'update',
      'OwnerReference',
      'the owner reference to the AgentIdentity was missing',
    ],
  };
  for (const [what, [changes, replace, finding, message]] of Object.entries(mended)) {
    it(`mends ${what}, and keeps the keys`, () => {
      expect(planOf(changes)).to.deep.equal({
        kind: 'write',
        reason: undefined,
        keys: keys.map(({ isUsable: _, ...key }) => key),
        findings: [{ what: finding, message }],
        replace,
      });
    });
  }

  it('leaves a Secret of somebody else alone, and says whose it is', () => {
    const ownerReferences = [{ ...OWNER, kind: 'Vault', name: 'v', uid: 'uid-2' }];
    expect(planOf({ ownerUid: undefined, ownerReferences, annotations: {} })).to.deep.equal({
      kind: 'refuse',
      reason: 'SecretConflict',
      message:
        'Secret ai-agents/agent-deployer-signing exists and belongs to Vault/v. Set spec.signingKey.secretName to another name, or delete what owns it',
    });
  });
});

describe('isOwnSigningSecret', () => {
  const bare = { ...good, ownerUid: undefined, ownerReferences: [] };
  const empty = { identityUid: undefined, keys: [], altered: [] };

  it('accepts the annotation, an owner reference, what it holds, and one of our type that names nobody', () => {
    const own = [
      { ...bare, ownerUid: 'uid-1', signing: empty },
      { ...bare, ownerReferences: [OWNER], signing: empty },
      { ...bare, type: 'Opaque' },
      { ...bare, signing: empty },
    ];
    expect(own.map((secret) => isOwnSigningSecret('uid-1', secret))).to.deep.equal([true, true, true, true]);
  });

  it('rejects one that names another, whatever it holds, and one of another type that names nobody', () => {
    const foreign = [
      { ...bare, ownerUid: 'uid-2' },
      { ...bare, ownerReferences: [{ ...OWNER, uid: 'uid-2' }] },
      { ...bare, signing: { ...good.signing, identityUid: 'uid-2' } },
      { ...bare, type: 'Opaque', signing: empty },
    ];
    expect(foreign.map((secret) => isOwnSigningSecret('uid-1', secret))).to.deep.equal(
      foreign.map(() => false),
    );
  });
});
