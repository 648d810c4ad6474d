/**
 * Whether an authority that somebody gives may sign for agents: a root, or an intermediate with everything up to its root.
 * Facts in, a refusal or nothing out. Source: RFC 5280 section 4.2 and what TLS stacks make of it, SPIFFE X509-SVID section 4.
 */

import {
  forbiddenByConstraints,
  type NameConstraints,
  type NameSpace,
} from '../certificate/name-constraints.ts';
import { type GivenRefusal, refuseGiven } from './given-refusal.ts';

/** What one certificate of the chain says. Instants are milliseconds since the Unix epoch. */
export interface GivenCertificate {
  /** Where it was found, for people: `tls.crt`, `tls.crt (certificate 2)`, `ca.crt`. */
  readonly place: string;
  readonly isSelfSigned: boolean;
  readonly isAuthority: boolean;
  readonly pathLength: number | undefined;
  readonly keyUsages: readonly string[];
  readonly extendedKeyUsages: readonly string[];
  /** `ECDSA`, `RSA`, others dotted. */
  readonly keyAlgorithm: string;
  /** Bits; 0 when not known. */
  readonly keySize: number;
  /** Of the signature over it, dotted. */
  readonly signatureAlgorithm: string;
  readonly uris: readonly string[];
  readonly nameConstraints?: NameConstraints;
  /** Critical extensions that are not known, dotted. */
  readonly unknownCritical: readonly string[];
  /** What of it is not as RFC 5280 wants it, if anything; continues a sentence. */
  readonly violation: string | undefined;
  readonly hasNameOfOurs: boolean;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What is asked of it. */
export interface GivenRequirements extends NameSpace {
  readonly nowMs: number;
  /** How long all of the chain must still be valid. */
  readonly minLifeMs: number;
}

/** `below`: how many authorities stand between the certificate and a leaf. */
type FormCheck = (certificate: GivenCertificate, below: number) => GivenRefusal | undefined;
type UseCheck = (certificate: GivenCertificate, required: GivenRequirements) => GivenRefusal | undefined;

/** The longest leaf lives that long: 168 h. */
export const MIN_GIVEN_LIFE_MS: number = 7 * 86_400_000;
/** Clocks differ. */
const CLOCK_TOLERANCE_MS = 60_000;
const STRONG_SIGNATURES: ReadonlySet<string> = new Set([
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
]);
const SIGNING_KEYS: Readonly<Record<string, readonly number[]>> = {
  ECDSA: [256, 384],
  RSA: [2048, 3072, 4096],
};

/** In the order in which they are reported; each is asked about every certificate before the next. */
const FORM_CHECKS: readonly FormCheck[] = [
  nameOfOurs,
  unknownExtension,
  authority,
  signsCertificates,
  signsRevocationLists,
  pathLength,
  keyType,
  signature,
  profile,
  usages,
];
const USE_CHECKS: readonly UseCheck[] = [names, trustDomain, begun, ended, lifeLeft];

/**
 * Judges what a chain says that no time and no installation changes.
 *
 * @param chain The certificate that is to sign first, each signed by the next, a self-signed one last.
 * @returns The first thing that is wrong. Errors: none.
 */
export function judgeGivenForm(chain: readonly GivenCertificate[]): GivenRefusal | undefined {
  return firstOf(FORM_CHECKS.map((check) => firstOf(chain.map((each, below) => check(each, below)))));
}

/**
 * Judges whether it may sign here and now.
 *
 * @param chain One that {@link judgeGivenForm} found nothing wrong with.
 * @returns The first thing that is wrong; undefined when every leaf that it signs is one that OpenSSL takes, strictly.
 *
 * Errors: none.
 */
export function judgeGivenUse(
  chain: readonly GivenCertificate[],
  required: GivenRequirements,
): GivenRefusal | undefined {
  return firstOf(USE_CHECKS.map((check) => firstOf(chain.map((each) => check(each, required)))));
}

function firstOf(found: readonly (GivenRefusal | undefined)[]): GivenRefusal | undefined {
  return found.find((refusal) => refusal !== undefined);
}

function nameOfOurs({ hasNameOfOurs, place }: GivenCertificate): GivenRefusal | undefined {
  return hasNameOfOurs
    ? refuseGiven('NameOfOurs', place, 'its subject is one of the built-in authority')
    : undefined;
}

function unknownExtension({ unknownCritical: [oid], place }: GivenCertificate): GivenRefusal | undefined {
  if (oid === undefined) return undefined;
  return refuseGiven('UnknownCriticalExtension', place, `its critical extension ${oid} is not known`);
}

function authority({ isAuthority, place }: GivenCertificate): GivenRefusal | undefined {
  return isAuthority
    ? undefined
    : refuseGiven('NotAnAuthority', place, 'basicConstraints does not say CA:true');
}

function signsCertificates({ keyUsages, place }: GivenCertificate): GivenRefusal | undefined {
  if (keyUsages.includes('keyCertSign')) return undefined;
  return refuseGiven('MayNotSignCertificates', place, 'keyUsage does not have keyCertSign');
}

function signsRevocationLists(
  { keyUsages, place }: GivenCertificate,
  below: number,
): GivenRefusal | undefined {
  if (below > 0 || keyUsages.includes('cRLSign')) return undefined;
  return refuseGiven('MayNotSignRevocationLists', place, 'keyUsage does not have cRLSign');
}

function pathLength(
  { pathLength: length, place }: GivenCertificate,
  below: number,
): GivenRefusal | undefined {
  if (length === undefined || length >= below) return undefined;
  return refuseGiven(
    'PathLengthTooShort',
    place,
    `pathLenConstraint is ${length}, and ${below} ${below === 1 ? 'authority stands' : 'authorities stand'} between it and a leaf`,
  );
}

/** Those above only have to be verified. */
function keyType(
  { keyAlgorithm, keySize, place }: GivenCertificate,
  below: number,
): GivenRefusal | undefined {
  const isStrong = below > 0 && keyAlgorithm === 'RSA' ? keySize >= 2048 && keySize <= 8192 : false;
  if (isStrong || SIGNING_KEYS[keyAlgorithm]?.includes(keySize) === true) return undefined;
  const bits = keySize === 0 ? '' : ` of ${keySize} bits`;
  return refuseGiven('UnsupportedAlgorithm', place, `its key is ${keyAlgorithm}${bits}`);
}

/** Nobody verifies the signature of a root. */
function signature({ signatureAlgorithm, isSelfSigned, place }: GivenCertificate): GivenRefusal | undefined {
  if (isSelfSigned || STRONG_SIGNATURES.has(signatureAlgorithm)) return undefined;
  return refuseGiven('WeakSignature', place, `it is signed with ${signatureAlgorithm}`);
}

function profile({ violation, place }: GivenCertificate): GivenRefusal | undefined {
  return violation === undefined ? undefined : refuseGiven('ProfileViolation', place, violation);
}

function usages({ extendedKeyUsages, place }: GivenCertificate): GivenRefusal | undefined {
  const lacking = ['clientAuth', 'serverAuth'].filter((usage) => !extendedKeyUsages.includes(usage));
  // OpenSSL does not take anyExtendedKeyUsage for them.
  if (extendedKeyUsages.length === 0 || lacking.length === 0) return undefined;
  return refuseGiven('UsageRestricted', place, `extKeyUsage does not have ${lacking.join(' and ')}`);
}

function names(
  { nameConstraints, place }: GivenCertificate,
  required: GivenRequirements,
): GivenRefusal | undefined {
  const forbidden = nameConstraints && forbiddenByConstraints(nameConstraints, required);
  return forbidden === undefined
    ? undefined
    : refuseGiven('NamesForbidden', place, `its name constraints ${forbidden}`);
}

/** An authority of a trust domain may say so; then it is one of that trust domain alone, X509-SVID section 4.1. */
function trustDomain(
  { uris, place }: GivenCertificate,
  required: GivenRequirements,
): GivenRefusal | undefined {
  const own = `spiffe://${required.trustDomain}`;
  const foreign = uris.find((uri) => uri.startsWith('spiffe:') && uri !== own);
  if (foreign === undefined) return undefined;
  return refuseGiven('ForeignTrustDomain', place, `it has a SPIFFE ID that is not ${own}`);
}

function begun(
  { notBeforeMs, place }: GivenCertificate,
  required: GivenRequirements,
): GivenRefusal | undefined {
  if (notBeforeMs <= required.nowMs + CLOCK_TOLERANCE_MS) return undefined;
  return refuseGiven('NotYetValid', place, `it is valid from ${instant(notBeforeMs)} on`);
}

function ended(
  { notAfterMs, place }: GivenCertificate,
  required: GivenRequirements,
): GivenRefusal | undefined {
  if (notAfterMs > required.nowMs) return undefined;
  return refuseGiven('Expired', place, `it ended at ${instant(notAfterMs)}`);
}

function lifeLeft(
  { notAfterMs, place }: GivenCertificate,
  required: GivenRequirements,
): GivenRefusal | undefined {
  const { nowMs, minLifeMs } = required;
  if (notAfterMs - nowMs >= minLifeMs) return undefined;
  return refuseGiven(
    'LifeTooShort',
    place,
    `it ends at ${instant(notAfterMs)}, in less than ${Math.ceil(minLifeMs / 3_600_000)} h`,
  );
}

function instant(atMs: number): string {
  return new Date(atMs).toISOString().replace('.000Z', 'Z');
}
