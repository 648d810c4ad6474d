/** What must be true of every Secret of an AgentIdentity, whatever it holds. */

import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { ANNOTATION_OWNER_UID, LABEL_AGENT, LABEL_MANAGED } from '../../src/api/group.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';

/** A kind of Secret, and how sentences call it. */
export interface WantedSecret {
  readonly called: string;
  readonly type: string;
  /** Sorted. */
  readonly keys: readonly string[];
}

/** One entry of a Secret's data as text. */
export function textOf(secret: Secret | undefined, key: string): string {
  return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
}

/** Everything that is wrong with a Secret around its content. */
export function auditSecret(
  identity: AgentIdentity,
  { metadata, type, immutable, data = {} }: Secret,
  { called, type: wantedType, keys }: WantedSecret,
): readonly string[] {
  const { name, uid } = identity.metadata;
  const owner = metadata.ownerReferences?.find((reference) => reference.uid === uid);
  const { labels = {}, annotations = {} } = metadata;
  return wrong([
    [type === wantedType, `${called} is of type ${type}`],
    [immutable !== true, `${called} is immutable`],
    [metadata.deletionTimestamp === undefined, `${called} is being deleted`],
    [labels[LABEL_MANAGED] === 'true' && labels[LABEL_AGENT] === name, `the labels of ${called} are wrong`],
    [annotations[ANNOTATION_OWNER_UID] === uid, `${called} names another identity as its owner`],
    [owner?.kind === 'AgentIdentity' && owner.name === name, `the owner reference of ${called} is wrong`],
    [
      Object.keys(data).sort().join() === keys.join(),
      `${called} has the keys ${Object.keys(data).join(', ')}`,
    ],
  ]);
}

/** What does not hold. */
export function wrong(claims: readonly (readonly [boolean, string])[]): readonly string[] {
  return claims.filter(([holds]) => !holds).map(([, otherwise]) => otherwise);
}
