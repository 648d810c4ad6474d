/** AgentIdentity as it is stored. Spec and status are generated from the CRD. */

import type { AgentIdentitySpec, AgentIdentityStatus } from './generated/agentidentities.ts';

/** One agent. `spec` is as people wrote it plus what the API server defaults; absent fields are resolved in code. */
export interface AgentIdentity {
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
  readonly spec: AgentIdentitySpec;
  readonly status?: AgentIdentityStatus;
}
