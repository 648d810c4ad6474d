/** A real API server and etcd for the tests of a suite. */

import { after, before } from 'mocha';
import {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
} from '../../hack/control-plane/control-plane.ts';
import { ensureTools } from '../../hack/control-plane/tools.ts';

const BUILD_TIMEOUT_MS = 30 * 60_000;

/**
 * Starts a control plane before the tests of the suite it is called in and stops it after them.
 *
 * @returns a function that returns the control plane; to be called in tests and hooks, not before.
 */
export function useControlPlane(options: ControlPlaneOptions = {}): () => ControlPlane {
  let running: ControlPlane | undefined;

  before(async function () {
    this.timeout(BUILD_TIMEOUT_MS);
    await ensureTools();
    running = await startControlPlane(options);
  });

  after(async () => {
    await running?.stop();
  });

  return () => {
    if (running === undefined) throw new Error('the control plane starts before the first test, not earlier');
    return running;
  };
}
