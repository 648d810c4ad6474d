/** The Go program beside this file, which answers with Istio's own code. */

import { ensureGoProgram } from '../control-plane/go-program.ts';
import type { EnsureToolsOptions } from '../control-plane/tools.ts';

/** Builds it unless it is there already, which takes 2 to 4 minutes. @returns its path. @throws CommandError, see {@link ensureGoProgram}. */
export function ensureIstioFilters(options: EnsureToolsOptions = {}): Promise<string> {
  const what = "Istio's policy builder, once, 2 to 4 min";
  return ensureGoProgram({ module: import.meta.dirname, what, ...options });
}
