/** Tells when manifests change. Editors replace files, so folders are watched; what is said about them is not believed. */

import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { DevFailure } from './dev-failure.ts';
import { readSources, type SourceTexts } from './manifests.ts';

/** Why waiting has ended: the manifests differ, or cannot be read any more; it is time; the signal is aborted. */
export type Woken =
  | { readonly kind: 'changed'; readonly sources: SourceTexts }
  | { readonly kind: 'unreadable'; readonly message: string }
  | { readonly kind: 'due' }
  | { readonly kind: 'stopped' };

/** Several files are often saved together. */
const GATHER_MS = 100;
/** So often the clock and the files are looked at whatever happens: machines sleep, and some folders tell nothing. */
const LOOK_MS = 5_000;

/** Has to be closed. */
export class SourceWatch {
  readonly #paths: readonly string[];
  readonly #watchers: readonly FSWatcher[];
  #known: string;
  #wake: () => void = () => undefined;
  #isTold = false;

  /** @param sources As they were read last. */
  constructor(paths: readonly string[], sources: SourceTexts) {
    this.#paths = paths;
    this.#known = fingerprint(sources);
    this.#watchers = [...new Set(paths.map(folderOf))].flatMap((folder) => this.#watcherOf(folder) ?? []);
  }

  /** Waits for whatever comes first. @param dueMs Milliseconds since the Unix epoch. */
  async next(dueMs: number, signal: AbortSignal): Promise<Woken> {
    for (;;) {
      if (signal.aborted) return { kind: 'stopped' };
      const woken = this.#look();
      if (woken !== undefined) return woken;
      if (Date.now() >= dueMs) return { kind: 'due' };
      await this.#pause(Math.min(LOOK_MS, dueMs - Date.now()), signal);
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  #look(): Woken | undefined {
    let woken: Woken;
    try {
      const sources = readSources(this.#paths);
      woken = { kind: 'changed', sources };
    } catch (error) {
      if (!(error instanceof DevFailure)) throw error;
      woken = { kind: 'unreadable', message: error.message };
    }
    const now = woken.kind === 'changed' ? fingerprint(woken.sources) : woken.message;
    if (now === this.#known) return undefined;
    this.#known = now;
    return woken;
  }

  async #pause(waitMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#isTold) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      this.#wake = wake;
      const timer = setTimeout(wake, waitMs);
      signal.addEventListener('abort', wake);
      await promise;
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
    }
    if (this.#isTold && !signal.aborted) await after(GATHER_MS);
    this.#isTold = false;
  }

  #watcherOf(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, () => {
        this.#isTold = true;
        this.#wake();
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined; // no more of them are to be had; the files are looked at all the same
    }
  }
}

function folderOf(path: string): string {
  return statSync(path).isDirectory() ? path : dirname(path);
}

function fingerprint(sources: SourceTexts): string {
  return JSON.stringify([...sources]);
}
