/** A namespace that takes no ConfigMap, since its quota has no room for one. */

import type { ControlPlane } from '../../../hack/control-plane/control-plane.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/object.ts';
import { eventually } from '../eventually.ts';

/** The one quota in it is called `full`. */
export const RESOURCE_QUOTA: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'resourcequotas',
  kind: 'ResourceQuota',
  namespaced: true,
};

/** Puts the quota there; resolves when it is in force. The namespace has no ConfigMap yet. */
export async function fillNamespace(
  controlPlane: ControlPlane,
  client: KubeClient,
  namespace: string,
): Promise<void> {
  const hard = { configmaps: '0' };
  const quota: KubeObject & { readonly spec: object } = {
    metadata: { name: 'full', namespace },
    spec: { hard },
  };
  await client.create<KubeObject>(RESOURCE_QUOTA, quota);
  // In place of the controller that counts.
  await controlPlane.kubectl([
    ...['patch', 'resourcequota', 'full', `--namespace=${namespace}`, '--subresource=status', '--type=merge'],
    `--patch=${JSON.stringify({ status: { hard, used: hard } })}`,
  ]);
  await eventually('the quota to be in force', async () => {
    try {
      await client.create(CONFIG_MAP, { metadata: { name: `room-${performance.now()}`, namespace } });
      return false;
    } catch (error) {
      return isKubeError(error, 'KUBE_FORBIDDEN');
    }
  });
}
