/** Why `agent-trust dev` cannot go on, with the exit status that says so; the numbers are those of sysexits.h. */

/** What is wrong with what was given, or with where it is to be written. */
export const DEV_EXIT = { usage: 64, data: 65, noInput: 66, cannotCreate: 73, inUse: 75 } as const;

/** Its message is for people: what, where, the way out. */
export class DevFailure extends Error {
  readonly exitStatus: number;

  constructor(failure: keyof typeof DEV_EXIT, message: string) {
    super(message);
    this.name = 'DevFailure';
    this.exitStatus = DEV_EXIT[failure];
  }
}

/** The code of a failed call of the file system, `ENOENT` for example. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
