/** The public keys of agents as their Secrets say, for whoever publishes them. */

import { BY_NAMESPACE, olderClaimant } from '../../cluster/identity-view.ts';
import type { AgentId } from '../../domain/delegation/facts.ts';
import { namesOf } from '../../domain/identity/resolve.ts';
import { publishedForm } from '../../domain/signing/keys.ts';
import type { PublishedKey } from '../../domain/token/state/jwks-file.ts';
import { keyOf, splitKey } from '../../kube/object.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { SecretRecord } from '../identity/secret-record.ts';
import { keysOf } from './signing-record.ts';

/** The keys of one agent, oldest first; never none. */
export interface AgentKeys {
  readonly agent: AgentId;
  readonly serviceAccountName: string;
  readonly keys: readonly PublishedKey[];
}

/** Called with a namespace in which the keys of an agent may have changed. */
export type KeysListener = (namespace: string) => void;

/**
 * The keys of the agents of a namespace: those that are Next, Active and Retiring. An agent without a good Secret, one that
 * is cut off or being deleted, and one whose ServiceAccount is another's, have none.
 */
export function* publishedKeys(view: ClusterView, namespace: string): Iterable<AgentKeys> {
  const governed = view.governed(namespace);
  if (governed === undefined) return;
  for (const key of view.identities.byIndex(BY_NAMESPACE, namespace)) {
    const identity = view.identities.get(key);
    if (identity === undefined || identity.metadata.deletionTimestamp !== undefined) continue;
    const { name, uid } = identity.metadata;
    const { serviceAccountName, signingSecretName } = namesOf(name, identity.spec);
    if (
      identity.spec.suspended === true ||
      olderClaimant(view, { ...identity.metadata, serviceAccountName }) !== undefined
    )
      continue;
    const record = governed.secrets.get(keyOf({ namespace, name: signingSecretName }));
    const keys = record === undefined ? [] : keysOf(record, uid).map(publishedForm);
    if (keys.length > 0) yield { agent: `${namespace}/${name}`, serviceAccountName, keys };
  }
}

/** Tells when keys may have changed: by others, as the caches of Secrets see it, and by own writes. */
export class PublishedKeyChanges {
  readonly #listeners = new Set<KeysListener>();

  /** Call before the caches start. */
  constructor(view: ClusterView) {
    for (const [, { secrets }] of view.entries()) {
      secrets.onChange((key, current, previous) => {
        if (holdsKeys(current) || holdsKeys(previous)) this.tell(splitKey(key).namespace ?? '');
      });
    }
  }

  /** Calls the listener from now on. */
  onChange(listener: KeysListener): void {
    this.#listeners.add(listener);
  }

  /** After an own write, of which the caches do not tell. */
  tell(namespace: string): void {
    for (const listener of this.#listeners) listener(namespace);
  }
}

function holdsKeys(record: SecretRecord | undefined): boolean {
  return record?.signing !== undefined;
}
