/** Keeps the delegation graph as the caches have it, and tells what each change of an object changes in it. */

import { isDeepStrictEqual } from 'node:util';
import type { AgentIdentity } from '../api/agent-identity.ts';
import type { AgentId, PolicyId } from '../domain/delegation/facts.ts';
import {
  DelegationGraph,
  type EdgeId,
  type GraphChange,
  type GraphOptions,
} from '../domain/delegation/graph.ts';
import { resolveBoundary } from '../domain/delegation/resolve-boundary.ts';
import { type Clock, systemClock } from '../kube/clock.ts';
import type { Key } from '../kube/object.ts';
import type { DelegationView } from './delegation-view.ts';
import { agentFacts, judgedPolicy } from './graph-facts.ts';
import { type IdentityView, identitiesOnAccountOf } from './identity-view.ts';

/** Told of what differs, after the graph has it. */
export type GraphListener = (change: GraphChange) => void;

/** Where the book reports to. None of the functions may throw. */
export interface GraphObserver {
  /** The change of one object was carried over into the graph. */
  updated(seconds: number): void;
}

/** What the graph is fed from. */
export interface GraphBookOptions extends GraphOptions {
  readonly view: IdentityView;
  readonly delegation: DelegationView;
  readonly clock?: Clock;
  readonly observer?: GraphObserver;
}

/** Connected with the caches from its making on; make it before they start. */
export class GraphBook {
  readonly graph: DelegationGraph;
  readonly #options: GraphBookOptions;
  readonly #clock: Clock;
  readonly #listeners = new Set<GraphListener>();
  readonly #completenessListeners = new Set<() => void>();
  #untold = noChange();

  constructor(options: GraphBookOptions) {
    const { view, delegation, clock = systemClock, boundaryRequired = false } = options;
    this.#options = options;
    this.#clock = clock;
    this.graph = new DelegationGraph({ boundaryRequired });
    view.identities.onChange((_key, current, previous) => {
      if (!isSameWish(current, previous)) this.#update(this.#identitiesChanged(current, previous));
    });
    delegation.policies.onChange((key, current, previous) => {
      if (!isSameWish(current, previous)) this.#update([() => this.#policyChanged(key as PolicyId)]);
    });
    delegation.boundaries.onChange((name, current, previous) => {
      if (!isSameWish(current, previous)) this.#update([() => this.#boundaryChanged(name)]);
    });
    delegation.namespaces.onChange((name) => this.#update([() => this.#namespaceChanged(name)]));
    for (const cache of [view.identities, ...delegation.caches()]) {
      cache.onStateChange(() => {
        this.#tell();
        for (const listener of this.#completenessListeners) listener();
      });
    }
  }

  /** Whether everything has been listed once. Before, the graph lacks what may grant as well as what may limit. */
  get isComplete(): boolean {
    return this.missing.length === 0;
  }

  /** Plurals of the kinds that have not been listed yet. */
  get missing(): readonly string[] {
    const { view, delegation } = this.#options;
    const sources = {
      agentidentities: view.identities,
      delegationpolicies: delegation.policies,
      capabilityboundaries: delegation.boundaries,
      namespaces: delegation.namespaces,
    };
    return Object.entries(sources)
      .filter(([, cache]) => !cache.hasSynced)
      .map(([plural]) => plural);
  }

  /** Calls `listener` for every change from now on; nothing is told before the graph is complete, then all at once. */
  onChange(listener: GraphListener): void {
    this.#listeners.add(listener);
  }

  /** Calls `listener` when `missing` may have changed. */
  onCompletenessChange(listener: () => void): void {
    this.#completenessListeners.add(listener);
  }

  /** Whoever shares the ServiceAccount may gain or lose by it. */
  #identitiesChanged(
    current: AgentIdentity | undefined,
    previous: AgentIdentity | undefined,
  ): readonly (() => GraphChange)[] {
    const keys = new Set<Key>();
    for (const identity of [current, previous]) {
      if (identity === undefined) continue;
      const { namespace, name } = identity.metadata;
      keys.add(`${namespace}/${name}`);
      for (const key of identitiesOnAccountOf(this.#options.view, identity)) keys.add(key);
    }
    return [...keys].map((key) => () => this.#identityChanged(key as AgentId));
  }

  #identityChanged(id: AgentId): GraphChange {
    const { view } = this.#options;
    const identity = view.identities.get(id);
    return identity === undefined
      ? this.graph.removeAgent(id)
      : this.graph.putAgent(agentFacts(view, identity));
  }

  #policyChanged(id: PolicyId): GraphChange {
    const { view, delegation } = this.#options;
    const policy = delegation.policies.get(id);
    const judged = policy === undefined ? undefined : judgedPolicy(view, policy);
    return judged?.kind === 'accepted' ? this.graph.putPolicy(judged.facts) : this.graph.removePolicy(id);
  }

  #boundaryChanged(name: string): GraphChange {
    const boundary = this.#options.delegation.boundaries.get(name);
    return boundary === undefined
      ? this.graph.removeBoundary(name)
      : this.graph.putBoundary(resolveBoundary(name, boundary.spec).facts);
  }

  #namespaceChanged(name: string): GraphChange {
    const namespace = this.#options.delegation.namespaces.get(name);
    return namespace === undefined
      ? this.graph.removeNamespace(name)
      : this.graph.putNamespace(name, namespace.labels);
  }

  #update(steps: readonly (() => GraphChange)[]): void {
    const startedMs = this.#clock.monotonicMs();
    for (const step of steps) addTo(this.#untold, step());
    this.#options.observer?.updated((this.#clock.monotonicMs() - startedMs) / 1000);
    this.#tell();
  }

  #tell(): void {
    if (!this.isComplete) return;
    const change = this.#untold;
    if (change.edges.size + change.targets.size + change.policies.size === 0) return;
    this.#untold = noChange();
    for (const listener of this.#listeners) listener(change);
  }
}

interface GrowingChange extends GraphChange {
  readonly edges: Set<EdgeId>;
  readonly targets: Set<AgentId>;
  readonly policies: Set<PolicyId>;
}

function noChange(): GrowingChange {
  return { edges: new Set(), targets: new Set(), policies: new Set() };
}

function addTo(sum: GrowingChange, { edges, targets, policies }: GraphChange): void {
  for (const edge of edges) sum.edges.add(edge);
  for (const target of targets) sum.targets.add(target);
  for (const policy of policies) sum.policies.add(policy);
}

/** Only what people ask for counts here; statuses are written by the thousand. */
function isSameWish(current: Wish | undefined, previous: Wish | undefined): boolean {
  if (current === undefined || previous === undefined) return false;
  return (
    current.metadata.deletionTimestamp === previous.metadata.deletionTimestamp &&
    isDeepStrictEqual(current.spec, previous.spec)
  );
}

interface Wish {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly spec: unknown;
}
