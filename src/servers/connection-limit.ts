/**
 * How many connections a server holds. A new one is always taken: whoever was quiet for longest makes room, so that nobody
 * keeps others out by holding connections.
 */

import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/** Limits the connections of a server. Call before it listens. */
export function limitConnections(server: Server, most: number): void {
  const handshaking = new Quietest(most);
  const established = new Quietest(most);
  server.on('connection', (socket: Socket) => handshaking.add(socket));
  server.on('secureConnection', (socket: Socket) => {
    handshaking.remove(nameOf(socket));
    established.add(socket);
  });
  server.on('request', ({ socket }: { readonly socket: Socket }) => established.touch(socket));
}

/** Connections in the order of their last request. */
class Quietest {
  readonly #most: number;
  readonly #sockets = new Map<string, Socket>();

  constructor(most: number) {
    this.#most = most;
  }

  add(socket: Socket): void {
    const name = nameOf(socket);
    if (this.#sockets.size >= this.#most) this.#sockets.values().next().value?.destroy();
    this.#sockets.set(name, socket);
    socket.once('close', () => {
      if (this.#sockets.get(name) === socket) this.#sockets.delete(name);
    });
  }

  touch(socket: Socket): void {
    const name = nameOf(socket);
    if (this.#sockets.delete(name)) this.#sockets.set(name, socket);
  }

  remove(name: string): void {
    this.#sockets.delete(name);
  }
}

/** The same for a connection and for the TLS on it. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
