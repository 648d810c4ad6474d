/** What the certificate of an AgentIdentity must say, and from when to when it is valid. */

import { isDnsName, isDnsNameOfNamespace, serviceDnsNames } from './dns-name.ts';
import { buildSpiffeId } from './spiffe-id.ts';

/** How long before the moment of signing a leaf is already valid: hosts whose clocks are behind accept it. */
export const BACKDATE_MS: number = 2 * 60_000;
/** A leaf is not worth signing when the authority ends sooner than this. */
const MIN_USEFUL_LIFE_MS: number = 5 * 60_000;
/** What `spec.certificate.duration` may be. */
export const LEAF_DURATION_MS = { min: 600_000, max: 604_800_000 } as const; // 10m, 168h

const MAX_COMMON_NAME_BYTES = 64; // ub-common-name, RFC 5280 appendix A.1
const FUTURE_TOLERANCE_MS = 1_000;

/** Key algorithm and its size in bits. */
export type KeyProfile =
  | { readonly algorithm: 'ECDSA'; readonly size: 256 | 384 }
  | { readonly algorithm: 'RSA'; readonly size: 2048 | 3072 | 4096 };

/** What a certificate may be used for, RFC 5280 section 4.2.1.12 and RFC 9336. */
export type ExtendedKeyUsage = 'clientAuth' | 'serverAuth' | 'documentSigning';

/** What a leaf must say. Two profiles with equal fields ask for the same certificate. */
export interface LeafProfile {
  /** The only URI among the subject alternative names. */
  readonly spiffeId: string;
  /** In the order in which they are written; may be empty. */
  readonly dnsNames: readonly string[];
  /** IPv4 in dotted form, after the DNS names; absent in a cluster, where no agent has an address of its own. */
  readonly ipAddresses?: readonly string[];
  /** `undefined` when it does not fit; never decides anything. */
  readonly commonName: string | undefined;
  readonly organization: string | undefined;
  /** Empty: the extension is left out. */
  readonly extendedKeyUsages: readonly ExtendedKeyUsage[];
  readonly key: KeyProfile;
  /** Life counted from the moment of signing, whole seconds in milliseconds. */
  readonly durationMs: number;
}

/** The identity and the values of its spec that a certificate depends on, absent ones resolved by the caller. */
export interface LeafRequest {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccountName: string;
  readonly durationMs: number;
  readonly keyAlgorithm: string;
  /** Bits; `undefined` is 256 for ECDSA and 2048 for RSA. */
  readonly keySize: number | undefined;
  /** Beside the two names of the Service. Whether another identity of the namespace claims one is judged elsewhere. */
  readonly extraDnsNames: readonly string[];
}

/** Settings of the installation. */
export interface TrustSettings {
  readonly trustDomain: string;
  /** For example `cluster.local`. */
  readonly clusterDomain: string;
}

/** A profile, or why there is none; a refusal stays until the spec or the settings change. */
export type LeafProfileResult =
  | { readonly kind: 'profile'; readonly profile: LeafProfile }
  | {
      readonly kind: 'refuse';
      readonly reason: 'InvalidName' | 'DurationOutOfRange' | 'UnsupportedKey';
      readonly message: string;
    };

/** First and last valid instant, milliseconds since the Unix epoch, whole seconds, both inclusive. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A validity, or why no leaf can be signed at this instant. */
export type LeafValidityResult =
  | { readonly kind: 'valid'; readonly validity: Validity }
  | {
      readonly kind: 'refuse';
      readonly reason: 'AuthorityExpiring' | 'NotYetValid';
      readonly message: string;
    };

/** What {@link leafValidity} decides on; all instants in milliseconds since the Unix epoch. */
export interface LeafValidityInput {
  readonly profile: Pick<LeafProfile, 'durationMs'>;
  readonly nowMs: number;
  readonly authorityNotAfterMs: number;
  /** The later of `refuseLeafsBefore` and the authority's own notBefore; `undefined` when there is neither. */
  readonly notBeforeFloorMs: number | undefined;
  /** The five minutes are divided by it; 1 by default. See `AuthoritySettings`. */
  readonly acceleration?: number | undefined;
}

/**
 * Decides what the leaf of an identity must say.
 *
 * @returns
 *   - `profile`: DNS names are `<name>.<ns>.svc`, `<name>.<ns>.svc.<clusterDomain>`, then the extras as written, each
 *     once; common name `<name>.<ns>` when it fits 64 bytes; organization is the namespace.
 *   - `refuse`: a name that is none or lies outside the namespace, a duration outside 10m..168h, or an unknown key type.
 *
 * Errors: none.
 *
 * Source: SPIFFE X509-SVID sections 2 and 4, RFC 5280 section 4.2.1.6.
 */
