/** The files of an agent as its pods see them: one volume, where it is mounted, and the variable that says so. */

import { isDeepStrictEqual } from 'node:util';
import { SECRET_KEYS } from '../certificate/facts.ts';
import type { EnvShape, MountShape, VolumeShape } from './shape.ts';

/** The agent that a pod runs as. */
export interface AgentOfPod {
  readonly serviceAccountName: string;
  /** Secret with its certificate. */
  readonly certificateSecret: string;
  /** ConfigMap with the trust bundle of the namespace. */
  readonly bundleConfigMap: string;
}

/** Where the files are. */
export const AGENT_DIRECTORY = '/var/run/agent-trust';
/** Name of the volume. */
export const FILES_VOLUME = 'agent-trust';
/** Variable with `AGENT_DIRECTORY`. */
export const DIRECTORY_VARIABLE = 'AGENT_TRUST_DIR';
/** Group of the files in pods that name none: without one only root could read them. That of distroless `nonroot`. */
export const FILES_GROUP = 65532;
/** Annotation of a pod: names of the containers that get the files, separated by commas. */
export const ANNOTATION_CONTAINERS = 'agenttrust.dev/containers';

const FILE_MODE = 0o440;

/** How each chosen container mounts it. */
export const FILES_MOUNT: MountShape = { name: FILES_VOLUME, mountPath: AGENT_DIRECTORY, readOnly: true };
/** What each chosen container is told. */
export const FILES_ENV: EnvShape = { name: DIRECTORY_VARIABLE, value: AGENT_DIRECTORY };

/** The volume. No source is optional: a pod waits for what is not there yet. */
export function filesVolume({ certificateSecret, bundleConfigMap }: AgentOfPod): VolumeShape {
  return {
    name: FILES_VOLUME,
    projected: {
      defaultMode: FILE_MODE,
      sources: [
        { secret: source(certificateSecret, 'tls', Object.values(SECRET_KEYS)) },
        { configMap: source(bundleConfigMap, 'bundle', [SECRET_KEYS.trustBundle]) },
      ],
    },
  };
}

/** Whether a volume is the one that `agent` gets. */
export function isFilesVolume(volume: VolumeShape, agent: AgentOfPod): boolean {
  return isDeepStrictEqual(volume, filesVolume(agent));
}

/** Whether a mount is ours: of the whole volume, at its place. */
export function isFilesMount({ name, mountPath, readOnly, subPath, subPathExpr }: MountShape): boolean {
  return (
    name === FILES_VOLUME &&
    mountPath === AGENT_DIRECTORY &&
    readOnly === true &&
    subPath === undefined &&
    subPathExpr === undefined
  );
}

function source(name: string, folder: string, keys: readonly string[]): object {
  return { name, optional: false, items: keys.map((key) => ({ key, path: `${folder}/${key}` })) };
}
