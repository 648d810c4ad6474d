/** Which containers of a pod get the files of its agent. */

import { ANNOTATION_CONTAINERS, isFilesMount } from './files.ts';
import type { ContainerShape, PodShape } from './shape.ts';

/** A container and where it stands in the spec. */
export interface PlacedContainer {
  readonly field: 'containers' | 'initContainers';
  readonly index: number;
  readonly container: ContainerShape;
}

/** The choice, or the sentence that says why there is none. */
export type ContainerChoice =
  | { readonly kind: 'chosen'; readonly containers: readonly PlacedContainer[] }
  | { readonly kind: 'refused'; readonly message: string };

/** The proxy of the mesh, which stands before or beside the agent. */
const PROXY = 'istio-proxy';
/** So many names are told. */
const MAX_NAMES = 8;

/**
 * Those of the annotation, else those that mount the files already, else the first of `containers` that is not the
 * proxy. The second keeps the choice where it is when others put a container in front of it later.
 */
export function chooseContainers({ metadata = {}, spec = {} }: PodShape): ContainerChoice {
  const ordinary = placed('containers', spec.containers ?? []);
  const listed = metadata.annotations?.[ANNOTATION_CONTAINERS];
  if (listed !== undefined) {
    return chooseListed([...ordinary, ...placed('initContainers', spec.initContainers ?? [])], listed);
  }
  const candidates = ordinary.filter(({ container }) => container.name !== PROXY);
  const mounting = candidates.filter(({ container }) => (container.volumeMounts ?? []).some(isFilesMount));
  const containers = mounting.length > 0 ? mounting : candidates.slice(0, 1);
  if (containers.length > 0) return { kind: 'chosen', containers };
  const message = `spec.containers has none but ${PROXY}, which gets the files of an agent only where annotation ${ANNOTATION_CONTAINERS} names it.`;
  return { kind: 'refused', message };
}

function chooseListed(all: readonly PlacedContainer[], listed: string): ContainerChoice {
  const names = new Set(listed.split(',').map((name) => name.trim()));
  names.delete('');
  const known = all.map(({ container }) => container.name);
  const unknown = [...names.difference(new Set(known))];
  const where = `metadata.annotations[${ANNOTATION_CONTAINERS}]`;
  const wayOut = `Name some of ${told(known)}, separated by commas, or take the annotation out: then the first container gets the files.`;
  if (names.size === 0) return { kind: 'refused', message: `${where} names no container. ${wayOut}` };
  if (unknown.length > 0) {
    const message = `${where} names ${told(unknown)}, which this pod does not have. ${wayOut}`;
    return { kind: 'refused', message };
  }
  return { kind: 'chosen', containers: all.filter(({ container }) => names.has(container.name)) };
}

function told(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return `${names.slice(0, MAX_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function placed(
  field: PlacedContainer['field'],
  containers: readonly ContainerShape[],
): readonly PlacedContainer[] {
  return containers.map((container, index) => ({ field, index, container }));
}
