/**
 * A proxy between a client and the API server that misbehaves as networks and servers do: for the requests that a test
 * chooses, as often as it says. It keeps a journal of what became of each request.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { createAuthority } from '../../hack/control-plane/pki.ts';
import {
  type ActiveFault,
  errorEvent,
  type Fault,
  FaultRules,
  type Injection,
  statusObject,
} from './faults.ts';
import { deliver, isWhole, later, readAnswer } from './faulty-answer.ts';
import { type ProxiedRequest, readRequest } from './proxied-request.ts';

/**
 * What became of a request: `answered` the client got the server's whole answer; `lost` it may have been carried out
 * and the client did not get the whole answer; `withheld` the server never saw it.
 */
export type RequestOutcome = 'pending' | 'answered' | 'lost' | 'withheld';

/** A line of the journal. */
export interface JournalEntry {
  readonly request: ProxiedRequest;
  /** The server's, or the proxy's own; undefined when neither gave one. */
  readonly status: number | undefined;
  readonly outcome: RequestOutcome;
}

interface OpenWatch {
  readonly request: ProxiedRequest;
  readonly upstream: IncomingMessage;
  readonly response: ServerResponse;
}

interface Exchange {
  readonly entry: { -readonly [Field in keyof JournalEntry]: JournalEntry[Field] };
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly response: ServerResponse;
}

/** Starts a proxy in front of `server`, whose certificate is signed by `ca` (PEM). Has to be closed. */
export async function startFaultProxy(target: {
  readonly server: string | URL;
  readonly ca: string;
}): Promise<FaultProxy> {
  const proxy = new FaultProxy(target);
  await proxy.listen();
  return proxy;
}

/** The proxy. */
export class FaultProxy {
  /** Root of the proxy's own certificate, PEM. */
  readonly ca: string;
  readonly #journal: JournalEntry[] = [];
  readonly #target: URL;
  readonly #agent: Agent;
  readonly #https: ReturnType<typeof createServer>;
  readonly #tcp: ReturnType<typeof createTcpServer>;
  /** TCP connections: a TLS socket cannot be reset itself. */
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<OpenWatch>();
  readonly #rules = new FaultRules();
  #isDeaf = false;

