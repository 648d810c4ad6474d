/** Spreads TCP connections over several servers of this machine, as a Service does over pods that are ready. */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A running balancer. */
export interface TcpBalancer {
  readonly port: number;
  /** New connections go to these ports in turn; to the next where nobody listens. Those that are open stay. */
  use(ports: readonly number[]): void;
  close(): Promise<void>;
}

/** Starts one on the loopback interface; it refuses connections until it is told where to. */
export async function startTcpBalancer(): Promise<TcpBalancer> {
  const sockets = new Set<Socket>();
  let backends: readonly number[] = [];
  let turn = 0;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  const forward = (client: Socket, ports: readonly number[]): void => {
    const [port, ...others] = ports;
    if (port === undefined) {
      client.resetAndDestroy();
      return;
    }
    const upstream = keep(connect({ port, host: '127.0.0.1' }));
    let isConnected = false;
    upstream.once('connect', () => {
      isConnected = true;
      client.pipe(upstream).pipe(client);
    });
    upstream.once('close', () => (isConnected ? client.destroy() : forward(client, others)));
    client.once('close', () => upstream.destroy());
  };
  const server = createServer((client) => {
    keep(client);
    turn += 1;
    const first = backends.length === 0 ? 0 : turn % backends.length;
    forward(client, [...backends.slice(first), ...backends.slice(0, first)]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    use(ports) {
      backends = ports;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
