/** What a reviewer knows, from real caches that a loopback server fills. */

import type { Known } from '../../src/admission/known.ts';
import type { AdmissionRequest } from '../../src/admission/review.ts';
import { DelegationView } from '../../src/cluster/delegation-view.ts';
import { GraphBook } from '../../src/cluster/graph-book.ts';
import { IdentityView } from '../../src/cluster/identity-view.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { json } from './loopback-server.ts';
import { startLoopback } from './loopback-transport.ts';

/** The plural of each kind that is read. */
export type KnownPlural = 'agentidentities' | 'delegationpolicies' | 'capabilityboundaries' | 'namespaces';

/** An object as the server sends it. */
export interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly spec?: object;
}

/** What is there, and what is never answered. */
export interface KnownLists extends Partial<Record<KnownPlural, readonly Stored[]>> {
  readonly unanswered?: KnownPlural;
}

/** What a reviewer knows, and how to end it. */
export interface KnownCluster {
  readonly known: Known;
  close(): Promise<void>;
}

/** Namespaces that are governed. */
const GOVERNED = ['ai', 'data'] as const;

/** An object of a namespace, or of the cluster, as it is stored. */
export function stored(id: string, spec: object, labels: Readonly<Record<string, string>> = {}): Stored {
  const [first = '', second] = id.split('/');
  const [namespace, name] = second === undefined ? [undefined, first] : [first, second];
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: `uid-${id}`,
      resourceVersion: '7',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels,
    },
    spec,
  };
}

/** Starts the caches and waits for all that is answered; namespaces have the label `zone` of their name. */
export async function startKnown(lists: KnownLists): Promise<KnownCluster> {
  const {
    unanswered,
    namespaces = GOVERNED.map((name) => stored(name, {}, { zone: name })),
    ...rest
  } = lists;
  const all: Partial<Record<string, readonly Stored[]>> = { ...rest, namespaces };
  const loopback = await startLoopback(
    (response, request) => {
      const plural = request.path.split('/').at(-1) ?? '';
      if (request.query['watch'] === '1')
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      else if (plural !== unanswered)
        json(200, { metadata: { resourceVersion: '9' }, items: all[plural] ?? [] })(response, request);
    },
    { tls: false },
  );
  const cache = { client: new KubeClient({ transport: loopback.transport, fieldManager: 'test' }) };
  const view = new IdentityView({ cache, namespaces: GOVERNED, operatorNamespace: 'agent-trust-system' });
  const delegation = new DelegationView({ cache });
  const book = new GraphBook({ view, delegation });
  const stop = new AbortController();
  const caches = [view.identities, ...delegation.caches()] as const;
  const running = Promise.all(caches.map((each) => each.start(stop.signal)));
  const answered = {
    agentidentities: view.identities,
    delegationpolicies: delegation.policies,
    capabilityboundaries: delegation.boundaries,
    namespaces: delegation.namespaces,
  };
  for (const [plural, each] of Object.entries(answered)) if (plural !== unanswered) await each.synced();
  return {
    known: { view, delegation, book },
    async close() {
      stop.abort();
      await running;
      await loopback.close();
    },
  };
}

/** The request to make an object. */
export function creation(object: Stored): AdmissionRequest {
  const { name, namespace } = object.metadata;
  return { uid: 'u-1', operation: 'CREATE', ...(namespace === undefined ? {} : { namespace }), name, object };
}

/** The request to change an object into another one. */
export function update(oldObject: Stored, object: Stored): AdmissionRequest {
  return { ...creation(object), operation: 'UPDATE', oldObject };
}
