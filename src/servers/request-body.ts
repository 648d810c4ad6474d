/** Reading the body of a request, never beyond a size, whatever its head says of it. */

import type { IncomingMessage } from 'node:http';

/** How much is held in memory at the same time, by all requests of a server. */
export class BodyBudget {
  readonly #totalBytes: number;
  #heldBytes = 0;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  /** Takes so much of it, if that is left. */
  take(bytes: number): boolean {
    if (this.#heldBytes + bytes > this.#totalBytes) return false;
    this.#heldBytes += bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#heldBytes -= bytes;
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
  let bytes = 0;
  const end = (result: BodyResult): void => {
    request.removeListener('data', onData);
    budget.give(bytes);
    bytes = 0;
    resolve(result);
  };
  const onData = (chunk: Buffer): void => {
    if (bytes + chunk.length > maxBytes) end({ kind: 'too large' });
    else if (!budget.take(chunk.length)) end({ kind: 'busy' });
    else {
      bytes += chunk.length;
      chunks.push(chunk);
    }
  };
  if (Number(request.headers['content-length'] ?? 0) > maxBytes)
    return Promise.resolve({ kind: 'too large' });
  request.on('data', onData);
  request.once('end', () => end({ kind: 'body', body: Buffer.concat(chunks, bytes) }));
  request.once('close', () => end({ kind: 'aborted' }));
  request.once('error', () => end({ kind: 'aborted' }));
  return promise;
}
