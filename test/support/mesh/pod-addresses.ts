/** Loopback addresses that stand for pods, so that each can have the port that its policy names. Linux only. */

import { createServer, type Server } from 'node:net';

const TRIES = 20;
/** Whoever listens here has the whole network; no pod gets this address. */
const CLAIM = { host: '255.254', port: 18_443 };

/** A network 127.x.0.0/16 that no other process takes as long as it is claimed. */
export class PodAddresses {
  readonly #second: number;
  readonly #claim: Server;
  #given = 0;

  private constructor(second: number, claim: Server) {
    this.#second = second;
    this.#claim = claim;
  }

  /** @throws Error when all networks that were tried are taken. */
  static async claim(): Promise<PodAddresses> {
    for (let tries = 0; tries < TRIES; tries++) {
      const second = 1 + Math.floor(Math.random() * 250);
      const server = createServer();
      if (await listens(server, `127.${second}.${CLAIM.host}`)) return new PodAddresses(second, server);
    }
    throw new Error(`no loopback network is free, ${TRIES} were tried`);
  }

  /** An address that was not given before; at most 60,000. */
  next(): string {
    const at = this.#given++;
    return `127.${this.#second}.${Math.floor(at / 250)}.${1 + (at % 250)}`;
  }

  /** Gives the network back. */
  async release(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#claim.close(() => resolve());
    await promise;
  }
}

async function listens(server: Server, host: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen(CLAIM.port, host, () => resolve(true));
  return promise;
}
