/** Handshakes between the pods of four agents while the authority rotates, and how many of them fail. */

import { affordableAcceleration } from '../../test/support/authority/prober-pace.ts';
import {
  MIN_HANDSHAKES,
  namespacesOf,
  PROBED_AGENTS,
  probeRotation,
  putAgedAuthority,
  rotationFlags,
} from '../../test/support/authority/prober-rotation.ts';
import { installChart } from '../operator/install-chart.ts';
import { startBenchOperator, withBenchCluster } from './bench-cluster.ts';
import type { BenchRow } from './row.ts';

const WORLD = { agents: PROBED_AGENTS, seed: 1 };
const START_TIMEOUT_MS = 60_000;

/** Measures one rotation. What failed is printed, a line for each. */
export async function probedRows(): Promise<readonly BenchRow[]> {
  const found = await withBenchCluster(async (cluster) => {
    const { controlPlane, client } = cluster;
    const namespaces = namespacesOf(WORLD);
    for (const namespace of namespaces) await controlPlane.kubectl(['create', 'namespace', namespace]);
    await installChart({ kubeconfigPath: controlPlane.kubeconfigPath, namespaces });
    const acceleration = await affordableAcceleration();
    const outgoing = await putAgedAuthority(client, acceleration);
    const operator = await startBenchOperator(cluster, {
      namespace: namespaces.join(','),
      flags: rotationFlags({ acceleration }),
      isReady: (each) => each.isReady(),
      timeoutMs: START_TIMEOUT_MS,
    });
    try {
      return await probeRotation({ ...WORLD, acceleration, client, outgoing });
    } finally {
      await operator.stop();
    }
  });
  console.log(found.summary);
  for (const failure of found.failures) console.log(failure);
  for (const stall of found.stalls) console.log(stall);
  const goal = `at least ${MIN_HANDSHAKES.toLocaleString('en')} in one rotation`;
  return [
    { name: 'handshakes', value: found.handshakes, unit: 'handshakes', goal },
    { name: 'failed-handshakes', value: found.failed, unit: 'handshakes', goal: '0' },
  ];
}
