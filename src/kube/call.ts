/** What can be asked of the API server: a call with one answer, or a watch. */

import type { RequestSubject } from './errors.ts';

/** Values of a query; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** A call with one answer. */
export interface Call {
  readonly subject: RequestSubject;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Percent-encoded, from `/api` or `/apis` on. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body; `application/json`. */
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  /** For the whole call: waiting for a connection, all attempts and the waits between them. No limit by default. */
  readonly timeoutMs?: number | undefined;
  /** `lease` has a connection of its own and never waits behind other calls. */
  readonly channel?: 'calls' | 'lease' | undefined;
  /** Runs immediately before each attempt leaves the process; a throw ends the call with nothing sent. */
  readonly beforeSend?: () => void;
}

/** A watch; it is read line by line until the server ends it. */
export interface WatchCall {
  readonly subject: RequestSubject;
  readonly path: string;
  readonly query?: Query;
  readonly accept?: string;
  readonly signal: AbortSignal;
  /** Longest silence, bookmarks included, before the connection counts as dead. 150,000 by default. */
  readonly idleTimeoutMs?: number | undefined;
  /** Takes one line, synchronously; a throw ends the watch with that error. */
  readonly onLine: (line: Buffer) => void;
}

/** `path?query`, percent-encoded. */
export function targetOf(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}
