import { expect } from 'chai';
import { ANNOTATION_OWNER_UID, LABEL_AGENT, LABEL_MANAGED } from '../../../../src/api/group.ts';
import { KnownContents } from '../../../../src/controllers/identity/known-contents.ts';
import type { Secret } from '../../../../src/controllers/identity/secret.ts';
import {
  agentsOf,
  ownerUids,
  type SecretJudge,
  type SecretRecord,
  secretRecord,
  verifiedRecord,
} from '../../../../src/controllers/identity/secret-record.ts';
import { jwkThumbprint } from '../../../../src/crypto/jose/jwk.ts';
import { generatePrivateJwk } from '../../../../src/crypto/jose/private-jwk.ts';
import { signingKeyFiles } from '../../../../src/crypto/jose/signing-key-files.ts';
import { issuedLeaf, secretData, storedAuthority } from '../../crypto/fixture.ts';
import { content } from '../../domain/certificate/fixture.ts';

const OWNER = {
  apiVersion: 'agenttrust.dev/v1alpha1',
  kind: 'AgentIdentity',
  name: 'agent-deployer',
  uid: 'uid-1',
};

const authority = storedAuthority();
const leaf = await issuedLeaf(authority);
const secret: Secret = {
  metadata: {
    name: 'agent-deployer-tls',
    namespace: 'ai-agents',
    uid: 'secret-uid',
    resourceVersion: '42',
    labels: { [LABEL_MANAGED]: 'true', [LABEL_AGENT]: 'agent-deployer' },
    annotations: { [ANNOTATION_OWNER_UID]: 'uid-1', note: 'ours to keep' },
    ownerReferences: [OWNER],
    finalizers: ['example.com/slow'],
  },
  type: 'kubernetes.io/tls',
  data: Object.fromEntries(
    Object.entries(secretData(leaf, authority.certificatePem)).map(([key, bytes]) => [
      key,
      bytes.toString('base64'),
    ]),
  ),
};

function judge(
  ...authorities: SecretJudge['trusted'] extends () => readonly (infer A)[] ? readonly A[] : never
): SecretJudge {
  return { trusted: () => authorities, known: new KnownContents() };
}

function record(changes: Partial<Secret['metadata']> = {}): SecretRecord {
  return secretRecord({ ...secret, metadata: { ...secret.metadata, ...changes } }, judge(authority));
}

describe('secretRecord', () => {
  it('keeps the metadata, and facts about the content', () => {
    const { metadata, facts } = record();
    expect(metadata).to.deep.equal(secret.metadata);
    const { certificate, ...rest } = facts.content;
    expect({ ...facts, content: rest }).to.deep.equal({
      type: 'kubernetes.io/tls',
      immutable: false,
      ownerUid: 'uid-1',
      ownerReferences: [OWNER],
      labels: secret.metadata.labels,
      annotations: secret.metadata.annotations,
      dataKeys: ['tls.crt', 'tls.key', 'ca.crt', 'tls-combined.pem'],
      content: { ...rest, privateKey: { kind: 'readable' }, keyMatches: true, combinedMatches: true },
    });
    expect(certificate).to.include({ serialHex: leaf.serialHex, authorityId: authority.id });
  });

  it('holds no byte of a key, wherever the Secret has it', () => {
    const copy = JSON.stringify(secret);
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': copy };
    const kept = secretRecord({ ...secret, metadata: { ...secret.metadata, annotations } }, judge(authority));
    const key = secret.data?.['tls.key'] ?? '';
    expect(copy).to.include(key);
    expect(JSON.stringify(kept)).to.not.include(key);
    expect(kept.certificatePem).to.equal(leaf.certificatePem);
  });

  it('knows the signing keys in a Secret, and holds no private half of them', () => {
    const privateJwk = generatePrivateJwk('ES256');
    const { d, ...jwk } = privateJwk;
    const key = { kid: jwkThumbprint(jwk), state: 'Active', createdMs: 0, since: 0, jwk } as const;
    const files = signingKeyFiles('uid-1', [{ ...key, privateJwk }]);
    const data = Object.fromEntries(
      Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
    );
    const kept = secretRecord({ ...secret, type: 'agenttrust.dev/signing-key', data }, judge(authority));
    const keys = [{ ...key, isUsable: true }];
    expect(kept.signing).to.deep.equal({ identityUid: 'uid-1', keys, altered: [] });
    expect(JSON.stringify(kept)).to.not.include(d);
    expect(record().signing).to.equal(undefined);
  });

  it('leaves out managedFields', () => {
    const managed = { ...secret.metadata, managedFields: [{ manager: 'kubectl' }] };
    expect(record(managed).metadata).to.deep.equal(secret.metadata);
  });

  it('takes a Secret with nothing in it as it is', () => {
    const { facts } = secretRecord({ metadata: { name: 'empty', namespace: 'ai-agents' } }, judge(authority));
    expect(facts).to.deep.equal({
      type: 'Opaque',
      immutable: false,
      ownerUid: undefined,
      ownerReferences: [],
      labels: {},
      annotations: {},
      dataKeys: [],
      content: {
        certificate: { kind: 'problem', problem: 'was missing' },
        privateKey: { kind: 'problem', problem: 'was missing' },
        keyMatches: false,
        trustBundleSha256: undefined,
        combinedMatches: false,
      },
    });
  });

  it('believes what is known of a Secret that is being written, and nothing of another', async () => {
    const known = new KnownContents();
    const trusted = () => [authority];
    const other = { ...secret, data: { ...secret.data, 'ca.crt': '' } };
    const during = await known.during(secret, content, async () => [
      secretRecord(secret, { trusted, known }).facts.content === content,
      secretRecord(other, { trusted, known }).facts.content === content,
    ]);
    const after = secretRecord(secret, { trusted, known }).facts.content === content;
    expect([...during, after]).to.deep.equal([true, false, false]);
  });
});

