/** What the conditions of a CertificateRequest come to. Source: cert-manager.io/v1, types_certificaterequest.go. */

/** A condition, as far as it is looked at. */
export interface RequestCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}

/**
 * - `waiting`: somebody has still to approve it, or the issuer to sign.
 * - `denied`: for good, by an approver or because the request is not valid; `by` is the condition that says so.
 * - `failed`: this request will come to nothing; another one may.
 * - `answered`: there is a certificate to look at.
 */
export type RequestState =
  | { readonly kind: 'waiting'; readonly isApproved: boolean }
  | { readonly kind: 'denied'; readonly by: 'Denied' | 'InvalidRequest' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'answered' };

/**
 * Judges the conditions. A no counts more than a certificate that is there as well.
 *
 * @param hasCertificate Whether `status.certificate` is there.
 */
export function requestState(conditions: readonly RequestCondition[], hasCertificate: boolean): RequestState {
  const isTrue = (type: string): boolean =>
    conditions.some((each) => each.type === type && each.status === 'True');
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (isTrue('InvalidRequest')) return { kind: 'denied', by: 'InvalidRequest' };
  if (isTrue('Denied') || ready?.reason === 'Denied') return { kind: 'denied', by: 'Denied' };
  if (ready?.status === 'False' && ready.reason === 'Failed') return { kind: 'failed' };
  if (ready?.status === 'True' && hasCertificate) return { kind: 'answered' };
  return { kind: 'waiting', isApproved: isTrue('Approved') };
}
