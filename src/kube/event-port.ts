/** The recorder's calls, made with the Kubernetes client. */

import type { KubeClient } from './client.ts';
import { EVENT } from './core-types.ts';
import type { EventPort } from './events.ts';

/** The calls for events, in whatever namespace they belong to. */
export function eventPort(client: KubeClient): EventPort {
  return {
    create: (event, signal) => client.create(EVENT, event, { signal }),
    patchSeries: (target, series, signal) =>
      client.mergePatch(EVENT, { ...target, patch: { series } }, { signal }),
  };
}
