/** What a component needs of a log. pino satisfies it; tests pass a recording one. */

/** Structured fields of one line. Never keys, tokens, certificates' private parts or Secret data. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Two levels are enough: what an operator wants to see, and what explains it. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Discards everything; the default where a caller passes none. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
