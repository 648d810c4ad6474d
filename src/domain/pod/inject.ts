/** Gives a pod the files of the agent that it runs as: one pure function, so that whatever admits pods can carry it out. */

import { LABEL_IDENTITY } from '../mesh/names.ts';
import { chooseContainers, type PlacedContainer } from './containers.ts';
import {
  type AgentOfPod,
  DIRECTORY_VARIABLE,
  FILES_ENV,
  FILES_GROUP,
  FILES_MOUNT,
  FILES_VOLUME,
  filesVolume,
  isFilesMount,
} from './files.ts';
import { type AddOperation, addField, append, prepend } from './json-patch.ts';
import { containerObstacles, podObstacles } from './obstacles.ts';
import type { PodShape } from './shape.ts';

/** What becomes of the pod. */
export type Injection =
  | { readonly kind: 'patch'; readonly patch: readonly AddOperation[] }
  /** It has everything already. */
  | { readonly kind: 'unchanged' }
  /** All that stands in the way, in a stable order: field, what, way out. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/**
 * Decides what is added to a pod: the label, the volume, its mount and the variable in the chosen containers, and a group
 * that may read the files. Nothing that others wrote is changed or taken out. Applied and asked again, also after others
 * have added containers, it answers `unchanged`.
 */
export function injectFiles(pod: PodShape, agent: AgentOfPod): Injection {
  const choice = chooseContainers(pod);
  const containers = choice.kind === 'chosen' ? choice.containers : [];
  const problems = [
    ...podObstacles(pod, agent),
    ...(choice.kind === 'refused' ? [choice.message] : []),
    ...containerObstacles(pod, containers),
  ];
  if (problems.length > 0) return { kind: 'refused', problems };
  const patch = [
    label(pod, agent),
    group(pod),
    volume(pod, agent),
    ...containers.flatMap((container) => [mount(container), variable(container)]),
  ].filter((operation) => operation !== undefined);
  return patch.length === 0 ? { kind: 'unchanged' } : { kind: 'patch', patch };
}

function label({ metadata }: PodShape, { serviceAccountName }: AgentOfPod): AddOperation | undefined {
  const labels = metadata?.labels;
  if (labels?.[LABEL_IDENTITY] !== undefined) return undefined;
  return addField(labels, ['metadata', 'labels'], [LABEL_IDENTITY, serviceAccountName]);
}

function group({ spec = {} }: PodShape): AddOperation | undefined {
  if (spec.os?.name === 'windows' || spec.securityContext?.fsGroup !== undefined) return undefined;
  return addField(spec.securityContext, ['spec', 'securityContext'], ['fsGroup', FILES_GROUP]);
}

function volume({ spec }: PodShape, agent: AgentOfPod): AddOperation | undefined {
  const volumes = spec?.volumes;
  if (volumes?.some(({ name }) => name === FILES_VOLUME)) return undefined;
  return append(volumes, ['spec', 'volumes'], filesVolume(agent));
}

function mount({ field, index, container }: PlacedContainer): AddOperation | undefined {
  const { volumeMounts } = container;
  if (volumeMounts?.some(isFilesMount)) return undefined;
  return append(volumeMounts, ['spec', field, index, 'volumeMounts'], FILES_MOUNT);
}

/** In front of the others, since a variable can refer to those before it alone. */
function variable({ field, index, container }: PlacedContainer): AddOperation | undefined {
  const { env } = container;
  if (env?.some(({ name }) => name === DIRECTORY_VARIABLE)) return undefined;
  return prepend(env, ['spec', field, index, 'env'], FILES_ENV);
}
