/** Failures that the person at the keyboard can mend, and how the commands under hack/ end with them. */

/** Exit statuses of the commands, after sysexits(3). */
export const EXIT_USAGE = 64;
const EXIT_UNAVAILABLE = 69;

/** A failure with a message made for a person: it is printed as it stands, without a stack. */
export class CommandError extends Error {
  /** Upper-case name of the failure, for programs. */
  readonly code: string;
  /** Exit status of the command that ends with this failure. */
  readonly exitStatus: number;

  constructor(code: string, message: string, exitStatus = 1) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
    this.exitStatus = exitStatus;
  }
}

/** Something that this machine must have is missing or too old (exit status 69). */
export function unavailable(message: string): CommandError {
  return new CommandError('UNAVAILABLE', message, EXIT_UNAVAILABLE);
}

/**
 * Runs a command's main function and turns its result into the exit status of this process.
 *
 * @param main resolves to the exit status; a CommandError becomes its message on standard error, anything else
 *   thrown is a defect and keeps its stack.
 */
export async function runMain(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitStatus;
  }
}
