/** A CertificateRequest as it is written, and what is kept of one that was read. */

import { hash } from 'node:crypto';
import { ANNOTATION_OWNER_UID, LABEL_AGENT, LABEL_MANAGED } from '../../api/group.ts';
import { formatDuration } from '../../domain/certificate/duration.ts';
import type { CertificateWish } from '../../domain/certificate/plan.ts';
import type { IssuerRef } from '../../domain/issuance/issuer.ts';
import { type RequestState, requestState } from '../../domain/issuance/request-state.ts';
import { apiVersionOf } from '../../kube/object.ts';
import { CERTIFICATE_REQUEST, type CertificateRequest } from './kinds.ts';

/** What is kept of a request. */
export interface RequestRecord {
  readonly name: string;
  readonly uid: string;
  readonly state: RequestState;
  /** `status.certificate`; empty when absent. */
  readonly certificatePem: Buffer;
  /** `status.ca`; empty when absent. */
  readonly caPem: Buffer;
}

/** Largest answers that are kept, in characters of base64; whatever is larger is too large to be read as well. */
const MAX_CHARACTERS = 500_000;
const USAGES = ['digital signature', 'client auth', 'server auth'] as const;
const NAME_DIGITS = 24;

/** What a request is made of. */
export interface RequestInput {
  readonly wish: CertificateWish;
  readonly issuer: IssuerRef;
  /** PKCS#10, DER. */
  readonly csrDer: Buffer;
  readonly operatorNamespace: string;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

/**
 * The request. Its name follows from its key, so that sending it twice makes one, and no two keys share a name. The life
 * asked for ends with the issuer's CA.
 */
export function requestObject(input: RequestInput): CertificateRequest {
  const { wish, issuer, csrDer, operatorNamespace, nowMs } = input;
  const { profile, signingAuthority, secret } = wish;
  const leftMs = Math.floor((signingAuthority.notAfterMs - nowMs) / 1000) * 1000;
  return {
    apiVersion: apiVersionOf(CERTIFICATE_REQUEST),
    kind: CERTIFICATE_REQUEST.kind,
    metadata: {
      name: `agent-trust-${hash('sha256', csrDer, 'hex').slice(0, NAME_DIGITS)}`,
      namespace: operatorNamespace,
      labels: { [LABEL_MANAGED]: 'true', [LABEL_AGENT]: secret.ownerReference.name },
      annotations: { [ANNOTATION_OWNER_UID]: wish.identityUid },
    },
    spec: {
      request: pemOf(csrDer).toString('base64'),
      issuerRef: issuer,
      duration: formatDuration(Math.min(profile.durationMs, leftMs)),
      usages: USAGES,
    },
  };
}

/** Projects a request that was read. */
export function requestRecord({ metadata, status = {} }: CertificateRequest): RequestRecord {
  const { conditions = [], certificate = '', ca = '' } = status;
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    state: requestState(conditions, certificate !== ''),
    certificatePem: bytesOf(certificate),
    caPem: bytesOf(ca),
  };
}

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64.slice(0, MAX_CHARACTERS), 'base64');
}

function pemOf(der: Buffer): Buffer {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return Buffer.from(
    ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n'),
  );
}
