/** Runs the steps of the demo, and says of each how it went. */

import { CommandError } from '../control-plane/command-error.ts';
import { Mismatch } from './mismatch.ts';
import type { Detail, Screen } from './screen.ts';
import { elapsed } from './text.ts';

/** A step has failed, and the screen says so already. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

/** What the line of a step says beside its title. */
export interface Findings {
  /** Stands at the end of the line in place of the step's own time. */
  readonly shown?: string;
  /** Stand below it. */
  readonly notes?: readonly string[];
}

/** Folders: where the logs were, and where they are once that one is removed. */
export interface KeptLogs {
  readonly from: string;
  readonly to: string;
}

/** How a stage is made. */
export interface StageOptions {
  readonly screen: Screen;
  /** Puts the logs away once a step failed; undefined when there are none. */
  readonly keepLogs: () => KeptLogs | undefined;
}

/** Steps one after the other; the first that fails is the last. */
export class Stage {
  readonly screen: Screen;
  readonly #keepLogs: () => KeptLogs | undefined;
  #interrupted = false;

  constructor({ screen, keepLogs }: StageOptions) {
    this.screen = screen;
    this.#keepLogs = keepLogs;
  }

  /** What fails from now on fails because somebody ended the demo: it is not shown, and never settles. */
  interrupt(): void {
    this.#interrupted = true;
    this.screen.line(' interrupted: removing what was made');
  }

  /**
   * Runs one step.
   *
   * @param findings what its line says, from its result; its time by default.
   * @throws StepFailed when the step could not be done or saw something else than it should.
   */
  async step<T>(title: string, run: () => Promise<T>, findings?: (result: T) => Findings): Promise<T> {
    const startedAtMs = performance.now();
    this.screen.began(title);
    try {
      const result = await run();
      const { shown = elapsed(performance.now() - startedAtMs), notes } = findings?.(result) ?? {};
      this.screen.passed(title, shown, notes);
      return result;
    } catch (error) {
      if (this.#interrupted) return new Promise(() => undefined);
      if (!(error instanceof Error)) throw error;
      this.screen.failed(title, elapsed(performance.now() - startedAtMs), this.#detailsOf(title, error));
      throw new StepFailed(title, { cause: error });
    }
  }

  #detailsOf(title: string, error: Error): readonly Detail[] {
    const logs = this.#keepLogs();
    const details: Detail[] = [
      ['expected', error instanceof Mismatch ? error.expected : title],
      ['seen', logs === undefined ? seenOf(error) : seenOf(error).replaceAll(logs.from, logs.to)],
    ];
    return logs === undefined ? details : [...details, ['logs', logs.to]];
  }
}

function seenOf(error: Error): string {
  if (error instanceof Mismatch) return error.seen;
  // what is made for people has no stack; anything else is a defect, and the stack is what helps
  return error instanceof CommandError ? error.message : (error.stack ?? error.message);
}
