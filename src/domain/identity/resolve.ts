/** What an AgentIdentity asks for once everything left out is filled in. The one place that knows the defaults. */

import { parseDuration } from '../certificate/duration.ts';
import { LEAF_DURATION_MS } from '../certificate/profile.ts';
import { templateProblems } from '../certificate/secret-template.ts';
import type { TokenAlgorithm } from '../token/claims.ts';

/** The part of the spec that is resolved here, as people write it. */
export interface AgentIdentityInput {
  readonly serviceAccountName?: string;
  readonly suspended?: boolean;
  readonly certificate?: {
    readonly secretName?: string;
    readonly duration?: string;
    readonly renewBefore?: string;
    readonly privateKey?: { readonly algorithm?: string; readonly size?: number };
    readonly dnsNames?: readonly string[];
    readonly secretTemplate?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    };
  };
  readonly signingKey?: {
    readonly secretName?: string;
    readonly algorithm?: string;
    readonly rotationInterval?: string;
  };
}

/** What the keys that an agent signs with must be. */
export interface ResolvedSigningKey {
  readonly secretName: string;
  readonly algorithm: TokenAlgorithm;
  readonly rotationIntervalMs: number;
}

/** Everything the operator needs to know of a spec to issue. */
export interface ResolvedIdentity {
  readonly serviceAccountName: string;
  readonly isSuspended: boolean;
  readonly secretName: string;
  readonly durationMs: number;
  /** `undefined` means a third of the duration. */
  readonly renewBeforeMs: number | undefined;
  readonly keyAlgorithm: string;
  /** Bits; `undefined` is the default of the algorithm. */
  readonly keySize: number | undefined;
  /** As written; whether they lie in the namespace is for whoever knows the cluster's domain to say. */
  readonly extraDnsNames: readonly string[];
  readonly secretLabels: Readonly<Record<string, string>>;
  readonly secretAnnotations: Readonly<Record<string, string>>;
  readonly signing: ResolvedSigningKey;
  /**
   * Field and rule of each stored value that the schema would refuse today: an object may be older than the schema.
   * With any here the other values are only good for showing.
   */
  readonly invalidFields: readonly string[];
}

/** What belongs to an identity, in its namespace. */
export interface IdentityNames {
  readonly serviceAccountName: string;
  /** Of the certificate. */
  readonly secretName: string;
  /** Of the keys that it signs with. */
  readonly signingSecretName: string;
}

const DEFAULT_DURATION = '24h';
const DEFAULT_KEY_ALGORITHM = 'ECDSA';
const RENEW_BEFORE_MIN_MS = 120_000;
const DEFAULT_ROTATION = '24h';
const ROTATION_MS = { min: 3_600_000, max: 720 * 3_600_000 } as const;
const SIGNING_ALGORITHMS: readonly TokenAlgorithm[] = ['ES256', 'Ed25519'];
const KEY_SIZES: Readonly<Record<string, readonly (number | undefined)[]>> = {
  ECDSA: [undefined, 256, 384],
  RSA: [undefined, 2048, 3072, 4096],
};

/** The names alone, which are asked for far more often than all the rest. */
export function namesOf(name: string, spec: AgentIdentityInput): IdentityNames {
  return {
    serviceAccountName: spec.serviceAccountName ?? name,
    secretName: spec.certificate?.secretName ?? `${name}-tls`,
    signingSecretName: spec.signingKey?.secretName ?? `${name}-signing`,
  };
}

/**
 * Fills in what `spec` of the AgentIdentity called `name` leaves out, and checks again what the schema checks.
 *
 * Errors: none; what is wrong stands in `invalidFields`.
 */
export function resolveAgentIdentity(name: string, spec: AgentIdentityInput): ResolvedIdentity {
  const { certificate = {}, signingKey = {} } = spec;
  const { algorithm: keyAlgorithm = DEFAULT_KEY_ALGORITHM, size: keySize } = certificate.privateKey ?? {};
  const { serviceAccountName, secretName, signingSecretName } = namesOf(name, spec);
  const durationMs = parseDuration(certificate.duration ?? DEFAULT_DURATION) ?? Number.NaN;
  const renewBeforeMs =
    certificate.renewBefore === undefined
      ? undefined
      : (parseDuration(certificate.renewBefore) ?? Number.NaN);
  const { labels = {}, annotations = {} } = certificate.secretTemplate ?? {};
  const signing = resolveSigningKey(signingSecretName, signingKey);
  const rules: readonly (readonly [boolean, string])[] = [
    [serviceAccountName !== 'default', 'spec.serviceAccountName must not be default, which every pod shares'],
    [
      durationMs >= LEAF_DURATION_MS.min && durationMs <= LEAF_DURATION_MS.max,
      'spec.certificate.duration must be 10m to 168h, for example 24h',
    ],
    [
      renewBeforeMs === undefined || (renewBeforeMs >= RENEW_BEFORE_MIN_MS && renewBeforeMs < durationMs),
      'spec.certificate.renewBefore must be at least 2m and shorter than duration',
    ],
    [
      KEY_SIZES[keyAlgorithm]?.includes(keySize) === true,
      'spec.certificate.privateKey must be ECDSA 256 or 384, or RSA 2048, 3072 or 4096',
    ],
    [
      (signingKey.algorithm ?? signing.algorithm) === signing.algorithm,
      'spec.signingKey.algorithm must be ES256 or Ed25519',
    ],
    [
      signing.rotationIntervalMs >= ROTATION_MS.min && signing.rotationIntervalMs <= ROTATION_MS.max,
      'spec.signingKey.rotationInterval must be 1h to 720h, for example 24h',
    ],
    [
      signing.secretName !== secretName,
      'spec.signingKey.secretName must be another Secret than that of spec.certificate.secretName',
    ],
  ];
  return {
    serviceAccountName,
    isSuspended: spec.suspended === true,
    secretName,
    durationMs,
    renewBeforeMs,
    keyAlgorithm,
    keySize,
    extraDnsNames: certificate.dnsNames ?? [],
    secretLabels: labels,
    secretAnnotations: annotations,
    signing,
    invalidFields: [
      ...rules.filter(([holds]) => !holds).map(([, rule]) => rule),
      ...templateProblems({ labels, annotations }),
    ],
  };
}

/** An algorithm that is not known counts as the default here, and stands in `invalidFields`. */
function resolveSigningKey(
  secretName: string,
  { algorithm, rotationInterval = DEFAULT_ROTATION }: NonNullable<AgentIdentityInput['signingKey']>,
): ResolvedSigningKey {
  return {
    secretName,
    algorithm: SIGNING_ALGORITHMS.find((known) => known === algorithm) ?? 'ES256',
    rotationIntervalMs: parseDuration(rotationInterval) ?? Number.NaN,
  };
}
