/** CapabilityBoundary as it is stored. Spec and status are generated from the CRD. */

import type { CapabilityBoundarySpec, CapabilityBoundaryStatus } from './generated/capabilityboundaries.ts';

/** What agents of some namespaces hold at most. `spec` is as people wrote it; absent fields are resolved in code. */
export interface CapabilityBoundary {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: CapabilityBoundarySpec;
  readonly status?: CapabilityBoundaryStatus;
}
