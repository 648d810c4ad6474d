/** Policy objects as a test meets them, our own or foreign ones, and the call that is judged by them. */

/** An object of Kubernetes or Istio, read or rendered. */
export interface PolicyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    /** RFC 3339. Absent: younger than all that have one. */
    readonly creationTimestamp?: string;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A pod that is called. */
export interface CalledPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What carries its traffic; default `sidecar`. `ambient`: a ztunnel, no waypoint. */
  readonly dataPlane?: 'sidecar' | 'ambient';
  /** Trust domain of the mesh; with it `cluster.local` stands for it in principals, as a sidecar has it. */
  readonly trustDomain?: string;
}

/** A call to a pod. */
export interface MeshRequest {
  /** Proven by mutual TLS, without `spiffe://`; undefined: plain text. */
  readonly principal: string | undefined;
  /** Namespace of the calling pod. */
  readonly namespace: string;
  /** Labels of the calling pod. */
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
  readonly method: string;
  /** As Envoy has it after normalisation, without query. */
  readonly path: string;
  /** What the external authorizer would answer. */
  readonly tokenVerified: boolean;
}

/** Whether a call goes through. `reason` names the object that decided. */
export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

/** Namespace whose Istio policies are meant for the whole mesh. */
export const ROOT_NAMESPACE = 'istio-system';

/** `<kind> <namespace>/<name>`, for reasons. */
export function nameOf({ kind, metadata }: PolicyObject): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

/** Whether all labels of a `matchLabels` are there; an absent or empty one selects everything. */
export function hasLabels(
  labels: Readonly<Record<string, string>>,
  matchLabels: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
}
