/** The parts of this layer as components of a process. Order: health, caches, election, events, controllers. */

import type { Controller } from './controller.ts';
import type { EventRecorder } from './events.ts';
import type { HealthServer, HealthServerOptions } from './health.ts';
import { startHealthServer } from './health.ts';
import type { LeaderElector } from './leader.ts';
import type { Component } from './lifecycle.ts';

const FLUSH_EVENTS_MS = 5000;

/** The health server; starts first and stops last, so that probes are answered all the time. */
export function healthComponent(options: HealthServerOptions): Component {
  let server: HealthServer | undefined;
  return {
    name: 'health server',
    async start() {
      server = await startHealthServer(options);
      options.log?.info({ port: server.port }, 'health server listens');
    },
    async stop() {
      await server?.close();
      return true;
    },
  };
}

/**
 * Leader election: what follows starts when this process leads. A lost lease ends the process. The lease is given away
 * at the end, unless something may still write: then it runs out by itself, after this process is gone.
 */
export function electionComponent(elector: Pick<LeaderElector, 'run' | 'acquired' | 'lost'>): Component {
  const abort = new AbortController();
  let run: Promise<void> | undefined;
  return {
    name: 'leader election',
    async start({ fail }) {
      run = elector.run(abort.signal);
      void elector.lost.then((reason) => fail(`leader election lost: ${reason}`));
      await elector.acquired();
    },
    async stop({ clean }) {
      if (!clean) return false;
      abort.abort();
      await run;
      return true;
    },
  };
}

/** The event recorder; stops after the controllers and before the lease is given away. */
export function eventsComponent(recorder: Pick<EventRecorder, 'flush'>): Component {
  return {
    name: 'events',
    async start() {},
    async stop() {
      await recorder.flush(FLUSH_EVENTS_MS);
      return true;
    },
  };
}

/** Controllers; they start and stop together. */
export function controllersComponent(controllers: readonly Pick<Controller, 'start' | 'stop'>[]): Component {
  return {
    name: 'controllers',
    async start({ signal }) {
      await Promise.all(controllers.map((controller) => controller.start(signal)));
    },
    async stop({ graceMs }) {
      const unfinished = await Promise.all(controllers.map((controller) => controller.stop(graceMs)));
      return unfinished.every((count) => count === 0);
    },
  };
}
