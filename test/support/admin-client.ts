/** A client of a test's control plane with every right. */

import type { ControlPlane } from '../../hack/control-plane/control-plane.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { loadCredentials } from '../../src/kube/credentials.ts';
import { Transport } from '../../src/kube/transport.ts';

/** The client, and how to end its connections. */
export interface AdminClient {
  readonly client: KubeClient;
  close(): Promise<void>;
}

/** For setting things up and for looking at them: RBAC does not apply to it. */
export async function adminClient(controlPlane: ControlPlane): Promise<AdminClient> {
  const transport = new Transport({
    credentials: await loadCredentials({ kubeconfig: controlPlane.kubeconfigPath }),
    product: { name: 'agent-trust-test', version: '0' },
    connections: 32,
  });
  const client = new KubeClient({ transport, fieldManager: 'agent-trust-test' });
  return { client, close: () => transport.close() };
}
