/** The ConfigMaps of a bundle on the server: written the further ones first, so that a signature never precedes its files. */

import { BUNDLE_NAME, LABEL_MANAGED } from '../../api/group.ts';
import { type FileTexts, MAX_PARTS } from '../../domain/bundle/files.ts';
import type { KubeClient } from '../../kube/client.ts';
import { CONFIG_MAP } from '../../kube/core-types.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { FencedWriter } from '../../kube/fenced-writer.ts';
import type { ObjectMeta } from '../../kube/object.ts';
import { type BundleRecord, bundleRecord, type ConfigMap, digestsOf, isSameFiles } from './bundle-record.ts';

/** What the store writes with. */
export interface StorePorts {
  readonly client: Pick<KubeClient, 'find' | 'delete'>;
  readonly writer: FencedWriter;
}

/** The ConfigMaps of one namespace. */
export class BundleStore {
  readonly #ports: StorePorts;
  readonly #namespace: string;
  readonly #signal: AbortSignal;

  constructor(ports: StorePorts, namespace: string, signal: AbortSignal) {
    this.#ports = ports;
    this.#namespace = namespace;
    this.#signal = signal;
  }

  /** A ConfigMap as it is now; the first one has the number 0. */
  find(part: number): Promise<ConfigMap | undefined> {
    const target = { namespace: this.#namespace, name: nameOf(part) };
    return this.#ports.client.find<ConfigMap>(CONFIG_MAP, target, { signal: this.#signal });
  }

  /** Writes one over what was observed. */
  write(part: number, data: FileTexts, observed: BundleRecord | undefined): Promise<ConfigMap> {
    const { writer } = this.#ports;
    const desired: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: nameOf(part), namespace: this.#namespace, labels: { [LABEL_MANAGED]: 'true' } },
      data,
    };
    const options = { signal: this.#signal };
    if (observed === undefined) return writer.create(CONFIG_MAP, desired, options);
    const replacement = { desired, observed: observed.metadata };
    return observed.immutable
      ? writer.recreate(CONFIG_MAP, replacement, options)
      : writer.replace(CONFIG_MAP, replacement, options);
  }

  /** Makes the further ConfigMaps what they should be; resolves with whether one of them was not. */
  async keepFurther(parts: readonly FileTexts[]): Promise<boolean> {
    let hasWritten = false;
    for (const [index, data] of parts.entries()) {
      const found = await this.find(index + 1);
      const observed = found && bundleRecord(found);
      if (observed !== undefined && isAsDesired(observed, data)) continue;
      await this.write(index + 1, data, observed);
      hasWritten = true;
    }
    return hasWritten;
  }

  /** Deletes the further ConfigMaps from one number on; those that are not there are passed over. */
  async removeFrom(first: number): Promise<void> {
    for (let part = first; part < MAX_PARTS; part++) {
      const found = await this.find(part);
      if (found !== undefined) await this.remove(found.metadata);
    }
  }

  /** Deletes one, if it is still the one that was observed. */
  async remove({ namespace, name, uid }: ObjectMeta): Promise<void> {
    try {
      await this.#ports.client.delete(CONFIG_MAP, { namespace, name, uid }, { signal: this.#signal });
    } catch (error) {
      if (!isKubeError(error, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT')) throw error;
    }
  }
}

function nameOf(part: number): string {
  return part === 0 ? BUNDLE_NAME : `${BUNDLE_NAME}-${part}`;
}

function isAsDesired({ metadata, immutable, digests }: BundleRecord, data: FileTexts): boolean {
  const isOurs = metadata.labels?.[LABEL_MANAGED] === 'true' && !immutable;
  return isOurs && isSameFiles(digests, digestsOf(data));
}
