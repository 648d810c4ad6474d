/** A real API server and etcd for the tests of a suite. */

import { after, before } from 'mocha';
import {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
} from '../../hack/control-plane/control-plane.ts';
import { ensureTools } from '../../hack/control-plane/tools.ts';

const BUILD_TIMEOUT_MS = 30 * 60_000;
const TEST_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

/**
 * Starts a control plane before the tests of the suite it is called in and stops it after them.
 *
 * Gives each of these tests 60 s, because what goes through an API server takes its time on a busy machine; those whose suite
 * gives them more keep that.
 *
 * @returns a function that returns the control plane; to be called in tests and hooks, not before.
 */
export function useControlPlane(options: ControlPlaneOptions = {}): () => ControlPlane {
  let running: ControlPlane | undefined;

  before(async function () {
    this.timeout(BUILD_TIMEOUT_MS);
    this.test?.parent?.eachTest((test) => test.timeout(Math.max(test.timeout(), TEST_TIMEOUT_MS)));
    await ensureTools();
    this.timeout(TEST_TIMEOUT_MS * 2);
    running = await startControlPlane(options);
  });

  after(async function () {
    this.timeout(STOP_TIMEOUT_MS);
    await running?.stop();
  });

  return () => {
    if (running === undefined) throw new Error('the control plane starts before the first test, not earlier');
    return running;
  };
}
