/** A TCP proxy that passes on every request and may lose answers, so that a client does not know what was done. */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What becomes of an answer: it arrives; it comes late, when the next request was made; neither it nor any that follows on
 * this connection; the connection breaks instead.
 */
export type AnswerFate = 'pass' | 'hold' | 'swallow' | 'reset';

/** A running proxy. */
export interface LossyProxy {
  readonly port: number;
  /** Decides about each piece of an answer from now on. */
  decide(fate: () => AnswerFate): void;
  close(): Promise<void>;
}

/** Starts a proxy to a port of this machine; at first it passes everything. */
export async function startLossyProxy(targetPort: number): Promise<LossyProxy> {
  const sockets = new Set<Socket>();
  let fateOf = (): AnswerFate => 'pass';
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    const upstream = keep(connect(targetPort, '127.0.0.1'));
    let held: Buffer[] = [];
    let isSilent = false;
    const release = (): void => {
      for (const answer of held) client.write(answer);
      held = [];
    };
    keep(client).on('data', (question) => {
      if (!isSilent) release();
      upstream.write(question);
    });
    upstream.on('data', (answer) => {
      const fate = isSilent ? 'swallow' : fateOf();
      isSilent = fate === 'swallow';
      if (fate === 'reset') client.resetAndDestroy();
      else held.push(answer);
      if (fate === 'pass') release();
    });
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    decide(fate) {
      fateOf = fate;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
