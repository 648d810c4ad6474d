/** The wall of an agent does not wait for an authority: what protects comes before what opens. */

import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { writes } from '../../support/proxied-request.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const isSecretWrite = writes('secrets');

describe('an operator that cannot keep an authority', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let cluster: MeshCluster;
  let proxy: FaultProxy;
  let operator: RunningOperator;

  before(async () => {
    cluster = new MeshCluster(swarm());
    const { server, caPath } = controlPlane();
    proxy = await startFaultProxy({ server, ca: await readFile(caPath, 'utf8') });
    proxy.inject({
      on: (request) => request.namespace === OPERATOR_NAMESPACE && isSecretWrite(request),
      fault: { kind: 'status', status: 503 },
    });
    await swarm().createAgent('walled');
    const via = { server: proxy.server, ca: proxy.ca };
    operator = await startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`], via });
  });
  after(async () => {
    await operator?.stop();
    await proxy?.close();
  });

  it('puts the wall around an agent all the same, and issues nothing', async () => {
    await cluster.objectsOf('walled', ['net']);
    expect(await swarm().secret('walled-tls')).to.equal(undefined);
  });
});
