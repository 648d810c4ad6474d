/** What can be wrong with the files of an agent. None of the messages says what a file holds. */

/** Names of the problems. */
export type FileProblemCode =
  | 'folder_missing'
  | 'folder_unreadable'
  | 'folder_changing'
  | 'file_missing'
  | 'file_too_large'
  | 'file_unreadable'
  | 'certificate_invalid'
  | 'certificate_expired'
  | 'certificate_of_another'
  | 'key_mismatch'
  | 'roots_invalid'
  | 'signing_key_invalid'
  | 'bundle_unsigned'
  | 'bundle_foreign'
  | 'bundle_expired'
  | 'bundle_older'
  | 'bundle_altered'
  | 'bundle_invalid';

/** Why a file is not used. As long as there is an earlier reading of it, that is used. */
export interface FileProblem {
  readonly kind: 'problem';
  readonly code: FileProblemCode;
  /** Path below the folder; empty for the folder itself. */
  readonly file: string;
  /** One or two sentences: what is wrong, and what to do. */
  readonly message: string;
}

/** Makes a problem. */
export function fileProblem(code: FileProblemCode, file: string, message: string): FileProblem {
  return { kind: 'problem', code, file, message };
}

/** Whether a result is a problem. */
export function isProblem<T extends object>(result: T | FileProblem): result is FileProblem {
  return 'kind' in result && result.kind === 'problem';
}
