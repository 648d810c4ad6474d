/** A process for what runs inside the test's own: signals are calls, and its end is nobody's. */

import type { ProcessPort } from '../../src/kube/lifecycle.ts';

/** What a lifecycle is given, and the hand that sends it signals. */
export interface ProcessStub extends ProcessPort {
  /** As `kill -TERM` does; without effect while nobody listens. */
  terminate(): void;
}

/** Makes one. What nobody caught is mocha's to report. */
export function processStub(): ProcessStub {
  const signals = new Map<string, () => void>();
  return {
    onSignal(signal, listener) {
      signals.set(signal, listener);
      return () => signals.delete(signal);
    },
    onUncaught: () => () => {},
    exit: () => {},
    terminate: () => signals.get('SIGTERM')?.(),
  };
}
