/** What people wrote into a pod that the files of its agent cannot stand beside: small checks, each with a sentence. */

import { posix } from 'node:path';
import { LABEL_IDENTITY } from '../mesh/names.ts';
import type { PlacedContainer } from './containers.ts';
import {
  AGENT_DIRECTORY,
  type AgentOfPod,
  DIRECTORY_VARIABLE,
  FILES_VOLUME,
  isFilesMount,
  isFilesVolume,
} from './files.ts';
import type { MountShape, PodShape, VolumeShape } from './shape.ts';

/** Kinds of volumes that are mounted read-only whatever the mount says. */
const READ_ONLY_KINDS = ['configMap', 'secret', 'projected', 'downwardAPI', 'image'];

/** Of a pod, by name. */
type Volumes = ReadonlyMap<string, VolumeShape>;

/** What is wrong with the pod as a whole; each begins with the field and ends with the way out. */
export function podObstacles(pod: PodShape, agent: AgentOfPod): readonly string[] {
  return [foreignLabel(pod, agent), hostNetwork(pod), ...foreignVolumes(pod, agent)].filter(
    (problem) => problem !== undefined,
  );
}

/** What is wrong with the containers that are to get the files. */
export function containerObstacles(
  { spec }: PodShape,
  containers: readonly PlacedContainer[],
): readonly string[] {
  const volumes = new Map((spec?.volumes ?? []).map((volume) => [volume.name, volume]));
  return containers.flatMap((placed) => [...mountObstacles(placed, volumes), ...foreignVariables(placed)]);
}

function foreignLabel({ metadata }: PodShape, { serviceAccountName }: AgentOfPod): string | undefined {
  const label = metadata?.labels?.[LABEL_IDENTITY];
  if (label === undefined || label === serviceAccountName) return undefined;
  return `metadata.labels[${LABEL_IDENTITY}] is "${label}", and the pod runs as ServiceAccount ${serviceAccountName}. Take it out: the right one is put there by itself.`;
}

function hostNetwork({ spec }: PodShape): string | undefined {
  if (spec?.hostNetwork !== true) return undefined;
  return 'spec.hostNetwork is true, and no wall around an agent reaches the network of a node. Take it out, or run the pod as a ServiceAccount that is no agent.';
}

function foreignVolumes({ spec }: PodShape, agent: AgentOfPod): readonly string[] {
  return (spec?.volumes ?? []).flatMap((volume, index) =>
    volume.name === FILES_VOLUME && !isFilesVolume(volume, agent)
      ? [
          `spec.volumes[${index}] is called ${FILES_VOLUME}, the name of the volume with the files of the agent. Take it out if it holds them, since they are mounted by themselves; else give it another name.`,
        ]
      : [],
  );
}

function mountObstacles({ field, index, container }: PlacedContainer, volumes: Volumes): readonly string[] {
  return (container.volumeMounts ?? []).flatMap((mount, place) => {
    const problem = isFilesMount(mount) ? undefined : mountObstacle(mount, volumes);
    const where = `spec.${field}[${index}].volumeMounts[${place}] (container ${container.name})`;
    return problem === undefined ? [] : [`${where} ${problem}`];
  });
}

/**
 * A mount below ours would hide a part of it. One above does not hide it, since runtimes mount in the order of depth, but
 * in one that is read-only there is no place for ours, and the container would not start.
 */
function mountObstacle(mount: MountShape, volumes: Volumes): string | undefined {
  const path = absolute(mount.mountPath);
  if (path === AGENT_DIRECTORY) {
    return `is at ${mount.mountPath}, where the files of the agent go. Take it out if it holds them, since they are mounted by themselves (tls/tls.crt, tls/tls.key, signing/signing.key, bundle/ca.crt); else mount it somewhere else.`;
  }
  if (path.startsWith(`${AGENT_DIRECTORY}/`)) {
    return `is at ${mount.mountPath} and would hide files of the agent, which are in ${AGENT_DIRECTORY}. Mount it somewhere else.`;
  }
  if (!isAbove(path) || !isReadOnly(mount, volumes)) return undefined;
  return `is at ${mount.mountPath} and read-only, so that ${AGENT_DIRECTORY} cannot be made in it. Mount it somewhere else, or a writable volume in its place.`;
}

/** /var/run is a link to /run in most images. */
function absolute(mountPath: string): string {
  const path = posix.normalize(`/${mountPath}`).replace(/(?<=.)\/$/, '');
  return path === '/run' || path.startsWith('/run/') ? `/var${path}` : path;
}

function isAbove(path: string): boolean {
  return AGENT_DIRECTORY.startsWith(path === '/' ? path : `${path}/`);
}

function isReadOnly({ name, readOnly }: MountShape, volumes: Volumes): boolean {
  const volume = volumes.get(name) ?? {};
  return (
    readOnly === true ||
    // Ours, which may not be among them yet.
    name === FILES_VOLUME ||
    Object.entries(volume).some(
      ([kind, source]) =>
        READ_ONLY_KINDS.includes(kind) || (source as { readOnly?: boolean } | null)?.readOnly === true,
    )
  );
}

function foreignVariables({ field, index, container }: PlacedContainer): readonly string[] {
  return (container.env ?? []).flatMap(({ name, value }, place) =>
    name === DIRECTORY_VARIABLE && value !== AGENT_DIRECTORY
      ? [
          `spec.${field}[${index}].env[${place}] (container ${container.name}) sets ${DIRECTORY_VARIABLE} to something else than ${AGENT_DIRECTORY}. Take it out: it is set by itself.`,
        ]
      : [],
  );
}
