/** One-shot timers, given to whoever needs them, so that tests decide when time passes. */

/** Takes back a timer; without effect once it has run. */
export type Cancel = () => void;

/** A source of timers. */
export interface Timers {
  /** Runs `callback` once, `delayMs` from now at the earliest. `delayMs` is below 2^31. */
  after(delayMs: number, callback: () => void): Cancel;
}

/** The timers of Node. They do not keep the process alive: its servers and connections do. */
export const systemTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.ceil(delayMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** The timers of Node; the process stays alive until they have run. For what must happen before it ends. */
export const persistentTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.ceil(delayMs));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`. */
export function delay(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(delayMs, resolve);
  });
}
