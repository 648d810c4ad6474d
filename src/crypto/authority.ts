/** Making a generation of the authority: a self-signed certificate that signs leaves and revocation lists only. */

import { randomBytes } from 'node:crypto';
import { BACKDATE_MS, type Validity } from '../domain/certificate/profile.ts';
import { der, TAG } from './der.ts';
import { createSelfSigned, type SelfSigned } from './self-signed.ts';
import { distinguishedName, extension, OID } from './x509-encoding.ts';

/** Common name of every generation; with a serialNumber attribute it marks a certificate as one of ours. */
export const AUTHORITY_COMMON_NAME = 'agent-trust authority';
/** Life of a generation when nothing else is said: 30 days. */
const AUTHORITY_LIFE_MS: number = 30 * 86_400_000;

const ID_BYTES = 8;
const MAX_ORGANIZATION_BYTES = 64; // ub-organization-name, RFC 5280 appendix A.1
// Bits 5 and 6 of eight, one unused, RFC 5280 section 4.2.1.3.
const SIGNS_CERTIFICATES_AND_CRLS = der(TAG.bitString, Buffer.of(1, 0x06));
const AUTHORITY_OF_LEAVES = der(
  TAG.sequence,
  der(TAG.boolean, Buffer.of(0xff)),
  der(TAG.integer, Buffer.of(0)), // pathLenConstraint: no authority below this one
);

/** What a new generation is to be. */
export interface AuthorityRequest {
  readonly trustDomain: string;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** Life from now, milliseconds; default 30 days. */
  readonly lifeMs?: number;
  /** Bits of the curve; default 256. */
  readonly keySize?: 256 | 384;
}

/** A new generation as it is stored. */
export interface CreatedAuthority extends Validity, SelfSigned {
  /** 16 lower-case hexadecimal digits, random; also the serialNumber attribute of the subject. */
  readonly id: string;
}

/**
 * Makes a key and its self-signed certificate. Each generation has a subject of its own: verifiers that find their way
 * by names would otherwise try every generation for every leaf.
 *
 * @throws Whatever OpenSSL reports.
 *
 * Source: RFC 5280 sections 4.1 and 4.2; SPIFFE X509-SVID section 4.
 */
export function createAuthority(request: AuthorityRequest): CreatedAuthority {
  const { nowMs, lifeMs = AUTHORITY_LIFE_MS, keySize = 256, trustDomain } = request;
  const id = randomBytes(ID_BYTES).toString('hex');
  const nowSecondMs = Math.floor(nowMs / 1000) * 1000;
  const notBeforeMs = nowSecondMs - BACKDATE_MS;
  const notAfterMs = Math.floor((nowMs + lifeMs) / 1000) * 1000;
  const created = createSelfSigned({
    subject: authoritySubject(id, trustDomain),
    validity: { notBeforeMs, notAfterMs },
    keySize,
    extensions: [
      extension(OID.keyUsage, SIGNS_CERTIFICATES_AND_CRLS, 'critical'),
      extension(OID.basicConstraints, AUTHORITY_OF_LEAVES, 'critical'),
    ],
  });
  return { id, ...created, notBeforeMs, notAfterMs };
}

function authoritySubject(id: string, trustDomain: string): Buffer {
  const organization =
    trustDomain.length <= MAX_ORGANIZATION_BYTES ? [[OID.organization, trustDomain] as const] : [];
  return distinguishedName([
    ...organization,
    [OID.commonName, AUTHORITY_COMMON_NAME],
    [OID.serialNumber, id],
  ]);
}
