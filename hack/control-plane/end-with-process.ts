/** Ends what was started when this process ends: one signal handler and one exit handler for everything. */

/** Something that must not outlive this process. */
export interface Startable {
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** Ends it without waiting. Must not throw. */
  stopNow(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const live = new Set<Startable>();

/**
 * Ends `thing` when this process gets SIGINT, SIGTERM or SIGHUP, or exits.
 *
 * With a handler per thing, the first that is done would end the process while others still stop: so there is one.
 *
 * @returns a function that forgets the thing again; to be called when it has stopped.
 */
export function endWithThisProcess(thing: Startable): () => void {
  if (live.size === 0) {
    for (const signal of SIGNALS) process.on(signal, onSignal);
    process.on('exit', onExit);
  }
  live.add(thing);
  return () => {
    if (live.delete(thing) && live.size === 0) {
      removeSignalHandlers();
      process.off('exit', onExit);
    }
  };
}

async function onSignal(signal: NodeJS.Signals): Promise<void> {
  // from here a second signal ends this process at once, and the watchdogs of its children do the rest
  removeSignalHandlers();
  await Promise.allSettled([...live].map((thing) => thing.stop()));
  process.kill(process.pid, signal);
}

function onExit(): void {
  for (const thing of live) thing.stopNow();
}

function removeSignalHandlers(): void {
  for (const signal of SIGNALS) process.off(signal, onSignal);
}
