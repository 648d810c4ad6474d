/** A log whose lines all carry some fields, so that one search finds everything about one reconcile. */

import type { Log, LogFields } from '../observe/log.ts';

/** `log` with `fields` added to every line; the fields of the line itself win. */
export function logWith(log: Log, fields: LogFields): Log {
  return {
    debug: (more, message) => log.debug({ ...fields, ...more }, message),
    info: (more, message) => log.info({ ...fields, ...more }, message),
    warn: (more, message) => log.warn({ ...fields, ...more }, message),
    error: (more, message) => log.error({ ...fields, ...more }, message),
  };
}
