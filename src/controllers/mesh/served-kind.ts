/** Whether the API server serves a kind in a version, as its CustomResourceDefinition says. */

import { Cache, type CacheOptions, type CacheState } from '../../kube/cache.ts';
import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { CUSTOM_RESOURCE_DEFINITION } from './kinds.ts';

interface Definition extends KubeObject {
  readonly spec?: { readonly versions?: readonly { readonly name: string; readonly served: boolean }[] };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Watches one definition. */
export class ServedKind {
  readonly #name: string;
  readonly #definition: Cache<{ readonly isServed: boolean }, Definition>;

  constructor(
    type: ResourceType,
    cache: Pick<CacheOptions<unknown, KubeObject>, 'client' | 'clock' | 'log' | 'timing'>,
  ) {
    this.#name = `${type.plural}.${type.group}`;
    this.#definition = new Cache<{ readonly isServed: boolean }, Definition>({
      ...cache,
      type: CUSTOM_RESOURCE_DEFINITION,
      fieldSelector: `metadata.name=${this.#name}`,
      project: (definition) => ({ isServed: serves(definition, type.version) }),
    });
  }

  get state(): CacheState {
    return this.#definition.state;
  }

  /** Undefined: not known, because definitions could not be read yet. */
  get isServed(): boolean | undefined {
    if (!this.#definition.hasSynced) return undefined;
    return this.#definition.get(this.#name)?.isServed === true;
  }

  /** Calls `listener` when `isServed` may have changed. Returns what ends that. */
  onChange(listener: () => void): () => void {
    const forget = [this.#definition.onChange(listener), this.#definition.onStateChange(listener)];
    return () => {
      for (const each of forget) each();
    };
  }

  /** As of `onChange`. */
  onStateChange(listener: () => void): () => void {
    return this.onChange(listener);
  }

  /** Watches until `signal` is aborted. Once. */
  start(signal: AbortSignal): Promise<void> {
    return this.#definition.start(signal);
  }
}

function serves({ metadata, spec, status }: Definition, version: string): boolean {
  const isEstablished = status?.conditions?.some(
    (condition) => condition.type === 'Established' && condition.status === 'True',
  );
  const isServed = spec?.versions?.some(({ name, served }) => name === version && served);
  return metadata.deletionTimestamp === undefined && isEstablished === true && isServed === true;
}
