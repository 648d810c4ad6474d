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
  readonly #timers = new Set<NodeJS.Timeout>();
  #written = 0;
  #arrived = 0;

  constructor(options: MountOptions<T>) {
    this.#options = options;
  }

  /** Whether there is a later version than the pod has. */
  get isBehind(): boolean {
    return this.#arrived < this.#written;
  }

  /** Takes note of a version that was written now. */
  write(value: T): void {
    this.#written += 1;
    const version = this.#written;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (version < this.#arrived) return;
      this.#arrived = version;
      this.#options.arrive(value);
    }, this.#options.delayMs());
    this.#timers.add(timer);
  }

  /** Nothing arrives any more. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
