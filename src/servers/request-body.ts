/** Reading the body of a request, never beyond a size, whatever its head says of it. */

import type { IncomingMessage } from 'node:http';

/** A body that is being read. */
interface Reading {
  heldBytes: number;
  /** Others need the memory. */
  readonly giveWay: () => void;
}

/**
 * How much is held in memory at the same time, by all requests of a server. Who began first gives way to those who come:
 * an honest body is there within milliseconds, and nobody keeps others out by never sending the end of his.
 */
export class BodyBudget {
  readonly #totalBytes: number;
  readonly #readings = new Set<Reading>();
  #heldBytes = 0;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  /** Takes so much more for a reading, from others if need be; false when there is not so much for all. */
  take(bytes: number, reading: Reading): boolean {
    this.#readings.add(reading);
    reading.heldBytes += bytes;
    this.#heldBytes += bytes;
    for (const each of this.#readings) {
      if (this.#heldBytes <= this.#totalBytes) break;
      if (each !== reading) each.giveWay();
    }
    return this.#heldBytes <= this.#totalBytes;
  }

  /** Gives back what a reading took. */
  give(reading: Reading): void {
    if (this.#readings.delete(reading)) this.#heldBytes -= reading.heldBytes;
  }
}

/** How much may be read. */
export interface BodyLimits {
  readonly maxBytes: number;
  readonly budget: BodyBudget;
}

/** `busy`: others hold all the memory there is for bodies; `aborted`: the client went away. */
export type BodyResult =
  | { readonly kind: 'body'; readonly body: Buffer }
  | { readonly kind: 'too large' | 'busy' | 'aborted' };

/** Reads it. Never rejects. */
export function readBody(request: IncomingMessage, { maxBytes, budget }: BodyLimits): Promise<BodyResult> {
  const { promise, resolve } = Promise.withResolvers<BodyResult>();
  const chunks: Buffer[] = [];
  const reading: Reading = { heldBytes: 0, giveWay: () => end({ kind: 'busy' }) };
  const end = (result: BodyResult): void => {
    request.removeListener('data', onData);
    budget.give(reading);
    resolve(result);
  };
  const onData = (chunk: Buffer): void => {
    if (reading.heldBytes + chunk.length > maxBytes) end({ kind: 'too large' });
    else if (budget.take(chunk.length, reading)) chunks.push(chunk);
    else end({ kind: 'busy' });
  };
  if (Number(request.headers['content-length'] ?? 0) > maxBytes)
    return Promise.resolve({ kind: 'too large' });
  request.on('data', onData);
  request.once('end', () => end({ kind: 'body', body: Buffer.concat(chunks, reading.heldBytes) }));
  request.once('close', () => end({ kind: 'aborted' }));
  request.once('error', () => end({ kind: 'aborted' }));
  return promise;
}
