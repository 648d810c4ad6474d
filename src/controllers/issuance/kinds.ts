/** Kinds of others that delegated issuance reads and writes. */

import type { FenceBinding, FencePolicy } from '../../domain/issuance/fence.ts';
import type { IssuerRef } from '../../domain/issuance/issuer.ts';
import type { RequestCondition } from '../../domain/issuance/request-state.ts';
import type { KubeObject, ResourceType } from '../../kube/object.ts';

export const CERTIFICATE_REQUEST: ResourceType = {
  group: 'cert-manager.io',
  version: 'v1',
  plural: 'certificaterequests',
  kind: 'CertificateRequest',
  namespaced: true,
};

export const ADMISSION_POLICY: ResourceType = admission(
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
);

export const ADMISSION_POLICY_BINDING: ResourceType = admission(
  'validatingadmissionpolicybindings',
  'ValidatingAdmissionPolicyBinding',
);

/** cert-manager.io/v1. Bytes are base64. */
export interface CertificateRequest extends KubeObject {
  readonly spec: {
    readonly request: string;
    readonly issuerRef: IssuerRef;
    readonly duration: string;
    readonly usages: readonly string[];
  };
  readonly status?: {
    readonly conditions?: readonly (RequestCondition & { readonly message?: string })[];
    readonly certificate?: string;
    readonly ca?: string;
  };
}

/** admissionregistration.k8s.io/v1. */
export interface AdmissionPolicy extends KubeObject {
  readonly spec?: FencePolicy;
}

/** admissionregistration.k8s.io/v1. */
export interface AdmissionPolicyBinding extends KubeObject {
  readonly spec?: FenceBinding;
}

function admission(plural: string, kind: string): ResourceType {
  return { group: 'admissionregistration.k8s.io', version: 'v1', plural, kind, namespaced: false };
}
