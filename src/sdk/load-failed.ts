/** Why an agent cannot start. */

import type { FileProblem, FileProblemCode } from './files/file-problem.ts';

/**
 * Names of the reasons: those of the files, and
 *
 * - `store_not_shared`: several pods or workers of node:cluster consume tokens for the agent, and the store of used ones is in
 *   this process.
 * - `verifier_elsewhere`: something else than the SDK verifies for the agent.
 * - `option_invalid`: an option is not of its form, or the store is another agent's.
 */
export type LoadFailureCode = FileProblemCode | 'store_not_shared' | 'verifier_elsewhere' | 'option_invalid';

/** An agent that cannot start. Its message says what to do. */
export class LoadFailed extends Error {
  readonly code: LoadFailureCode;
  /** Path below the folder; absent when it is no question of a file. */
  readonly file: string | undefined;

  constructor(code: LoadFailureCode, message: string, file?: string) {
    super(message);
    this.name = 'LoadFailed';
    this.code = code;
    this.file = file;
  }
}

/** A problem of the files as the reason. */
export function loadFailure({ code, file, message }: FileProblem): LoadFailed {
  const hint =
    'docs/pods.md says how a pod gets its files, docs/dev.md how an agent on your own machine does, and AGENT_TRUST_DIR where they are.';
  return new LoadFailed(code, `${message} ${hint}`, file === '' ? undefined : file);
}
