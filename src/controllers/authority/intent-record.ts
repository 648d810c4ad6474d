/** ConfigMap `agent-trust-authority`: what administrators ask for. The operator only reads it. */

import { type ReadIntent, readIntent } from '../../domain/authority/intent.ts';
import type { ObjectMeta } from '../../kube/object.ts';
import type { ConfigMap } from '../bundle/bundle-record.ts';

/** What is kept of the ConfigMap. */
export interface IntentRecord extends ReadIntent {
  readonly metadata: ObjectMeta;
}

/** Projects it. */
export function intentRecord({ metadata, data = {} }: ConfigMap): IntentRecord {
  const { name, namespace = '', uid = '', resourceVersion = '' } = metadata;
  return { metadata: { name, namespace, uid, resourceVersion }, ...readIntent(data) };
}
