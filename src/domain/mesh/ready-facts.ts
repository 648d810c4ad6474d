/** What is looked at to say whether the pods of an agent are behind its wall. */

import type { LabelSelector } from '../delegation/facts.ts';
import type { DataPlane } from './model.ts';
import type { PeerFacts } from './ready-peers.ts';

/** One thing that is not as it should be; `message` is a sentence or two with the way out. */
export interface Finding {
  /** PascalCase. */
  readonly reason: string;
  readonly message: string;
}

/** An object of somebody else that may select pods of agents. */
export interface ForeignObject {
  readonly namespace: string;
  readonly name: string;
  readonly selector: LabelSelector;
}

/** Everything that is looked at. */
export interface CoverageFacts {
  readonly namespace: string;
  readonly serviceAccountName: string;
  readonly port: number;
  /** Nothing is enforced, only recorded. */
  readonly isDryRun: boolean;
  readonly servesIstio: boolean;
  readonly dataPlane: DataPlane;
  /** Of the mesh. */
  readonly rootNamespace: string;
  /** Those that run as the ServiceAccount of the agent and have not ended. */
  readonly pods: readonly PodFacts[];
  /** AuthorizationPolicies of others with action ALLOW, of the namespace and of the root namespace. */
  readonly foreignAllows: readonly ForeignObject[];
  /** NetworkPolicies of others that let something in. */
  readonly foreignNetworkPolicies: readonly ForeignObject[];
  /** All of the namespace, ours too, and those of the root namespace. */
  readonly peers: readonly PeerFacts[];
  /** What rendering and the mesh's settings have to say. */
  readonly notes: readonly Finding[];
}

/** A pod that runs as the ServiceAccount of an agent and has not ended. */
export interface PodFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostNetwork: boolean;
  /** Whether a proxy of the mesh is seen to carry its traffic: in the pod, or a ztunnel of its node. */
  readonly isMeshed: boolean;
  /** Injection is turned off for it. */
  readonly isInjectionOff: boolean;
  /** Annotations that take traffic to it past the proxy. */
  readonly exclusions: readonly string[];
  /** What made it, as kubectl names it: `deployment/agent-deployer`. */
  readonly workload: string | undefined;
}
