/** A wish, and the Secret that fulfils it: tests change what they are about. */

import type {
  CertificateFacts,
  SecretContent,
  SecretFacts,
} from '../../../../src/domain/certificate/facts.ts';
import type { AuthorityFacts, CertificateWish } from '../../../../src/domain/certificate/plan.ts';

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;
/** When the leaf of {@link leaf} was issued. */
export const ISSUED_AT: number = Date.UTC(2026, 0, 1);

export const authority: AuthorityFacts = {
  id: 'aaaaaaaaaaaaaaaa',
  notBeforeMs: ISSUED_AT - 5 * DAY,
  notAfterMs: ISSUED_AT + 25 * DAY,
  retiring: undefined,
};

export const nextAuthority: AuthorityFacts = {
  id: 'bbbbbbbbbbbbbbbb',
  notBeforeMs: ISSUED_AT - DAY,
  notAfterMs: ISSUED_AT + 29 * DAY,
  retiring: undefined,
};

export const wish: CertificateWish = {
  identityUid: 'uid-1',
  profile: {
    spiffeId: 'spiffe://example.org/ns/ai-agents/sa/agent-deployer',
    dnsNames: ['agent-deployer.ai-agents.svc', 'agent-deployer.ai-agents.svc.cluster.local'],
    commonName: 'agent-deployer.ai-agents',
    organization: 'ai-agents',
    extendedKeyUsages: ['clientAuth', 'serverAuth'],
    key: { algorithm: 'ECDSA', size: 256 },
    durationMs: DAY,
  },
  renewBeforeMs: undefined,
  refuseLeafsBeforeMs: undefined,
  renewLeafsBeforeMs: undefined,
  lastIssuedAtMs: undefined,
  signingAuthority: authority,
  trustedAuthorities: [authority],
  secret: {
    namespace: 'ai-agents',
    name: 'agent-deployer-tls',
    trustBundleSha256: 'c0ffee',
    labels: { 'agenttrust.dev/managed': 'true' },
    annotations: { 'agenttrust.dev/owner-uid': 'uid-1' },
    ownerReference: {
      apiVersion: 'agenttrust.dev/v1alpha1',
      kind: 'AgentIdentity',
      name: 'agent-deployer',
      uid: 'uid-1',
    },
  },
};

export const leaf: CertificateFacts = {
  kind: 'certificate',
  serialHex: '91aa04',
  notBeforeMs: ISSUED_AT - 2 * MINUTE,
  notAfterMs: ISSUED_AT + DAY,
  uris: [wish.profile.spiffeId],
  dnsNames: wish.profile.dnsNames,
  otherNameCount: 0,
  commonName: wish.profile.commonName,
  organization: wish.profile.organization,
  otherSubjectAttributeCount: 0,
  isAuthority: false,
  keyUsages: ['digitalSignature'],
  extendedKeyUsages: ['clientAuth', 'serverAuth'],
  keyAlgorithm: 'ECDSA',
  keySize: 256,
  authorityId: authority.id,
  chainLength: 1,
};

export const content: SecretContent = {
  certificate: leaf,
  privateKey: { kind: 'readable' },
  keyMatches: true,
  trustBundleSha256: wish.secret.trustBundleSha256,
  combinedMatches: true,
};

export const secret: SecretFacts = {
  type: 'kubernetes.io/tls',
  immutable: false,
  ownerUid: 'uid-1',
  ownerReferences: [wish.secret.ownerReference],
  labels: wish.secret.labels,
  annotations: wish.secret.annotations,
  dataKeys: ['tls.crt', 'tls.key', 'ca.crt', 'tls-combined.pem'],
  content,
};

/** {@link secret} with another leaf. */
export function secretWithLeaf(changes: Partial<CertificateFacts>): SecretFacts {
  return secretWithContent({ certificate: { ...leaf, ...changes } });
}

/** {@link secret} with other data. */
export function secretWithContent(changes: Partial<SecretContent>): SecretFacts {
  return { ...secret, content: { ...content, ...changes } };
}
