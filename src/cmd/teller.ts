/** Tells people about objects of the core group. */

import type { EventReason } from '../api/event-reasons.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { ObjectMeta } from '../kube/object.ts';

/** What happens to authorities in their course. */
const ORDINARY: readonly EventReason[] = [
  'AuthorityActivated',
  'AuthorityPrepared',
  'AuthorityRetired',
  'IssuerTrusted',
  'ReissueFinished',
  'ReissueStarted',
];

/** Makes the function that tells people about an object of the core group. */
export function teller(
  recorder: EventRecorder,
): (
  kind: string,
  metadata: ObjectMeta,
  event: { readonly reason: EventReason; readonly note: string },
) => void {
  return (kind, { name, namespace = '', uid = '' }, event) => {
    const type = ORDINARY.includes(event.reason) ? 'Normal' : 'Warning';
    const regarding = { apiVersion: 'v1', kind, name, namespace, uid };
    recorder.record({ regarding, type, action: 'Reconcile', ...event });
  };
}
