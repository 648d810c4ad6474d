/** The verbs of the Kubernetes API on plain objects, for types that are known beforehand. */

import type { Call, Query } from './call.ts';
import { isKubeError } from './errors.ts';
import type { KubeObject, ResourceType } from './object.ts';
import type { CallOptions, DeleteConditions, JsonPatch, PageSelection, Selection } from './resource-calls.ts';
import {
  applyCall,
  createCall,
  deleteCall,
  getCall,
  jsonPatchCall,
  listCall,
  METADATA_OBJECT,
  mergePatchCall,
  replaceCall,
} from './resource-calls.ts';
import type { ObjectName } from './resource-path.ts';
import { collectionPath } from './resource-path.ts';
import type { Transport } from './transport.ts';
import type { WriteFence } from './write-fence.ts';

/** Objects per page: a page takes about 10 ms of this process, whatever the size of the collection. */
const PAGE_LIMIT = 500;

/** How often a list is begun anew because its continue token expired between two pages. */
const MAX_LIST_RESTARTS = 3;

/** What a client is made of. */
export interface KubeClientOptions {
  readonly transport: Transport;
  /** Under this name the server records which fields this client owns. */
  readonly fieldManager: string;
  /** Types that this client refuses to write, because only a fenced writer may. */
  readonly keyMaterial?: readonly ResourceType[];
  /** Asked as each write leaves; without one, writes need no lease. */
  readonly fence?: WriteFence;
}

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** The token for the next page; undefined on the last one. */
  readonly continue: string | undefined;
}

/** A whole list, as of `resourceVersion`. */
export interface List<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** A change of some fields of an object, RFC 7396; with `metadata.resourceVersion` it is conditional. */
export type MergePatch = Readonly<Record<string, unknown>>;

/** A status to apply; `metadata.uid` keeps it from a re-created object of the same name. */
export interface StatusApply extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly uid: string };
  readonly status: object;
}

/** What a watch is opened with. */
export interface WatchOptions extends Selection {
  readonly resourceVersion: string;
  /** After this time the server ends the watch. */
  readonly timeoutSeconds: number;
  readonly idleTimeoutMs?: number | undefined;
  readonly signal: AbortSignal;
  /** One event as JSON; synchronous. */
  readonly onLine: (line: Buffer) => void;
}

/** Every method throws KubeError when the server does not do what was asked; see `KUBE_ERRORS`. */
export class KubeClient {
  readonly #transport: Transport;
  readonly #fieldManager: string;
  readonly #keyMaterial: readonly ResourceType[];
  readonly #beforeWrite: { readonly beforeSend?: () => void };

  constructor(options: KubeClientOptions) {
    this.#transport = options.transport;
    this.#fieldManager = options.fieldManager;
    this.#keyMaterial = options.keyMaterial ?? [];
    const { fence } = options;
    this.#beforeWrite = fence === undefined ? {} : { beforeSend: () => fence.assertHeld() };
  }

  /** @throws KubeError KUBE_NOT_FOUND when there is no such object. */
  get<T extends KubeObject>(type: ResourceType, target: ObjectName, options?: CallOptions): Promise<T> {
    return this.#transport.request({ ...getCall(type, target), ...options });
  }

  /** The object, or undefined when there is none (or no such type or namespace). */
  async find<T extends KubeObject>(
    type: ResourceType,
    target: ObjectName,
    options?: CallOptions,
  ): Promise<T | undefined> {
    try {
      return await this.get<T>(type, target, options);
    } catch (error) {
      if (isKubeError(error, 'KUBE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** One page; 500 objects unless `limit` says otherwise. */
  async listPage<T extends KubeObject>(
    type: ResourceType,
    page: PageSelection = {},
    options?: CallOptions,
  ): Promise<Page<T>> {
    const answer = await this.#transport.request<ListAnswer<T>>({
      ...listCall(type, { limit: PAGE_LIMIT, ...page }),
      ...options,
    });
    const { resourceVersion = '', continue: next } = answer.metadata ?? {};
    return { items: answer.items ?? [], resourceVersion, continue: next || undefined };
  }

  /**
   * All pages in turn. Where objects are so large that a page exceeds the transport's bound, pages become smaller.
   *
   * @throws KubeError KUBE_GONE when the continue token expired: begin anew.
   */
  async *pages<T extends KubeObject>(
    type: ResourceType,
    selection: Selection = {},
    options?: CallOptions,
  ): AsyncGenerator<Page<T>, void, undefined> {
    let limit = PAGE_LIMIT;
    let next: string | undefined;
    for (;;) {
      const page = await this.#pageIfSmallEnough<T>(type, { ...selection, limit, continue: next }, options);
      if (page === undefined) {
        limit = Math.ceil(limit / 8);
        continue;
      }
      yield page;
      if (page.continue === undefined) return;
      next = page.continue;
    }
  }

  /** All objects at one resource version, read page by page. */
  async list<T extends KubeObject>(
    type: ResourceType,
    selection: Selection = {},
    options?: CallOptions,
  ): Promise<List<T>> {
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.#listOnce<T>(type, selection, options);
      } catch (error) {
        if (!isKubeError(error, 'KUBE_GONE') || restarts === MAX_LIST_RESTARTS) throw error;
      }
    }
  }

