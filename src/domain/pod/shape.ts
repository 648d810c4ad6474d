/** A pod as it is sent to the API server, the fields that decide where an agent's files go. */

/** The pod. What the API server leaves out is absent; `containers` of a pod without any is null. */
export interface PodShape {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly serviceAccountName?: string;
    readonly hostNetwork?: boolean;
    readonly os?: { readonly name?: string };
    readonly securityContext?: { readonly fsGroup?: number };
    readonly containers?: readonly ContainerShape[] | null;
    readonly initContainers?: readonly ContainerShape[];
    readonly volumes?: readonly VolumeShape[];
  };
}

/** A container or an init container; a native sidecar is one of the latter. */
export interface ContainerShape {
  readonly name: string;
  readonly volumeMounts?: readonly MountShape[];
  readonly env?: readonly EnvShape[];
}

/** A place where a volume is seen in a container. */
export interface MountShape {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  readonly subPath?: string;
  readonly subPathExpr?: string;
}

/** An environment variable. */
export interface EnvShape {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

/** A volume: its name, and under the name of its kind what it is made of. */
export interface VolumeShape {
  readonly name: string;
  readonly [kind: string]: unknown;
}
