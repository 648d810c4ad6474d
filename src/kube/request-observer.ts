/** What the transport tells about its requests; the labels are those of client-go's `rest_client_*` metrics. */

/** One answered or failed attempt. */
export interface FinishedRequest {
  /** RBAC verb, or `apply`. */
  readonly verb: string;
  readonly method: string;
  /** HTTP status, or `<error>` when no answer came. */
  readonly code: string;
  readonly host: string;
  /** From the attempt's start to the end of the answer; for a watch to the headers. */
  readonly seconds: number;
}

/** An attempt that is made again because of `code`. */
export interface RetriedRequest {
  readonly code: string;
  readonly method: string;
  readonly host: string;
}

/** Receives both; must not throw. */
export interface RequestObserver {
  requestFinished(request: FinishedRequest): void;
  requestRetried(request: RetriedRequest): void;
}

/** Tells nobody; the default. */
export const silentObserver: RequestObserver = { requestFinished() {}, requestRetried() {} };
