/** Scenes for the tests of a suite, and calls in them. */

import { after, before } from 'mocha';
import { ensureEnvoy } from '../../../hack/envoy/envoy.ts';
import { ensureIstioFilters } from '../../../hack/istio-filters/istio-filters.ts';
import type { Account } from '../../../src/domain/mesh/model.ts';
import type { TlsIdentity } from './certificates.ts';
import type { MeshAnswer, MeshCall } from './mesh-client.ts';
import { MeshScenes, type Scene } from './mesh-scene.ts';

const BUILD_TIMEOUT_MS = 30 * 60_000;

/** A pod of a scene. */
export interface CalledPlace {
  readonly scene: number;
  readonly pod: Account;
  /** Default 8443. */
  readonly port?: number;
}

/**
 * Starts the scenes before the tests of the suite it is called in and ends them after.
 *
 * @returns a function that returns them; to be called in tests and hooks, not before.
 */
export function useScenes(scenes: () => readonly Scene[] | Promise<readonly Scene[]>): () => MeshScenes {
  let running: MeshScenes | undefined;

  before(async function () {
    this.timeout(BUILD_TIMEOUT_MS);
    await Promise.all([ensureEnvoy(), ensureIstioFilters()]);
    running = await MeshScenes.start(await scenes());
  });

  after(() => running?.stop());

  return () => {
    if (running === undefined) throw new Error('the scenes start before the first test, not earlier');
    return running;
  };
}

/** Makes calls over one connection; the answers in their order. `identity` undefined: without certificate. */
export async function callAll(
  scenes: MeshScenes,
  { place, identity }: { readonly place: CalledPlace; readonly identity: TlsIdentity | undefined },
  calls: readonly MeshCall[],
): Promise<readonly MeshAnswer[]> {
  const client = scenes.connect(place, identity);
  try {
    return await Promise.all(calls.map((call) => client.call(call)));
  } finally {
    await client.close();
  }
}
