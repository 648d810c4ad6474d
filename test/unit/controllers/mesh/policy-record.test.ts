import { expect } from 'chai';
import type { PolicyObject } from '../../../../src/controllers/mesh/digest.ts';
import {
  authorizationPolicyRecord,
  networkPolicyRecord,
  peerAuthenticationRecord,
} from '../../../../src/controllers/mesh/policy-record.ts';
import { meshObjectName } from '../../../../src/domain/mesh/names.ts';

const PLACE = { namespace: 'ai-agents', name: 'theirs' };

function theirs(spec: object, annotations: Readonly<Record<string, string>> = {}): PolicyObject {
  return { metadata: { ...PLACE, annotations }, spec: { ...spec } };
}

describe('authorizationPolicyRecord', () => {
  it('knows our names, whoever wrote the object', () => {
    const name = meshObjectName('allow', { namespace: 'ai-agents', name: 'deployer' });
    const spec = { selector: { matchLabels: { 'agenttrust.dev/identity': 'deployer-sa' } } };
    const record = authorizationPolicyRecord({ metadata: { namespace: 'ai-agents', name }, spec });
    expect(record).to.include({
      kind: 'own',
      role: 'allow',
      agent: 'ai-agents/deployer',
      account: 'deployer-sa',
      isOurs: false,
      isTombstone: false,
    });
  });

  it('takes a name for ours only in its own namespace and kind, with the right hash', () => {
    const ours = meshObjectName('allow', { namespace: 'ai-agents', name: 'deployer' });
    const net = meshObjectName('net', { namespace: 'ai-agents', name: 'deployer' });
    const kinds = [
      { namespace: 'other', name: ours },
      { namespace: 'ai-agents', name: net },
      { namespace: 'ai-agents', name: `${ours.slice(0, -1)}${ours.endsWith('0') ? '1' : '0'}` },
      { namespace: 'ai-agents', name: 'at-other-deployer-00000000' },
    ].map((metadata) => authorizationPolicyRecord({ metadata, spec: { rules: [{}] } }).kind);
    expect(kinds).to.deep.equal(['foreign', 'foreign', 'foreign', 'foreign']);
  });

  it('keeps of others what lets somebody in at pods', () => {
    const selector = { matchLabels: { app: 'x' } };
    expect(authorizationPolicyRecord(theirs({ selector, rules: [{}] }))).to.deep.equal({
      kind: 'foreign',
      ...PLACE,
      selector,
    });
    const kinds = [
      theirs({ action: 'DENY', rules: [{}] }),
      theirs({ action: 'CUSTOM', rules: [{}] }),
      theirs({ targetRefs: [{ kind: 'Service', name: 'x' }], rules: [{}] }),
      theirs({ selector, rules: [{}] }, { 'istio.io/dry-run': 'true' }),
      theirs({}),
      theirs({ selector, rules: [] }),
    ].map((object) => authorizationPolicyRecord(object).kind);
    expect(new Set(kinds)).to.deep.equal(new Set(['other']));
  });
});

describe('networkPolicyRecord', () => {
  it('keeps of others what lets something in', () => {
    const podSelector = { matchExpressions: [{ key: 'app', operator: 'Exists' }] };
    expect(networkPolicyRecord(theirs({ podSelector, ingress: [{}] }))).to.deep.equal({
      kind: 'foreign',
      ...PLACE,
      selector: podSelector,
    });
    const kinds = [theirs({ podSelector }), theirs({ ingress: [{}], policyTypes: ['Egress'] })].map(
      (object) => networkPolicyRecord(object).kind,
    );
    expect(kinds).to.deep.equal(['other', 'other']);
  });
});

describe('peerAuthenticationRecord', () => {
  it('keeps how connections are taken, and since when', () => {
    const object = theirs({
      selector: { matchLabels: { app: 'x' } },
      mtls: { mode: 'STRICT' },
      portLevelMtls: { 8443: { mode: 'DISABLE' }, 9090: {} },
    });
    const createdAt = '2026-01-01T00:00:00Z';
    const record = peerAuthenticationRecord({
      ...object,
      metadata: { ...object.metadata, creationTimestamp: createdAt },
    });
    expect(record).to.deep.equal({
      kind: 'foreign',
      ...PLACE,
      selector: { matchLabels: { app: 'x' } },
      peer: {
        ...PLACE,
        createdAt,
        matchLabels: { app: 'x' },
        mode: 'STRICT',
        portModes: { 8443: 'DISABLE', 9090: 'UNSET' },
      },
    });
  });
});
