/** A cluster for one probed rotation, and operators on it, as processes of their own. */

import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '../../../hack/control-plane/control-plane.ts';
import { type OperatorProcess, startOperatorProcess } from '../../../hack/operator/operator-process.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { OPERATOR_ACCOUNT } from '../operator.ts';
import { startSwarm } from '../swarm.ts';
import { namespacesOf, type RotationWorld } from './prober-rotation.ts';

/** What there is on it: the chart, and the namespaces of a world. */
export interface ProbedCluster {
  readonly controlPlane: ControlPlane;
  readonly client: KubeClient;
  /** One more operator of these namespaces; it ends with the cluster at the latest. */
  readonly startOperator: (flags: readonly string[]) => Promise<OperatorProcess>;
}

/** Starts one, and ends it with all that runs on it when `use` is done. */
export async function withProbedCluster<T>(
  world: Pick<RotationWorld, 'agents'>,
  use: (cluster: ProbedCluster) => Promise<T>,
): Promise<T> {
  const controlPlane = await startControlPlane();
  try {
    const namespaces = namespacesOf(world);
    const swarm = await startSwarm(controlPlane, namespaces);
    const operators = new Operators(controlPlane, namespaces);
    try {
      return await use({
        controlPlane,
        client: swarm.client,
        startOperator: (flags) => operators.start(flags),
      });
    } finally {
      await operators.stop();
      await swarm.admin.close();
    }
  } finally {
    await controlPlane.stop();
  }
}

class Operators {
  readonly #controlPlane: ControlPlane;
  readonly #namespaces: readonly string[];
  readonly #started: Promise<OperatorProcess>[] = [];
  #isOver = false;

  constructor(controlPlane: ControlPlane, namespaces: readonly string[]) {
    this.#controlPlane = controlPlane;
    this.#namespaces = namespaces;
  }

  async start(flags: readonly string[]): Promise<OperatorProcess> {
    const { server, directory } = this.#controlPlane;
    const serviceAccountDirectory = await this.#controlPlane.serviceAccountDirectory(OPERATOR_ACCOUNT);
    if (this.#isOver) throw new Error('the cluster of the operator is gone');
    const started = startOperatorProcess({
      server,
      serviceAccountDirectory,
      flags: [`--namespaces=${this.#namespaces.join()}`, ...flags],
      logPath: join(directory, 'operators.log'),
    });
    this.#started.push(started);
    return started;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    const found = await Promise.allSettled(this.#started);
    await Promise.all(
      found.map((each) => (each.status === 'fulfilled' ? each.value.stop() : Promise.resolve())),
    );
  }
}