  /** Use {@link startFaultProxy}. */
  constructor({ server, ca }: { readonly server: string | URL; readonly ca: string }) {
    const authority = createAuthority('fault proxy');
    const identity = { commonName: 'fault-proxy', ipAddresses: ['127.0.0.1'], usage: 'server' } as const;
    const { privateKey, certificate } = authority.issue(identity);
    this.ca = authority.certificate;
    this.#target = new URL(server);
    this.#agent = new Agent({ keepAlive: true, ca });
    this.#https = createServer({ key: privateKey, cert: certificate }, (incoming, response) =>
      this.#receive(incoming, response),
    );
    this.#https.on('tlsClientError', () => {});
    this.#tcp = createTcpServer((socket) => this.#accept(socket));
  }

  /** Binds a free port. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#tcp.listen(0, '127.0.0.1', resolve));
  }

  /** Where it listens. */
  get server(): URL {
    return new URL(`https://127.0.0.1:${(this.#tcp.address() as AddressInfo).port}`);
  }

  /** Every request, in the order of arrival. */
  get journal(): readonly JournalEntry[] {
    return this.#journal;
  }

  /**
   * Switches a fault on; those that are on already go first. Watches that are open are struck at once: by a reset, a
   * cut, silence, an end or an ERROR event in the middle of their streams; for a status they are ended in good order, so
   * that the next ones meet it. Watches are never delayed.
   */
  inject(injection: Injection): ActiveFault {
    const rule = this.#rules.add(injection);
    for (const watch of this.#watches) {
      const fault = rule.peek(watch.request);
      if (fault !== undefined && this.#strike(watch, fault)) rule.take(watch.request);
    }
    return rule;
  }

  /** While deaf, it accepts connections and does nothing with them; those that are open already stay as they are. */
  set deaf(isDeaf: boolean) {
    this.#isDeaf = isDeaf;
  }

  /** Resets every connection. */
  resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Ends everything at once. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    if (!this.#isDeaf) this.#https.emit('connection', socket);
  }

  #receive(incoming: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    response.on('error', () => {});
    incoming
      .on('error', () => {})
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const body = Buffer.concat(chunks);
        const request = readRequest(incoming, body);
        const entry: Exchange['entry'] = { request, status: undefined, outcome: 'pending' };
        this.#journal.push(entry);
        this.#serve({ entry, incoming, body, response }, this.#rules.take(request));
      });
  }

  #serve(exchange: Exchange, fault: Fault | undefined): void {
    const { entry, response } = exchange;
    if (fault === undefined || !isWithheld(fault)) {
      void this.#forward(exchange, fault);
      return;
    }
    entry.outcome = 'withheld';
    if (fault.kind === 'reset') this.#reset(response);
    if (fault.kind === 'error event') openStream(response).write(errorEvent(fault.status));
    if (fault.kind === 'status') {
      entry.status = fault.status;
      answerStatus(response, fault);
    }
  }

  async #forward(exchange: Exchange, fault: Fault | undefined): Promise<void> {
    if (fault?.kind === 'lateness' && !exchange.entry.request.isWatch) await later(fault.delayMs);
    if (!this.#tcp.listening) return;
    const { entry, incoming, body, response } = exchange;
    const { method, url, headers } = incoming;
    const { host: _, connection: __, ...kept } = headers;
    const target = new URL(url ?? '/', this.#target);
    const options = { method: method ?? 'GET', headers: kept, agent: this.#agent };
    const upstream = httpsRequest(target, options, (answer) => {
      entry.status = answer.statusCode;
      answer.on('error', () => this.#lose(exchange, 'lost'));
      if (entry.request.isWatch && entry.status === 200) this.#passWatch(exchange, answer, fault);
      else void this.#passAnswer(exchange, answer, fault);
    });
    upstream.on('error', (error: NodeJS.ErrnoException) =>
      this.#lose(exchange, error.code === 'ECONNREFUSED' ? 'withheld' : 'lost'),
    );
    if (entry.request.isWatch) response.on('close', () => upstream.destroy());
    upstream.end(body);
  }

  async #passAnswer(exchange: Exchange, answer: IncomingMessage, fault: Fault | undefined): Promise<void> {
    const { entry, response } = exchange;
    const whole = await readAnswer(answer);
    if (whole === undefined) return;
    response.on('finish', () => settle(entry, isWhole(fault) ? 'answered' : 'lost'));
    response.on('close', () => settle(entry, 'lost'));
    if (!isWhole(fault) || response.destroyed) settle(entry, 'lost');
    await deliver(whole, fault, { response, reset: () => this.#reset(response) });
  }

  #passWatch({ entry, response }: Exchange, upstream: IncomingMessage, fault: Fault | undefined): void {
    const watch: OpenWatch = { request: entry.request, upstream, response };
    settle(entry, 'answered');
    openStream(response);
    upstream.on('data', (chunk: Buffer) => response.write(chunk)).on('end', () => response.end());
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    if (fault !== undefined) this.#strike(watch, fault);
  }

  /** An open watch meets a fault. False when it has to begin anew to do so. */
  #strike({ upstream, response }: OpenWatch, fault: Fault): boolean {
    if (fault.kind === 'reset' || fault.kind === 'cut') this.#reset(response);
    else if (fault.kind === 'silence') upstream.removeAllListeners('data').removeAllListeners('end').resume();
    else if (fault.kind === 'error event') response.write(errorEvent(fault.status));
    else if (fault.kind === 'truncation') response.end();
    else {
      if (fault.kind === 'status') response.end();
      return false;
    }
    return true;
  }

  /** The server is gone in the middle of an exchange, and so is the client's connection. */
  #lose({ entry, response }: Exchange, outcome: 'lost' | 'withheld'): void {
    settle(entry, outcome);
    this.#reset(response);
  }

  #reset(response: ServerResponse): void {
    const port = response.socket?.remotePort;
    if (port === undefined) return;
    // The last one: a port comes back while one that nobody reads from any more is still there.
    [...this.#sockets].findLast(({ remotePort }) => remotePort === port)?.resetAndDestroy();
  }
}

function settle(entry: Exchange['entry'], outcome: RequestOutcome): void {
  if (entry.outcome === 'pending') entry.outcome = outcome;
}

/** Whether the server never sees a request with this fault. */
function isWithheld(fault: Fault): boolean {
  if (fault.kind === 'reset' || fault.kind === 'silence') return fault.at === 'request';
  return fault.kind === 'status' || fault.kind === 'error event';
}

function openStream(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  return response;
}

function answerStatus(
  response: ServerResponse,
  { status, retryAfterSeconds }: Extract<Fault, { kind: 'status' }>,
): void {
  const retryAfter = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  response.writeHead(status, { 'content-type': 'application/json', ...retryAfter });
  response.end(JSON.stringify(statusObject(status)));
}
