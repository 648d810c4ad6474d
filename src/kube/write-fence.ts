/** What stands between a writer that may have lost its lease and the key material it writes. */

/** Asked immediately before a fenced request leaves the process. */
export interface WriteFence {
  /** @throws KubeError KUBE_LEASE_NOT_HELD when this process may no longer write. */
  assertHeld(): void;
}
