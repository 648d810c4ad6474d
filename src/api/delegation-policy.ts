/** DelegationPolicy as it is stored. Spec and status are generated from the CRD. */

import type { DelegationPolicySpec, DelegationPolicyStatus } from './generated/delegationpolicies.ts';

/** Who may delegate what to whom. `spec` is as people wrote it; absent fields are resolved in code. */
export interface DelegationPolicy {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: DelegationPolicySpec;
  readonly status?: DelegationPolicyStatus;
}
