/** How a new version of an object comes to a pod: as with a kubelet, later than it was written, and all of it at once. */

/** What a mount is made of. */
export interface MountOptions<T> {
  /** How long the next version takes, milliseconds. */
  readonly delayMs: () => number;
  /** Takes what the pod has mounted from now on. */
  readonly arrive: (value: T) => void;
}

/** One object in one pod. Versions arrive in their order; one that is overtaken by a later one is never seen. */
export class Mount<T> {
  readonly #options: MountOptions<T>;
  /** Versions that are on their way, the oldest first, and when each was written at the earliest. */
  readonly #coming = new Map<NodeJS.Timeout, number>();

  constructor(options: MountOptions<T>) {
    this.#options = options;
  }

  /** Since when the pod may have had an older version than there is; undefined: it has the latest. */
  get behindSinceMs(): number | undefined {
    return this.#coming.values().next().value;
  }

  /** Takes note of a version that was written after `sinceMs`, milliseconds of the monotonic clock. */
  write(value: T, sinceMs: number): void {
    const timer = setTimeout(() => {
      for (const each of this.#coming.keys()) {
        clearTimeout(each);
        this.#coming.delete(each);
        if (each === timer) break;
      }
      this.#options.arrive(value);
    }, this.#options.delayMs());
    this.#coming.set(timer, sinceMs);
  }

  /** Nothing arrives any more. */
  close(): void {
    for (const timer of this.#coming.keys()) clearTimeout(timer);
    this.#coming.clear();
  }
}
