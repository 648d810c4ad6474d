/**
 * An HTTP or HTTPS server on the loopback interface that answers as a test says, and misbehaves as networks do. It
 * knows nothing of Kubernetes.
 */

import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { loopbackCertificate } from './loopback-certificate.ts';

/** A request as it arrived. */
interface LoopbackRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
}

/** Answers one request. */
export type Answerer = (response: ServerResponse, request: LoopbackRequest) => void;

/** A running server. */
export interface LoopbackServer {
  readonly url: URL;
  /** PEM; undefined for plain HTTP. */
  readonly ca: string | undefined;
  /** In order of arrival. */
  readonly requests: readonly LoopbackRequest[];
  /** Connections since the start, and now. */
  readonly accepted: number;
  readonly open: number;
  /** Ends everything, at once. */
  close(): Promise<void>;
}

/** TCP connections by the client's port: a TLS socket cannot be reset itself. */
const connections = new Map<number | undefined, Socket>();

/** Starts a server that answers with `answer`; over TLS unless told otherwise. */
export async function startLoopbackServer(
  answer: Answerer,
  { tls = true }: { readonly tls?: boolean } = {},
): Promise<LoopbackServer> {
  const requests: LoopbackRequest[] = [];
  const sockets = new Set<Socket>();
  let accepted = 0;
  const listener = (incoming: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => {});
    readRequest(incoming, (request) => {
      requests.push(request);
      answer(response, request);
    });
  };
  const certificate = tls ? loopbackCertificate() : undefined;
  const server: Server =
    certificate === undefined
      ? createHttpServer(listener)
      : createHttpsServer({ key: certificate.keyPem, cert: certificate.certificatePem }, listener);
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    const { remotePort } = socket;
    connections.set(remotePort, socket);
    sockets.add(
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket);
          if (connections.get(remotePort) === socket) connections.delete(remotePort);
        }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`),
    ca: certificate?.certificatePem,
    requests,
    get accepted() {
      return accepted;
    },
    get open() {
      return sockets.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Answers with JSON. */
export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Answerer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}

/** Sends the chunks one by one, each in a packet of its own, and then does `last`. */
export function stream(chunks: readonly (string | Buffer)[], last: Answerer): Answerer {
  return (response, request) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const send = (position: number): void => {
      const chunk = chunks[position];
      if (chunk === undefined) last(response, request);
      else response.write(chunk, () => setTimeout(send, 1, position + 1));
    };
    send(0);
  };
}

/** Ends the answer in good order. */
export const end: Answerer = (response) => {
  response.end();
};

/** Says nothing more and leaves the connection open, as a peer that is gone without a trace. */
export const silence: Answerer = (response) => {
  response.flushHeaders();
};

/** Never answers. */
export const ignore: Answerer = () => {};

/** Resets the connection (TCP RST). */
export const reset: Answerer = (response) => {
  connections.get(response.socket?.remotePort)?.resetAndDestroy();
};

/** The first request gets the first answer and so on; requests beyond are never answered. */
export function inTurn(...answers: readonly Answerer[]): Answerer {
  let next = 0;
  return (response, request) => {
    const answer = answers[next] ?? ignore;
    next += 1;
    answer(response, request);
  };
}

function readRequest(incoming: IncomingMessage, done: (request: LoopbackRequest) => void): void {
  const chunks: Buffer[] = [];
  incoming.on('error', () => {});
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const url = new URL(incoming.url ?? '/', 'http://loopback');
    const text = Buffer.concat(chunks).toString('utf8');
    done({
      method: incoming.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: incoming.headers,
      body: text === '' ? undefined : JSON.parse(text),
    });
  });
}
