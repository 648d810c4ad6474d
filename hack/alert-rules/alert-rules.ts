/** The Go program beside this file, which answers with Prometheus' own code. */

import { ensureGoProgram } from '../control-plane/go-program.ts';
import type { EnsureToolsOptions } from '../control-plane/tools.ts';

/** Builds it unless it is there already, which takes 1 to 3 minutes. @returns its path. @throws CommandError, see {@link ensureGoProgram}. */
export function ensureAlertRules(options: EnsureToolsOptions = {}): Promise<string> {
  const what = "Prometheus' reader of rules, once, 1 to 3 min";
  return ensureGoProgram({ module: import.meta.dirname, what, ...options });
}
