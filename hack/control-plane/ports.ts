/** A free port of the loopback interface, held until its user starts. */

import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { CommandError } from './command-error.ts';

/** A port nobody else can get before it is released. */
export interface HeldPort {
  readonly port: number;
  release(): Promise<void>;
}

// Below the ports that systems give to outgoing connections (Linux from 32768, macOS from 49152): a client that
// tries again and again while a server restarts can otherwise be given the server's own port.
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;

/**
 * Finds a free port of 127.0.0.1 and keeps it open.
 *
 * @throws CommandError `NO_FREE_PORT` after 100 attempts.
 */
export async function holdPort(): Promise<HeldPort> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    const server = await listen(port);
    if (server !== undefined) return { port, release: () => close(server) };
  }
  throw new CommandError('NO_FREE_PORT', `no free port on 127.0.0.1 between ${FIRST_PORT} and ${LAST_PORT}`);
}

function listen(port: number): Promise<Server | undefined> {
  const { promise, resolve } = Promise.withResolvers<Server | undefined>();
  const server = createServer();
  server.once('error', () => resolve(undefined));
  // held or not, it is no reason for this process to stay
  server.unref();
  server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve(server));
  return promise;
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  return promise;
}