  /** Reads events until the server ends the watch; see `Transport.openWatch`. */
  watch(type: ResourceType, watch: WatchOptions): Promise<void> {
    const { namespace, metadataOnly = false, signal, idleTimeoutMs, onLine, ...parameters } = watch;
    const query: Query = { watch: 1, allowWatchBookmarks: true, ...parameters };
    return this.#transport.openWatch({
      subject: { verb: 'watch', type, namespace },
      path: collectionPath(type, namespace),
      query,
      ...(metadataOnly ? { accept: METADATA_OBJECT } : {}),
      signal,
      idleTimeoutMs,
      onLine,
    });
  }

  /** @throws KubeError KUBE_ALREADY_EXISTS; TypeError for key material. */
  create<T extends KubeObject>(type: ResourceType, object: T, options?: CallOptions): Promise<T> {
    return this.#write(createCall(type, object, this.#fieldManager), options);
  }

  /**
   * Server-side apply of the whole intent. Takes fields over from other managers unless `force` is false.
   *
   * @throws KubeError KUBE_CONFLICT when `force` is false and another manager owns a field; TypeError for key material.
   */
  apply<T extends KubeObject>(
    type: ResourceType,
    object: T,
    options: CallOptions & { readonly force?: boolean } = {},
  ): Promise<T> {
    const { force = true, ...rest } = options;
    return this.#write(applyCall(type, object, { fieldManager: this.#fieldManager, force }), rest);
  }

  /**
   * Server-side apply of the status. `metadata.uid` is the fence: a re-created namesake is not touched.
   *
   * @throws KubeError KUBE_NOT_FOUND, or KUBE_CONFLICT when the name belongs to another object by now.
   */
  applyStatus<T extends KubeObject>(
    type: ResourceType,
    object: StatusApply,
    options?: CallOptions,
  ): Promise<T> {
    const { namespace, name, uid } = object.metadata;
    if (!uid) throw new TypeError(`the status of ${type.plural} is applied only with the observed uid`);
    const metadata = namespace === undefined ? { name, uid } : { name, namespace, uid };
    const call = applyCall(
      type,
      { ...object, metadata },
      { fieldManager: this.#fieldManager, force: true, subresource: 'status' },
    );
    return this.#write(call, options);
  }

  /** @throws KubeError KUBE_CONFLICT when the patch carries a resourceVersion that is not the current one. */
  mergePatch<T extends KubeObject>(
    type: ResourceType,
    target: ObjectName & { readonly patch: MergePatch },
    options?: CallOptions,
  ): Promise<T> {
    return this.#write(mergePatchCall(type, target, this.#fieldManager), options);
  }

  /**
   * Applies the steps, all or none.
   *
   * @throws KubeError KUBE_CONFLICT when a step sets a resourceVersion that is not the current one; KUBE_INVALID when a
   *   step cannot be made.
   */
  jsonPatch<T extends KubeObject>(
    type: ResourceType,
    target: ObjectName & { readonly patch: JsonPatch },
    options?: CallOptions,
  ): Promise<T> {
    return this.#write(jsonPatchCall(type, target, this.#fieldManager), options);
  }

  /**
   * PUT of the whole object with the observed uid and resourceVersion.
   *
   * @throws KubeError KUBE_CONFLICT when the object changed since; TypeError without either, or for key material.
   */
  replace<T extends KubeObject>(type: ResourceType, object: T, options?: CallOptions): Promise<T> {
    return this.#write(replaceCall(type, object, this.#fieldManager), options);
  }

  /**
   * @returns the object if it still exists (finalizers), undefined if it is gone.
   * @throws KubeError KUBE_NOT_FOUND, or KUBE_CONFLICT when a condition does not hold; TypeError for key material.
   */
  async delete(
    type: ResourceType,
    target: ObjectName & DeleteConditions,
    options?: CallOptions,
  ): Promise<KubeObject | undefined> {
    const { namespace, name, ...conditions } = target;
    const call = deleteCall(type, { namespace, name }, conditions);
    const answer = await this.#write<KubeObject | undefined>(call, options);
    return answer === undefined || answer.kind === 'Status' ? undefined : answer;
  }

  async #listOnce<T extends KubeObject>(
    type: ResourceType,
    selection: Selection,
    options: CallOptions | undefined,
  ): Promise<List<T>> {
    const pages: Page<T>[] = [];
    for await (const page of this.pages<T>(type, selection, options)) pages.push(page);
    return { items: pages.flatMap((page) => page.items), resourceVersion: pages[0]?.resourceVersion ?? '' };
  }

  async #pageIfSmallEnough<T extends KubeObject>(
    type: ResourceType,
    page: PageSelection,
    options: CallOptions | undefined,
  ): Promise<Page<T> | undefined> {
    try {
      return await this.listPage<T>(type, page, options);
    } catch (error) {
      const tooLarge = isKubeError(error, 'KUBE_PROTOCOL') && error.reason === 'AnswerTooLarge';
      if (tooLarge && page.limit !== 1) return undefined;
      throw error;
    }
  }

  #write<T>(call: Call, options: CallOptions | undefined): Promise<T> {
    const { type } = call.subject;
    const isSame = (other: ResourceType) => other.group === type.group && other.plural === type.plural;
    if (this.#keyMaterial.some(isSame)) {
      throw new TypeError(`${type.plural} are written only by a fenced writer`);
    }
    return this.#transport.request({ ...call, ...options, ...this.#beforeWrite });
  }
}

interface ListAnswer<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[];
}
