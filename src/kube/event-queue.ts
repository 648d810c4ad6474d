/** What the event recorder still has to send: bounded, warnings before the rest. */

/** Something to send. */
export interface Lane {
  readonly type: 'Normal' | 'Warning';
}

/** First in, first out, in two lanes; a full queue gives up what matters least. */
export class EventQueue<T extends Lane> {
  readonly #limit: number;
  readonly #lanes: Readonly<Record<Lane['type'], T[]>> = { Warning: [], Normal: [] };

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#lanes.Warning.length + this.#lanes.Normal.length;
  }

  /**
   * Adds a job.
   *
   * @returns the job that has no place: undefined while there is room, else the newest Normal one if `job` is a
   * Warning, else `job` itself.
   */
  push(job: T): T | undefined {
    if (this.size < this.#limit) {
      this.#lanes[job.type].push(job);
      return undefined;
    }
    const displaced = job.type === 'Warning' ? this.#lanes.Normal.pop() : undefined;
    if (displaced === undefined) return job;
    this.#lanes.Warning.push(job);
    return displaced;
  }

  /** Takes the oldest Warning, else the oldest Normal job. */
  shift(): T | undefined {
    return this.#lanes.Warning.shift() ?? this.#lanes.Normal.shift();
  }
}
