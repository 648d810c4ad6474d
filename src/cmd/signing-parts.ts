/** The parts of the controller process that keep the signing keys of agents. */

import type { ClusterView } from '../controllers/cluster-view.ts';
import type { EventSink } from '../controllers/event-sink.ts';
import type { ActPorts } from '../controllers/identity/act.ts';
import { Attempts } from '../controllers/identity/attempts.ts';
import type { SigningPort } from '../controllers/identity/context.ts';
import { SigningKeeper } from '../controllers/signing/keep-keys.ts';
import { KeyMemory } from '../controllers/signing/key-memory.ts';
import { PublishedKeyChanges } from '../controllers/signing/published-keys.ts';
import { SigningEvents, type SigningObserver } from '../controllers/signing/signing-events.ts';
import { SIGNING_SECRET_TYPE } from '../domain/signing/facts.ts';

/** What the parts are made of. */
export interface SigningPartsOptions extends Pick<ActPorts, 'client' | 'writer' | 'judge'> {
  readonly view: ClusterView;
  readonly recorder: EventSink;
  readonly observer: SigningObserver;
  readonly nowMs: () => number;
}

/** The parts; nothing runs yet. */
export interface SigningParts {
  /** For the reconcile of identities. */
  readonly port: SigningPort;
  /** For whoever publishes the keys. */
  readonly changes: PublishedKeyChanges;
  /** Takes own writes of Secrets into the caches, and tells of those with signing keys. */
  readonly observe: ActPorts['observe'];
  readonly observeDeleted: ActPorts['observeDeleted'];
}

/** Builds them. Call before the caches start. */
export function signingParts(options: SigningPartsOptions): SigningParts {
  const { view, client, writer, judge, recorder, observer, nowMs } = options;
  const changes = new PublishedKeyChanges(view);
  const observe: ActPorts['observe'] = (secret) => {
    const { namespace = '' } = secret.metadata;
    view.governed(namespace)?.secrets.observe(secret);
    if (secret.type === SIGNING_SECRET_TYPE) changes.tell(namespace);
  };
  const events = new SigningEvents(recorder, observer);
  const keeper = { client, writer, judge, observe, nowMs, events };
  return {
    port: new SigningKeeper({ ...keeper, attempts: new Attempts(), memory: new KeyMemory() }),
    changes,
    observe,
    observeDeleted: ({ metadata, signing }) => {
      const { namespace = '' } = metadata;
      view.governed(namespace)?.secrets.observeDeleted(metadata);
      if (signing !== undefined) changes.tell(namespace);
    },
  };
}