export function leafProfile(request: LeafRequest, settings: TrustSettings): LeafProfileResult {
  const { name, namespace, serviceAccountName, durationMs, extraDnsNames } = request;
  const { trustDomain, clusterDomain } = settings;
  const spiffeId = buildSpiffeId({ trustDomain, namespace, serviceAccountName });
  if (spiffeId === undefined) {
    return refuseProfile('InvalidName', 'trust domain, namespace and ServiceAccount do not make a SPIFFE ID');
  }
  const dnsNames = [...new Set([...serviceDnsNames(name, namespace, clusterDomain), ...extraDnsNames])];
  const wrongName = dnsNames.find(
    (dnsName) => !isDnsName(dnsName) || !isDnsNameOfNamespace(dnsName, namespace, clusterDomain),
  );
  if (wrongName !== undefined) {
    const suffixes = serviceDnsNames('', namespace, clusterDomain).join(' or ');
    const message = `spec.certificate.dnsNames: "${wrongName}" is no DNS name of this namespace. Use lower-case names without wildcard that end in ${suffixes}, or leave it out`;
    return refuseProfile('InvalidName', message);
  }
  const { min, max } = LEAF_DURATION_MS;
  if (!(durationMs >= min && durationMs <= max)) {
    return refuseProfile('DurationOutOfRange', 'duration must be 10m to 168h');
  }
  const key = keyProfile(request.keyAlgorithm, request.keySize);
  if (key === undefined) {
    return refuseProfile('UnsupportedKey', 'the key must be ECDSA 256 or 384, or RSA 2048, 3072 or 4096');
  }
  const commonName = `${name}.${namespace}`;
  return {
    kind: 'profile',
    profile: {
      spiffeId,
      dnsNames,
      commonName: commonName.length <= MAX_COMMON_NAME_BYTES ? commonName : undefined,
      organization: namespace,
      extendedKeyUsages: ['clientAuth', 'serverAuth'],
      key,
      durationMs: floorSecond(durationMs),
    },
  };
}

/**
 * Decides from when to when a leaf signed now is valid.
 *
 * @returns
 *   - `valid`: notBefore is two minutes ago, but never before `notBeforeFloorMs`; notAfter is now plus the duration, but
 *     never past the authority's.
 *   - `refuse` `AuthorityExpiring`: the authority ends in less than five minutes; another one must sign.
 *   - `refuse` `NotYetValid`: the floor lies more than a second ahead; nobody would accept the leaf before it.
 *
 * Errors: none.
 *
 * Source: RFC 5280 section 4.1.2.5 (inclusive, whole seconds).
 */
export function leafValidity(input: LeafValidityInput): LeafValidityResult {
  const { profile, nowMs, authorityNotAfterMs, notBeforeFloorMs = 0, acceleration = 1 } = input;
  const notBeforeMs = Math.max(floorSecond(nowMs) - BACKDATE_MS, ceilSecond(notBeforeFloorMs));
  if (notBeforeMs > nowMs + FUTURE_TOLERANCE_MS) {
    const message = `no leaf may begin before ${new Date(notBeforeMs).toISOString()}, which is still to come`;
    return { kind: 'refuse', reason: 'NotYetValid', message };
  }
  if (authorityNotAfterMs < nowMs + MIN_USEFUL_LIFE_MS / acceleration) {
    const message = `the authority ends at ${new Date(authorityNotAfterMs).toISOString()}, too soon to sign`;
    return { kind: 'refuse', reason: 'AuthorityExpiring', message };
  }
  const notAfterMs = floorSecond(Math.min(nowMs + profile.durationMs, authorityNotAfterMs));
  return { kind: 'valid', validity: { notBeforeMs, notAfterMs } };
}

function keyProfile(algorithm: string, size: number | undefined): KeyProfile | undefined {
  if (algorithm === 'ECDSA') {
    const bits = size ?? 256;
    return bits === 256 || bits === 384 ? { algorithm, size: bits } : undefined;
  }
  if (algorithm !== 'RSA') return undefined;
  const bits = size ?? 2048;
  return bits === 2048 || bits === 3072 || bits === 4096 ? { algorithm, size: bits } : undefined;
}

function refuseProfile(
  reason: 'InvalidName' | 'DurationOutOfRange' | 'UnsupportedKey',
  message: string,
): LeafProfileResult {
  return { kind: 'refuse', reason, message };
}

function floorSecond(instantMs: number): number {
  return Math.floor(instantMs / 1000) * 1000;
}

function ceilSecond(instantMs: number): number {
  return Math.ceil(instantMs / 1000) * 1000;
}
