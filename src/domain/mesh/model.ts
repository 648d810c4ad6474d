/** What mesh policy is rendered from, and what is rendered: one set of objects for each target agent. */

/** The role of a rendered object; at most one object of each role for an agent. */
export type MeshRole = 'allow' | 'fence' | 'verify' | 'mtls' | 'net' | 'dryallow' | 'dryfence';

/** A ServiceAccount. */
export interface Account {
  readonly namespace: string;
  readonly serviceAccountName: string;
}

/** An agent that may delegate to the target, with the names of what it may delegate. */
export interface Delegator extends Account {
  readonly capabilities: readonly string[];
}

/** A route of the target's server. */
export interface Route {
  readonly method: string;
  /** A path, or one with `{name}` for a segment. */
  readonly path: string;
  /** Only delegators of this capability; absent means every delegator. */
  readonly capability?: string;
}

/** Callers that are not agents; exact values, at least one path. */
export interface OutsideCaller {
  readonly accounts: readonly Account[];
  readonly ports: readonly number[];
  readonly methods: readonly string[];
  readonly paths: readonly string[];
}

/** An agent that is called. */
export interface MeshTarget {
  readonly namespace: string;
  /** Name of its AgentIdentity. */
  readonly name: string;
  readonly serviceAccountName: string;
  /**
   * `enforce`; `dry-run`: only recorded; `closed`: nobody may call (not valid); `killed`: nobody may call and it may call
   * nobody (suspended); `tombstone`: the same because the identity is gone.
   */
  readonly state: 'enforce' | 'dry-run' | 'closed' | 'killed' | 'tombstone';
  readonly port: number;
  /** With the MCP endpoint as a route of its own, `POST <path>` without capability. */
  readonly routes: readonly Route[];
  readonly callers: readonly OutsideCaller[];
  readonly delegators: readonly Delegator[];
  /** What every object of this target carries. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What carries the traffic of a target's namespace. `none`: no mesh. `waypoint`: ambient, behind a waypoint. */
export type DataPlane = 'none' | 'sidecar' | 'ambient' | 'waypoint';

/** What the cluster has, as far as it concerns one target. */
export interface MeshFacts {
  /** Without `spiffe://`. */
  readonly trustDomain: string;
  /** Whether the API server serves AuthorizationPolicy and PeerAuthentication of security.istio.io/v1. */
  readonly servesIstio: boolean;
  readonly dataPlane: DataPlane;
  /** Name of the ext_authz provider in Istio's mesh config, when tokens are checked in front of agents. */
  readonly authorizerProvider?: string;
}

/** A rendered object. `spec` is the whole spec, `labels` and `annotations` all of ours. */
export interface MeshObject {
  readonly apiVersion: 'security.istio.io/v1' | 'networking.k8s.io/v1';
  readonly kind: 'AuthorizationPolicy' | 'PeerAuthentication' | 'NetworkPolicy';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The objects of one target by role. */
export type MeshObjects = Readonly<Partial<Record<MeshRole, MeshObject>>>;

/** Something that people should know of a plan. */
export interface MeshNote {
  /** `WaypointNotYet`: closed, because the traffic comes through a waypoint; `LayerFourOnly`: methods and paths are not
   * enforced; `CallerIgnored`: a `callers` entry that would open a route or name an agent is left out; `RouteIgnored`: a
   * route that the mesh cannot match is left out. */
  readonly reason: 'WaypointNotYet' | 'LayerFourOnly' | 'CallerIgnored' | 'RouteIgnored';
  readonly message: string;
}

/** What should be on the server for one target. */
export interface MeshPlan {
  readonly objects: MeshObjects;
  readonly notes: readonly MeshNote[];
}

/** One write on the way from what is on the server to what should be. */
export type MeshWrite =
  | { readonly verb: 'put'; readonly role: MeshRole; readonly object: MeshObject }
  | { readonly verb: 'delete'; readonly role: MeshRole };
