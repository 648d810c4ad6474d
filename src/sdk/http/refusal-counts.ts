/** How often what was refused. By name only: whatever else a request says, somebody else has chosen. */

import { REFUSAL_NAMES, type RefusalName } from '../../domain/token/refusal.ts';

/** Of one name. */
export interface RefusalCount {
  readonly name: RefusalName;
  readonly isDryRun: boolean;
  readonly count: number;
}

/** Counters, two for each name. */
export class RefusalCounts {
  readonly #enforced = new Map<RefusalName, number>();
  readonly #recorded = new Map<RefusalName, number>();

  /** Counts one. */
  add(name: RefusalName, isDryRun: boolean): void {
    const counts = isDryRun ? this.#recorded : this.#enforced;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  /** All that are not 0, in the order of the names. */
  list(): readonly RefusalCount[] {
    return REFUSAL_NAMES.flatMap((name) =>
      [false, true].map((isDryRun) => ({
        name,
        isDryRun,
        count: (isDryRun ? this.#recorded : this.#enforced).get(name) ?? 0,
      })),
    ).filter(({ count }) => count > 0);
  }
}
