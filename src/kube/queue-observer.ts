/** What a work queue tells about itself, under the names of client-go's workqueue metrics. */

/** What is read from a queue when metrics are collected. */
export interface QueueGauges {
  /** Keys that wait for a worker; neither delayed keys nor those in flight. */
  readonly depth: number;
  /** Sum over the keys in flight of the time since they were handed out. */
  readonly unfinishedSeconds: number;
  /** Time since the oldest key in flight was handed out; 0 when none is. */
  readonly longestRunningSeconds: number;
}

/** Where a queue reports to. None of the functions may throw. */
export interface QueueObserver {
  /** Called once, by the queue, with the function to read gauges from. */
  attach(gauges: () => QueueGauges): void;
  /** A key became ready, or was remembered while in flight (`workqueue_adds_total`). */
  added(): void;
  /** A key was added with a delay, back-off included (`workqueue_retries_total`). */
  delayed(): void;
  /** A key was handed out after waiting so long (`workqueue_queue_duration_seconds`). */
  started(queuedSeconds: number): void;
  /** A key was done after so long (`workqueue_work_duration_seconds`). */
  finished(workSeconds: number): void;
}
