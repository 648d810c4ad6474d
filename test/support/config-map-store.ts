/** ConfigMaps on a server that does nothing but compare and swap by resourceVersion; it can misbehave on request. */

import type { ConfigMap } from '../../src/controllers/bundle/bundle-record.ts';
import type { LedgerStore } from '../../src/controllers/ledger/ledger.ts';
import type { List } from '../../src/kube/client.ts';
import { KubeError, type KubeErrorCode } from '../../src/kube/errors.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import type { CallOptions, DeleteConditions } from '../../src/kube/resource-calls.ts';
import type { ObjectName } from '../../src/kube/resource-path.ts';

/**
 * What becomes of one call: `answered`; `refused` nothing happens and the client is told; `lost` it takes effect and
 * the client gets no answer.
 */
export type Fate = 'answered' | 'refused' | 'lost';

/** A call as it arrived. */
export interface StoreCall {
  readonly verb: 'list' | 'find' | 'create' | 'replace' | 'delete';
  readonly name: string;
  readonly options: CallOptions | undefined;
}

/** The server. All namespaces are one. */
export class ConfigMapStore implements LedgerStore {
  readonly objects: Map<string, ConfigMap> = new Map();
  /** In the order of arrival. */
  readonly calls: StoreCall[] = [];
  /** Decides about each call; by default all are answered. */
  fate: (call: StoreCall) => Fate = () => 'answered';
  /** Holds a call back before it takes effect. */
  arrival: (call: StoreCall) => Promise<void> = async () => {};
  #version = 0;

  /** Verbs and names of the writes so far. */
  get writes(): readonly string[] {
    return this.calls
      .filter(({ verb }) => verb !== 'list' && verb !== 'find')
      .map(({ verb, name }) => `${verb} ${name}`);
  }

  /** Somebody else writes, without conditions. */
  edit(name: string, change: (object: ConfigMap) => ConfigMap): void {
    const object = this.objects.get(name);
    if (object !== undefined) this.#store(change(object));
  }

  async list<T extends KubeObject>(
    _type: ResourceType,
    _selection?: unknown,
    options?: CallOptions,
  ): Promise<List<T>> {
    const items = await this.#serve({ verb: 'list', name: '', options }, () => [...this.objects.values()]);
    return { items: items as readonly KubeObject[] as readonly T[], resourceVersion: String(this.#version) };
  }

  async find<T extends KubeObject>(
    _type: ResourceType,
    { name }: ObjectName,
    options?: CallOptions,
  ): Promise<T | undefined> {
    const found = await this.#serve({ verb: 'find', name, options }, () => this.objects.get(name));
    return found as KubeObject as T | undefined;
  }

  async create<T extends KubeObject>(_type: ResourceType, object: T, options?: CallOptions): Promise<T> {
    const { name } = object.metadata;
    const created = await this.#serve({ verb: 'create', name, options }, () => {
      if (this.objects.has(name)) throw refusal('KUBE_ALREADY_EXISTS', 409);
      return this.#store(object);
    });
    return created as KubeObject as T;
  }

  async replace<T extends KubeObject>(_type: ResourceType, object: T, options?: CallOptions): Promise<T> {
    const { name, uid, resourceVersion } = object.metadata;
    const replaced = await this.#serve({ verb: 'replace', name, options }, () => {
      const held = this.objects.get(name)?.metadata;
      if (held === undefined) throw refusal('KUBE_NOT_FOUND', 404);
      const isSame = held.uid === uid && held.resourceVersion === resourceVersion;
      if (!isSame) throw refusal('KUBE_CONFLICT', 409);
      return this.#store(object);
    });
    return replaced as KubeObject as T;
  }

  delete(
    _type: ResourceType,
    { name, uid }: ObjectName & DeleteConditions,
    options?: CallOptions,
  ): Promise<undefined> {
    return this.#serve({ verb: 'delete', name, options }, () => {
      const held = this.objects.get(name);
      if (held === undefined) throw refusal('KUBE_NOT_FOUND', 404);
      if (uid !== undefined && held.metadata.uid !== uid) throw refusal('KUBE_CONFLICT', 409);
      this.objects.delete(name);
      return undefined;
    });
  }

  async #serve<T>(call: StoreCall, act: () => T): Promise<T> {
    this.calls.push(call);
    const fate = this.fate(call);
    await this.arrival(call);
    if (fate === 'refused') throw refusal('KUBE_TOO_MANY_REQUESTS', 429);
    const answer = act();
    if (fate === 'lost') throw new KubeError('KUBE_UNAVAILABLE', 'no answer', { lost: true });
    return structuredClone(answer);
  }

  #store(object: KubeObject): ConfigMap {
    this.#version += 1;
    const uid = this.objects.get(object.metadata.name)?.metadata.uid ?? `uid-${this.#version}`;
    const metadata = { ...object.metadata, uid, resourceVersion: String(this.#version) };
    const stored: ConfigMap = { ...structuredClone(object), metadata };
    this.objects.set(metadata.name, stored);
    return stored;
  }
}

function refusal(code: KubeErrorCode, httpStatus: number): KubeError {
  return new KubeError(code, `refused with ${httpStatus}`, { httpStatus });
}
