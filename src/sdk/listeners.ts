/** Those who want to be told of something. */

/** Listeners of one event. One that throws keeps nobody else from hearing it. */
export class Listeners<T> {
  readonly #listeners = new Set<(event: T) => void>();

  /** Adds one, until the function that is returned is called. */
  add(listener: (event: T) => void): () => void {
    const own = (event: T): void => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Tells all. What one throws becomes a warning of the process. */
  tell(event: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
