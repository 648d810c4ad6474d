/** The one policy in Istio's root namespace that cuts killed agents off from everybody: one write, whatever they call. */

import { nobody } from './authorization-policy.ts';
import type { MeshObject } from './model.ts';

/** Its name; nobody else may use it. */
export const KILL_POLICY_NAME = 'at-kill';

/**
 * Denies these principals everywhere. Without any it denies one that nobody has: a policy that is always there is changed
 * by one write.
 *
 * @param principals Without `spiffe://`.
 */
export function planKill(
  principals: Iterable<string>,
  place: {
    readonly rootNamespace: string;
    readonly trustDomain: string;
    readonly labels: Readonly<Record<string, string>>;
  },
): MeshObject {
  const killed = [...new Set(principals)].sort();
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: {
      name: KILL_POLICY_NAME,
      namespace: place.rootNamespace,
      labels: place.labels,
      annotations: {},
    },
    spec: {
      action: 'DENY',
      rules: [
        { from: [{ source: { principals: killed.length === 0 ? [nobody(place.trustDomain)] : killed } }] },
      ],
    },
  };
}
