/** Names a process for good: a pid alone may belong to another process by the time it is used. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** A process of this machine. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time as the system tells it: clock ticks since boot (Linux) or a date (elsewhere). Only compared. */
  readonly startedAt: string;
}

/** The identity of a running process, or undefined when there is none with that pid (a zombie does not count). */
export function identify(pid: number): ProcessIdentity | undefined {
  const startedAt = existsSync('/proc/self/stat') ? startTicks(pid) : startDate(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Whether exactly that process still runs. */
export function stillRuns(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt;
}

/** Field 22 of /proc/PID/stat, see proc(5). */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // the command in field 2 stands in brackets and may itself hold blanks and brackets
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startDate(pid: number): string | undefined {
  try {
    const columns = ['-o', 'state=', '-o', 'lstart=', '-p', String(pid)];
    const line = execFileSync('ps', columns, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return line === '' || line.startsWith('Z') ? undefined : line.slice(line.indexOf(' ')).trim();
  } catch {
    return undefined;
  }
}
