/** What must be true of one AgentIdentity: its status, its Secrets, its leaf. Found with node:crypto alone. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import { parseDuration } from '../../src/domain/certificate/duration.ts';
import { auditSecret, textOf, wrong } from './audit-secret.ts';
import { auditSigning } from './audit-signing.ts';

/** What an identity is compared with. */
export interface IdentitySurroundings {
  readonly trustDomain: string;
  /** Certificates of the authority, PEM; undefined when there is none. */
  readonly authorityPem: string | undefined;
  readonly serviceAccountExists: boolean;
  /** Every Secret that says it belongs to this identity, or has the name of one of its Secrets. */
  readonly secrets: readonly Secret[];
  readonly nowMs: number;
}

const CERTIFICATE = {
  called: 'the Secret',
  type: 'kubernetes.io/tls',
  keys: ['ca.crt', 'tls-combined.pem', 'tls.crt', 'tls.key'],
} as const;
/** By which the operator begins a leaf earlier than it signs it. */
const BACKDATE_MS = 120_000;

/** Name of the Secret that the spec asks for. */
export function secretNameOf({ metadata, spec }: AgentIdentity): string {
  return spec.certificate?.secretName ?? `${metadata.name}-tls`;
}

/** Name of the Secret with signing keys that the spec asks for. */
export function signingSecretNameOf({ metadata, spec }: AgentIdentity): string {
  return spec.signingKey?.secretName ?? `${metadata.name}-signing`;
}

/** Name of the ServiceAccount that the identity stands for. */
export function serviceAccountOf({ metadata, spec }: AgentIdentity): string {
  return spec.serviceAccountName ?? metadata.name;
}

/** The leaf in a Secret, or undefined when there is none that can be read. */
export function leafOf(secret: Secret | undefined): X509Certificate | undefined {
  try {
    return new X509Certificate(textOf(secret, 'tls.crt'));
  } catch {
    return undefined;
  }
}

/** Serial number of a certificate as the operator writes it. */
export function serialOf({ serialNumber }: X509Certificate): string {
  return serialNumber.toLowerCase();
}

/** Everything that is wrong with one identity, each a sentence without its name. */
export function auditIdentity(identity: AgentIdentity, around: IdentitySurroundings): readonly string[] {
  if (identity.spec.suspended === true) return [...keysOfNobody(around), ...status(identity, 'Quarantined')];
  if (!around.serviceAccountExists) return status(identity, 'ServiceAccountMissing');
  const named = (name: string): Secret | undefined =>
    around.secrets.find(({ metadata }) => metadata.name === name);
  const [secret, signing] = [named(secretNameOf(identity)), named(signingSecretNameOf(identity))];
  const others = around.secrets.filter((each) => each !== secret && each !== signing);
  return [
    ...others.map(({ metadata }) => `Secret ${metadata.name} is one too many`),
    ...(secret === undefined ? ['there is no Secret'] : certificateSecret(identity, around, secret)),
    ...(signing === undefined ? ['there is no signing key'] : auditSigning(identity, signing)),
    ...status(identity, 'Issued'),
  ];
}

function certificateSecret(
  identity: AgentIdentity,
  around: IdentitySurroundings,
  secret: Secret,
): readonly string[] {
  const leaf = leafOf(secret);
  return [
    ...auditSecret(identity, secret, CERTIFICATE),
    ...(leaf === undefined
      ? ['tls.crt is no certificate']
      : [...leafChecks(identity, around, { secret, leaf }), ...statusOfLeaf(identity, around, leaf)]),
  ];
}

function keysOfNobody({ secrets }: IdentitySurroundings): readonly string[] {
  return secrets
    .filter((secret) => textOf(secret, 'tls.key') + textOf(secret, 'signing.key') !== '')
    .map(({ metadata }) => `Secret ${metadata.name} holds a key although the identity is suspended`);
}

function status({ metadata, status: stored }: AgentIdentity, reason: string): readonly string[] {
  const ready = stored?.conditions?.find(({ type }) => type === 'Ready');
  const isTrue = reason === 'Issued';
  return wrong([
    [ready?.reason === reason, `Ready says ${ready?.reason}: ${ready?.message}`],
    [(ready?.status === 'True') === isTrue, `Ready is ${ready?.status}`],
    [stored?.observedGeneration === metadata.generation, 'observedGeneration is not the generation'],
    [
      stored?.conditions?.every(({ observedGeneration }) => observedGeneration === metadata.generation) ===
        true,
      'a condition is of another generation',
    ],
  ]);
}

function leafChecks(
  identity: AgentIdentity,
  { trustDomain, authorityPem, nowMs }: IdentitySurroundings,
  { secret, leaf }: { readonly secret: Secret; readonly leaf: X509Certificate },
): readonly string[] {
  const { namespace } = identity.metadata;
  const uri = `URI:spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccountOf(identity)}`;
  const names = leaf.subjectAltName?.split(', ') ?? [];
  const [fromMs, toMs] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
  const lifeMs = parseDuration(identity.spec.certificate?.duration ?? '24h');
  return wrong([
    [textOf(secret, 'ca.crt') === authorityPem, 'ca.crt is not the authority'],
    [isSignedByOneOf(leaf, textOf(secret, 'ca.crt')), 'tls.crt does not verify with ca.crt'],
    [hasKey(leaf, textOf(secret, 'tls.key')), 'tls.key is not the key of tls.crt'],
    [
      textOf(secret, 'tls-combined.pem') === textOf(secret, 'tls.key') + textOf(secret, 'tls.crt'),
      'tls-combined.pem is not tls.key and tls.crt',
    ],
    [names.filter((name) => name.startsWith('URI:')).join() === uri, `tls.crt is for ${leaf.subjectAltName}`],
    [fromMs <= nowMs && nowMs < toMs, `tls.crt is valid from ${leaf.validFrom} to ${leaf.validTo}`],
    [toMs - fromMs - BACKDATE_MS === lifeMs, 'tls.crt does not have the duration of the spec'],
  ]);
}

function statusOfLeaf(
  { metadata, status: stored, spec }: AgentIdentity,
  { trustDomain }: IdentitySurroundings,
  leaf: X509Certificate,
): readonly string[] {
  const account = spec.serviceAccountName ?? metadata.name;
  const certificate = stored?.certificate;
  return wrong([
    [
      certificate?.serialNumber === serialOf(leaf),
      `status has the serial number ${certificate?.serialNumber}`,
    ],
    [
      Date.parse(certificate?.notAfter ?? '') === leaf.validToDate.getTime(),
      `status has the end ${certificate?.notAfter}`,
    ],
    [
      stored?.spiffeID === `spiffe://${trustDomain}/ns/${metadata.namespace}/sa/${account}`,
      `status has the SPIFFE ID ${stored?.spiffeID}`,
    ],
  ]);
}

function isSignedByOneOf(leaf: X509Certificate, bundlePem: string): boolean {
  return certificatesOf(bundlePem).some((pem) => {
    const authority = new X509Certificate(pem);
    return leaf.checkIssued(authority) && leaf.verify(authority.publicKey);
  });
}

/** The blocks of a bundle. */
export function certificatesOf(bundlePem: string): readonly string[] {
  return bundlePem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}

function hasKey(leaf: X509Certificate, pem: string): boolean {
  try {
    return leaf.checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false;
  }
}
