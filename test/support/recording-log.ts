/** A log that keeps its lines. */

import type { Log, LogFields } from '../../src/observe/log.ts';

/** One line. */
interface LogLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: LogFields;
}

/** A log and what was written to it. */
export interface RecordingLog extends Log {
  readonly lines: readonly LogLine[];
  /** `level message` of every line. */
  readonly texts: readonly string[];
}

export function recordingLog(): RecordingLog {
  const lines: LogLine[] = [];
  const at = (level: keyof Log) => (fields: LogFields, message: string) => {
    lines.push({ level, message, fields });
  };
  return {
    lines,
    get texts() {
      return lines.map(({ level, message }) => `${level} ${message}`);
    },
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}
