/** Tells when something may have been written into a folder: by inotify where that works, and from time to time anyway. */

import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';

/** One write has several events. */
const GATHER_MS = 20;

/** Watches a folder and those below it. Keeps no process alive. Has to be closed. */
export class FolderWatch {
  readonly #paths: readonly string[];
  readonly #look: () => void;
  readonly #poll: NodeJS.Timeout;
  #watchers: readonly FSWatcher[] = [];
  #gathering: NodeJS.Timeout | undefined;

  /**
   * @param subfolders Names of folders in it; they may come later.
   * @param pollMs How often to look without any event.
   * @param look Must not throw.
   */
  constructor(
    dir: string,
    { subfolders, pollMs }: { readonly subfolders: readonly string[]; readonly pollMs: number },
    look: () => void,
  ) {
    this.#paths = [dir, ...subfolders.map((name) => join(dir, name))];
    this.#look = look;
    this.#poll = setInterval(() => this.#lookAnew(), pollMs).unref();
    this.#watch();
  }

  close(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#gathering);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  /** A folder that was replaced has no events any more, so all are watched anew. */
  #lookAnew(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watch();
    this.#look();
  }

  #watch(): void {
    this.#watchers = this.#paths.flatMap((path) => {
      try {
        const watcher = watch(path, { persistent: false }, () => this.#gather());
        return [watcher.on('error', () => watcher.close())];
      } catch {
        return []; // not there, or this machine has no watch left: there is still the poll
      }
    });
  }

  #gather(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#look();
    }, GATHER_MS).unref();
  }
}
