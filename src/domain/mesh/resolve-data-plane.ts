/** What carries the traffic to an agent, as the labels of its namespace and its Service say. Source: Istio, labels. */

import type { DataPlane } from './model.ts';

/**
 * Decides it.
 *
 * @param labels Of the namespace.
 * @param serviceWaypoint Label `istio.io/use-waypoint` of the agent's Service; it goes before that of the namespace.
 */
export function dataPlaneOf(
  labels: Readonly<Record<string, string>>,
  serviceWaypoint: string | undefined,
): DataPlane {
  if (labels['istio-injection'] === 'enabled') return 'sidecar';
  if (labels['istio.io/dataplane-mode'] === 'ambient') {
    const waypoint = serviceWaypoint ?? labels['istio.io/use-waypoint'] ?? 'none';
    return waypoint === 'none' || waypoint === '' ? 'ambient' : 'waypoint';
  }
  const isRevision = labels['istio.io/rev'] !== undefined && labels['istio-injection'] === undefined;
  return isRevision ? 'sidecar' : 'none';
}
