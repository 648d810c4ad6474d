/** What a controller tells about itself, under the names of controller-runtime's metrics. */

import type { FailureKind } from './failure.ts';

/** How one reconcile ended; the label `result` of `controller_runtime_reconcile_total`. */
export type ReconcileResult = 'success' | 'requeue_after' | 'requeue' | 'stalled' | 'error';

/** One reconcile that is over. */
export interface FinishedReconcile {
  readonly result: ReconcileResult;
  readonly seconds: number;
  /** Set when it threw. */
  readonly failure: FailureKind | undefined;
}

/** Where a controller reports to. None of the functions may throw. */
export interface ControllerObserver {
  /** Called once: how many reconciles may run at the same time. */
  attach(workers: number): void;
  reconcileStarted(): void;
  reconcileFinished(reconcile: FinishedReconcile): void;
}
