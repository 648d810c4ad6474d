/** The admission server as a part of the process: listens as soon as there is a certificate, leaves in good order. */

import type { ServingBook } from '../controllers/serving/serving-book.ts';
import type { SelfSigned } from '../crypto/self-signed.ts';
import type { Component } from '../kube/lifecycle.ts';
import type { Log } from '../observe/log.ts';
import type { Dispatch } from '../servers/admission-dispatch.ts';
import { type AdmissionServer, startAdmissionServer } from '../servers/admission-server.ts';

/** What the part is made of. */
export interface AdmissionComponentOptions {
  readonly book: ServingBook;
  readonly dispatch: Dispatch;
  readonly port: number;
  readonly host: string | undefined;
  /** How long requests are still taken once the process was told to end. */
  readonly shutdownDelayMs: number;
  readonly log: Log;
}

/** Makes it. */
export function admissionComponent(options: AdmissionComponentOptions): Component {
  const { book, dispatch, port, host, shutdownDelayMs, log } = options;
  const stopped = Promise.withResolvers<undefined>();
  let server: AdmissionServer | undefined;
  return {
    name: 'admission server',
    async start() {
      const pair = await Promise.race([firstPair(book), stopped.promise]);
      if (pair === undefined) return;
      const started = await startAdmissionServer({
        dispatch,
        pair,
        port,
        ...(host === undefined ? {} : { host }),
      });
      server = started;
      book.onChange((next) => started.serve(next));
      log.info({ port: started.port }, 'admission server listens');
    },
    async stop({ graceMs }) {
      stopped.resolve(undefined);
      const delayMs = Math.min(shutdownDelayMs, graceMs);
      return (await server?.stop({ delayMs, graceMs: graceMs - delayMs })) ?? true;
    },
  };
}

function firstPair(book: ServingBook): Promise<SelfSigned> {
  return new Promise((resolve) => book.onChange(resolve));
}
