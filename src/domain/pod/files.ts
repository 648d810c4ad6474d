/** The files of an agent as its pods see them: one volume, where it is mounted, and the variable that says so. */

import { isDeepStrictEqual } from 'node:util';
import { CRL_FILE, MAX_PARTS, REVOCATIONS_FILE, SIGNATURE_FILE } from '../bundle/files.ts';
import { SECRET_KEYS } from '../certificate/facts.ts';
import { MOUNTED_SIGNING_DATA } from '../signing/facts.ts';
import type { EnvShape, MountShape, VolumeShape } from './shape.ts';

/** The agent that a pod runs as. */
export interface AgentOfPod {
  readonly serviceAccountName: string;
  /** Secret with its certificate. */
  readonly certificateSecret: string;
  /** Secret with its signing keys. */
  readonly signingSecret: string;
  /** ConfigMap with the bundle of the namespace; one that is too large for it goes on in others of its name and a number. */
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
const BUNDLE_FILES = [
  SECRET_KEYS.trustBundle,
  CRL_FILE,
  'jwks.json',
  'policy.json',
  REVOCATIONS_FILE,
  SIGNATURE_FILE,
] as const;
const FURTHER_PARTS: readonly number[] = Array.from({ length: MAX_PARTS - 1 }, (_, at) => at + 1);

/** How each chosen container mounts it. */
export const FILES_MOUNT: MountShape = { name: FILES_VOLUME, mountPath: AGENT_DIRECTORY, readOnly: true };
/** What each chosen container is told. */
export const FILES_ENV: EnvShape = { name: DIRECTORY_VARIABLE, value: AGENT_DIRECTORY };

/** The volume. A pod waits for what is not there yet, but for the parts of a bundle that only a large one has. */
export function filesVolume({ certificateSecret, signingSecret, bundleConfigMap }: AgentOfPod): VolumeShape {
  const sources: readonly object[] = [
    { secret: source(certificateSecret, 'tls', Object.values(SECRET_KEYS)) },
    { secret: source(signingSecret, 'signing', MOUNTED_SIGNING_DATA) },
    { configMap: source(bundleConfigMap, 'bundle', BUNDLE_FILES) },
    ...FURTHER_PARTS.map((part) => ({
      configMap: {
        ...source(`${bundleConfigMap}-${part}`, 'bundle', [`jwks-${part}.json`, `policy-${part}.json`]),
        optional: true,
      },
    })),
  ];
  return { name: FILES_VOLUME, projected: { defaultMode: FILE_MODE, sources } };
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
