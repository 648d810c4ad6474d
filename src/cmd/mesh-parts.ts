/** The parts of the controller process that keep the walls around agents. */

import type { Registry } from 'prom-client';
import type { DelegationView } from '../cluster/delegation-view.ts';
import type { GraphBook } from '../cluster/graph-book.ts';
import { type ClusterView, reasonsOf } from '../controllers/cluster-view.ts';
import type { EventSink } from '../controllers/event-sink.ts';
import type { MeshPort } from '../controllers/identity/context.ts';
import { buryObjects } from '../controllers/mesh/bury.ts';
import { MeshEvents } from '../controllers/mesh/mesh-events.ts';
import { MeshKeeper } from '../controllers/mesh/mesh-keeper.ts';
import { MeshView, type MeshViewOptions } from '../controllers/mesh/mesh-view.ts';
import { connectMesh } from '../controllers/mesh/triggers.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Controller } from '../kube/controller.ts';
import { meshMetrics } from '../observe/mesh-metrics.ts';
import type { ControllerConfig } from './config.ts';

/** What the parts are made of. */
export interface MeshPartsOptions extends Pick<MeshViewOptions, 'cache'> {
  readonly view: ClusterView;
  readonly delegation: DelegationView;
  readonly book: GraphBook;
  /** Its writes need the Lease. */
  readonly client: KubeClient;
  readonly recorder: EventSink;
  readonly registry: Registry;
  readonly nowMs: () => number;
  readonly config: Pick<
    ControllerConfig,
    'namespaces' | 'trustDomain' | 'meshRootNamespace' | 'authorizerProvider'
  >;
}

/** The parts; nothing runs yet. */
export interface MeshParts {
  readonly mesh: MeshView;
  /** For the reconcile of identities. */
  readonly port: MeshPort;
  /** Lets changes wake identities. Call before the caches start. */
  connect(identities: Pick<Controller, 'enqueue'>): void;
}

/** Builds them. */
export function meshParts(options: MeshPartsOptions): MeshParts {
  const { cache, view, delegation, book, client, recorder, registry, nowMs, config } = options;
  const { namespaces } = delegation;
  const mesh = new MeshView({
    cache,
    namespaces: config.namespaces,
    rootNamespace: config.meshRootNamespace,
  });
  const observer = meshMetrics(registry, {
    byReason: () => reasonsOf('MeshReady', view.identities.values()),
  });
  const events = new MeshEvents(recorder, observer);
  const ports = { view, mesh, namespaces, book, client, settings: config, events, nowMs };
  const keeper = new MeshKeeper(ports);
  return {
    mesh,
    port: {
      keep: (input, signal) => keeper.keep(input, signal),
      bury(key, signal) {
        keeper.forget(key);
        return buryObjects(ports, key, signal);
      },
    },
    connect: (identities) => connectMesh({ view, mesh, namespaces, book, identities }),
  };
}