describe('verifiedRecord', () => {
  const other = storedAuthority();
  const authorityOf = ({ facts: { content: found } }: SecretRecord): string | undefined =>
    found.certificate.kind === 'certificate' ? found.certificate.authorityId : undefined;

  it('finds the authority of a leaf when it becomes trusted', () => {
    const before = secretRecord(secret, judge(other));
    const after = verifiedRecord(before, () => [other, authority]);
    expect([authorityOf(before), authorityOf(after)]).to.deep.equal([undefined, authority.id]);
  });

  it('takes the authority away when it is no longer trusted', () => {
    expect(authorityOf(verifiedRecord(record(), () => [other]))).to.equal(undefined);
  });

  it('forgets which certificates an authority lacked when another one signed', () => {
    const before = record();
    const { content: found } = before.facts;
    const lacking = { ...found.certificate, lacksIntermediates: true } as const;
    const lacked = { ...before, facts: { ...before.facts, content: { ...found, certificate: lacking } } };
    expect(verifiedRecord(lacked as SecretRecord, () => [authority]).facts.content).to.deep.equal(found);
  });

  it('gives the same record as long as the same are trusted', () => {
    const trusted = [authority];
    const before = secretRecord(secret, { trusted: () => trusted, known: new KnownContents() });
    expect(verifiedRecord(before, () => trusted)).to.equal(before);
  });
});

describe('agentsOf', () => {
  it('gives the agents that the label and the owner references name, each once', () => {
    const ownerReferences = [OWNER, { ...OWNER, name: 'other', uid: 'uid-2' }];
    expect(agentsOf(record({ ownerReferences }))).to.deep.equal([
      'ai-agents/agent-deployer',
      'ai-agents/other',
    ]);
  });

  it('rejects owners of other kinds and groups', () => {
    const ownerReferences = [
      { ...OWNER, kind: 'Deployment', name: 'a' },
      { ...OWNER, apiVersion: 'example.com/v1', name: 'b' },
    ];
    expect(agentsOf(record({ ownerReferences, labels: {} }))).to.deep.equal([]);
  });
});

describe('ownerUids', () => {
  it('gives the annotation alone, since anybody may add an owner', () => {
    expect(ownerUids(record({ ownerReferences: [{ ...OWNER, uid: 'uid-2' }] }))).to.deep.equal(['uid-1']);
  });

  it('gives the owners when there is no annotation', () => {
    const ownerReferences = [OWNER, { ...OWNER, kind: 'Deployment', uid: 'uid-3' }];
    expect(ownerUids(record({ annotations: {}, ownerReferences }))).to.deep.equal(['uid-1']);
  });

  it('gives whom signing keys were made for, when there is no mark', () => {
    const signing = { identityUid: 'uid-4', keys: [], altered: [] };
    const unmarked = record({ annotations: {}, ownerReferences: [] });
    expect(ownerUids({ ...unmarked, signing })).to.deep.equal(['uid-4']);
    expect(ownerUids({ ...record(), signing })).to.deep.equal(['uid-1']);
  });

  it('gives nothing for a Secret that does not say whose it is', () => {
    expect(ownerUids(record({ annotations: {}, ownerReferences: [] }))).to.deep.equal([]);
  });
});
