/**
 * The HTTP server that the kubelet and Prometheus ask: /healthz, /readyz and /metrics. It never talks to the API server:
 * an outage there must not restart this process.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Log } from '../observe/log.ts';
import { silentLog } from '../observe/log.ts';
import { fieldsOf } from './failure.ts';

/** Undefined when all is well, else what is wrong in a few words without any data. Synchronous and cheap. */
export type HealthCheck = () => string | undefined;

/** Checks by name, printed in this order. */
type HealthChecks = Readonly<Record<string, HealthCheck>>;

/** What the server answers, and where. */
export interface HealthServerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Address to listen on. Default: all. */
  readonly host?: string;
  /** Behind /healthz: only what a restart would mend. */
  readonly live: HealthChecks;
  /** Behind /readyz. */
  readonly ready: HealthChecks;
  /** Behind /metrics: what a registry of prom-client gives. */
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  readonly log?: Log;
}

/** A server that listens. */
export interface HealthServer {
  readonly port: number;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const NOT_FOUND: Answer = { status: 404, text: 'not found\n' };
const METHOD_NOT_ALLOWED: Answer = {
  status: 405,
  text: 'method not allowed\n',
  headers: { allow: 'GET, HEAD' },
};

/** Connections at once; probes and scrapes need a handful. */
const MAX_CONNECTIONS = 100;

/** For the head of a request and for all of it; no request that is answered has a body. */
const REQUEST_TIMEOUT_MS = 5000;

/** Listens. Rejects when the address cannot be taken. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer(
    {
      maxHeaderSize: 8192,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: 30_000,
    },
    (request, response) => {
      void answer(options, request).then((answered) => send(request, response, answered));
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = 60_000;
  await listen(server, options);
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

/** Fails while a reconcile has been running for longer than `limitSeconds`. */
export function workersCheck(longestRunningSeconds: () => number, limitSeconds: number): HealthCheck {
  return () => {
    const seconds = longestRunningSeconds();
    return seconds <= limitSeconds ? undefined : `a reconcile has been running for ${Math.round(seconds)} s`;
  };
}

/**
 * Fails when, since it was last asked, more than half of the event loop's turns came later than `limitMs`. A loop that
 * does not turn at all answers no request, which the kubelet counts as failed too.
 */
export function eventLoopCheck(limitMs: number, delays: LoopDelays = loopDelays()): HealthCheck {
  return () => {
    const medianMs = delays.percentile(50) / 1e6;
    delays.reset();
    return medianMs <= limitMs ? undefined : `the event loop is ${Math.round(medianMs)} ms late`;
  };
}

/** What is read of the histogram of `perf_hooks.monitorEventLoopDelay`. */
export interface LoopDelays {
  /** Nanoseconds. */
  percentile(percentile: number): number;
  reset(): void;
}

function loopDelays(): LoopDelays {
  const histogram = monitorEventLoopDelay({ resolution: 100 });
  histogram.enable();
  return histogram;
}

/** Never rejects. */
async function answer(options: HealthServerOptions, request: IncomingMessage): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return METHOD_NOT_ALLOWED;
  const [path, query] = (request.url ?? '').split('?', 2);
  const verbose = new URLSearchParams(query).has('verbose');
  switch (path) {
    case '/healthz':
      return report('healthz', options.live, verbose);
    case '/readyz':
      return report('readyz', options.ready, verbose);
    case '/metrics':
      return collect(options);
    default:
      return NOT_FOUND;
  }
}

function report(name: string, checks: HealthChecks, verbose: boolean): Answer {
  const results = Object.entries(checks).map(([check, run]) => [check, problemOf(run)] as const);
  const passes = results.every(([, problem]) => problem === undefined);
  const status = passes ? 200 : 503;
  if (passes && !verbose) return { status, text: 'ok\n' };
  const lines = results.map(([check, problem]) => {
    return problem === undefined ? `[+]${check} ok\n` : `[-]${check} failed: ${problem}\n`;
  });
  return { status, text: `${lines.join('')}${name} check ${passes ? 'passed' : 'failed'}\n` };
}

function problemOf(check: HealthCheck): string | undefined {
  try {
    return check();
  } catch {
    return 'the check itself failed';
  }
}

async function collect({ metrics, log = silentLog }: HealthServerOptions): Promise<Answer> {
  try {
    const text = await metrics.metrics();
    return { status: 200, text, headers: { 'content-type': metrics.contentType } };
  } catch (error) {
    log.error(fieldsOf(error), 'metrics could not be collected');
    return { status: 500, text: 'metrics could not be collected\n' };
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, text, headers }: Answer): void {
  const hasBody =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // A body is not read; the connection cannot be used again.
    ...(hasBody ? { connection: 'close' } : {}),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

function listen(server: Server, { port, host, log = silentLog }: HealthServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.removeListener('error', reject);
      // A connection that could not be accepted must not end the process.
      server.on('error', (error) => log.warn(fieldsOf(error), 'connection not accepted'));
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
