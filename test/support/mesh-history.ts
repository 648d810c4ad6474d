/**
 * Every state that the policies on a server went through, in order: the resource versions of all kinds are those of one
 * history, so that after each event of a watch stands what a writer that died there would have left behind.
 */

import type { PolicyObject as ServerObject } from '../../src/controllers/mesh/digest.ts';
import {
  AUTHORIZATION_POLICY,
  NETWORK_POLICY,
  PEER_AUTHENTICATION,
} from '../../src/controllers/mesh/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { apiVersionOf, keyOf, type ResourceType } from '../../src/kube/object.ts';
import { eventually } from './eventually.ts';
import type { PolicyObject } from './mesh/policy-object.ts';

/** One write, as the server tells of it. */
export interface HistoryStep {
  /** The object as it is then, or as it was when it went. */
  readonly object: PolicyObject;
  /** Everything that is there after it. */
  readonly after: readonly PolicyObject[];
}

interface WatchEvent {
  readonly type: string;
  readonly object: ServerObject;
}

interface Told {
  readonly version: bigint;
  readonly kind: string;
  readonly event: WatchEvent;
}

const KINDS: readonly ResourceType[] = [AUTHORIZATION_POLICY, PEER_AUTHENTICATION, NETWORK_POLICY];
const WATCH_SECONDS = 3_600;

/** Watches from its start on. */
export class MeshHistory {
  readonly #client: KubeClient;
  readonly #abort = new AbortController();
  readonly #current = new Map<string, PolicyObject>();
  #told: Told[] = [];
  #watches: readonly Promise<void>[] = [];
  #failure: unknown;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** Begins; nothing may be there yet. */
  async start(): Promise<void> {
    const lists = await Promise.all(KINDS.map((type) => this.#client.list(type)));
    this.#watches = KINDS.map((type, at) => this.#follow(type, lists[at]?.resourceVersion ?? ''));
  }

  /** An end that nobody asked for shows where the history is waited for. */
  async #follow(type: ResourceType, resourceVersion: string): Promise<void> {
    try {
      await this.#client.watch(type, {
        resourceVersion,
        timeoutSeconds: WATCH_SECONDS,
        signal: this.#abort.signal,
        onLine: (line) => this.#take(type, JSON.parse(line.toString()) as WatchEvent),
      });
    } catch (error) {
      this.#failure = error;
    }
  }

  /** Ends the watches. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#watches);
  }

  /** What happened since the last call. Waits until the watches have told all that is on the server now. */
  async steps(): Promise<readonly HistoryStep[]> {
    await this.#caughtUp();
    const told = this.#told.sort((a, b) => (a.version < b.version ? -1 : 1));
    this.#told = [];
    return told.map(({ kind, event }) => {
      const object = { ...event.object, kind } as unknown as PolicyObject;
      const key = `${kind} ${keyOf(event.object.metadata)}`;
      if (event.type === 'DELETED') this.#current.delete(key);
      else this.#current.set(key, object);
      return { object, after: [...this.#current.values()] };
    });
  }

  #take(type: ResourceType, event: WatchEvent): void {
    if (!['ADDED', 'MODIFIED', 'DELETED'].includes(event.type)) return;
    const { resourceVersion = '' } = event.object.metadata;
    const object = { ...event.object, apiVersion: apiVersionOf(type) };
    this.#told.push({ version: BigInt(resourceVersion), kind: type.kind, event: { ...event, object } });
  }

  async #caughtUp(): Promise<void> {
    const lists = await Promise.all(KINDS.map((type) => this.#client.list<ServerObject>(type)));
    const onServer = lists.flatMap(({ items }) => items.map(versionOf)).sort();
    await eventually('the watches to have told everything', () => {
      if (this.#failure !== undefined) throw this.#failure;
      const known = new Map(
        [...this.#current].map(([key, object]) => [key, object as unknown as ServerObject]),
      );
      for (const { kind, event } of this.#told.toSorted((a, b) => (a.version < b.version ? -1 : 1))) {
        const key = `${kind} ${keyOf(event.object.metadata)}`;
        if (event.type === 'DELETED') known.delete(key);
        else known.set(key, event.object);
      }
      return [...known.values()].map(versionOf).sort().join() === onServer.join();
    });
  }
}

function versionOf({ metadata }: ServerObject): string {
  return `${metadata.uid} ${metadata.resourceVersion}`;
}
