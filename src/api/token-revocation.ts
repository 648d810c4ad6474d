/** TokenRevocation as it is stored. Spec and status are generated from the CRD. */

import type { TokenRevocationSpec, TokenRevocationStatus } from './generated/tokenrevocations.ts';

/** Tokens that are dead. `spec` cannot change. */
export interface TokenRevocation {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly creationTimestamp: string;
  };
  readonly spec: TokenRevocationSpec;
  readonly status?: TokenRevocationStatus;
}
