/** What the demo needs of this machine, asked before anything starts. */

import { unavailable } from '../control-plane/command-error.ts';
import { findCommand } from '../control-plane/require-command.ts';
import { toolsProblem } from '../control-plane/tools.ts';

const OPENSSL_MISSING =
  'openssl is needed and not installed: apt-get install openssl, dnf install openssl or brew install openssl';

/** @throws CommandError `UNAVAILABLE` (exit status 69) with a line for each program that is missing. */
export function requireForDemo(): void {
  const missing = [toolsProblem(), findCommand('openssl') === undefined ? OPENSSL_MISSING : undefined];
  const lines = missing.filter((line) => line !== undefined);
  if (lines.length > 0) throw unavailable(lines.join('\n'));
}
