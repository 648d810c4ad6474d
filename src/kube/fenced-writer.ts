/** The only way to write key material: every write names the object it replaces, and asks the fence as it leaves. */

import { isDeepStrictEqual } from 'node:util';
import type { Call } from './call.ts';
import { carryOver, withoutCopy } from './carry-over.ts';
import { isKubeError, KubeError } from './errors.ts';
import type { KubeObject, ObjectMeta, ResourceType } from './object.ts';
import { keyOf } from './object.ts';
import type { CallOptions } from './resource-calls.ts';
import { assertObserved, createCall, deleteCall, getCall, replaceCall } from './resource-calls.ts';
import type { Transport } from './transport.ts';
import type { WriteFence } from './write-fence.ts';

/** How often a wipe reads back before it gives up on an object that others keep changing. */
const MAX_READ_BACKS = 3;

/** What a writer is made of. */
export interface FencedWriterOptions {
  readonly transport: Transport;
  readonly fence: WriteFence;
  readonly fieldManager: string;
  /** Labels and annotations that begin with it are ours, all others are carried over; such as `example.com/`. */
  readonly ownPrefix: string;
}

/** A write over an object as it was read. */
export interface Replacement<T extends KubeObject> {
  readonly desired: T;
  /** The metadata as read, with uid and resourceVersion. */
  readonly observed: ObjectMeta;
}

/** What is to be wiped, and what it looks like without its content. */
export interface Wiping<T extends KubeObject> {
  /** Names the object, by uid. */
  readonly observed: ObjectMeta;
  /** The object without content; its metadata is completed by the writer. */
  readonly emptied: (current: T) => T;
}

/**
 * What became of an object: `wiped` it was emptied and deleted by this call and is gone; `gone` it was not there any
 * more; `emptied` its content is gone, but finalizers of others keep the name; `replacedByOther` the name belongs to
 * another object, which was not touched.
 */
export type WipeResult =
  | { readonly kind: 'wiped' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'emptied'; readonly finalizers: readonly string[] }
  | { readonly kind: 'replacedByOther'; readonly uid: string };

/** Every method throws KubeError KUBE_LEASE_NOT_HELD, with nothing sent, once the fence is down. */
export class FencedWriter {
  readonly #options: FencedWriterOptions;

  constructor(options: FencedWriterOptions) {
    this.#options = options;
  }

  /** POST. @throws KubeError KUBE_ALREADY_EXISTS when the name is taken. */
  create<T extends KubeObject>(type: ResourceType, desired: T, options?: CallOptions): Promise<T> {
    return this.#send(createCall(type, desired, this.#options.fieldManager), options);
  }

  /**
   * PUT of the whole object over exactly the observed state; what others wrote into its metadata stays.
   *
   * @throws KubeError KUBE_CONFLICT when the object changed or was re-created since; TypeError without uid or
   * resourceVersion.
   */
  replace<T extends KubeObject>(
    type: ResourceType,
    write: Replacement<T>,
    options?: CallOptions,
  ): Promise<T> {
    const metadata = carryOver(write.desired.metadata, write.observed, this.#options.ownPrefix);
    return this.#send(replaceCall(type, { ...write.desired, metadata }, this.#options.fieldManager), options);
  }

  /**
   * Deletes exactly the observed state and creates the desired object: for what a PUT cannot change (wrong type,
   * `immutable`). Nothing of the old object is carried over.
   *
   * @throws KubeError KUBE_CONFLICT when the object changed since; KUBE_ALREADY_EXISTS while finalizers keep it, or
   * when somebody else took the name.
   */
  async recreate<T extends KubeObject>(
    type: ResourceType,
    write: Replacement<T>,
    options?: CallOptions,
  ): Promise<T> {
    assertObserved(type, write.observed);
    const { uid, resourceVersion } = await this.#withoutFinalizers(type, write.observed, options);
    await this.#send(deleteCall(type, write.observed, { uid, resourceVersion }), options);
    return this.create(type, write.desired, options);
  }

  /** Finalizers of others would keep the name, and with it a key. A PUT may change them on an immutable object too. */
  async #withoutFinalizers(
    type: ResourceType,
    observed: ObjectMeta,
    options: CallOptions | undefined,
  ): Promise<ObjectMeta> {
    if ((observed.finalizers ?? []).length === 0) return observed;
    const current = await this.#find<KubeObject>(type, observed, options);
    if (current === undefined || current.metadata.resourceVersion !== observed.resourceVersion) {
      throw new KubeError('KUBE_CONFLICT', `replace ${type.plural} ${keyOf(observed)}: it changed meanwhile`);
    }
    return (await this.#stripFinalizers(type, current, options)).metadata;
  }

  #stripFinalizers<T extends KubeObject>(
    type: ResourceType,
    current: T,
    options: CallOptions | undefined,
  ): Promise<T> {
    const metadata = withoutCopy({ ...current.metadata, finalizers: [] });
    return this.#send<T>(replaceCall(type, { ...current, metadata }, this.#options.fieldManager), options);
  }

  /**
   * Empties the object, deletes it and reads back, so that the content is gone even where the object is not. An
   * immutable object cannot be emptied: it loses its finalizers instead, which would keep the content. Changes by
   * others in between are met by reading again, at most three times.
   *
   * @throws KubeError KUBE_CONFLICT when others keep changing the object.
   */
  async wipe<T extends KubeObject>(
    type: ResourceType,
    wiping: Wiping<T>,
    options?: CallOptions,
  ): Promise<WipeResult> {
    const { observed } = wiping;
    let touched = false;
    let emptied: T | undefined;
    for (let readBacks = 0; ; readBacks++) {
      const current = await this.#find<T>(type, observed, options);
      if (current === undefined) return { kind: touched ? 'wiped' : 'gone' };
      const { uid, finalizers = [] } = current.metadata;
      if (uid !== observed.uid) return { kind: 'replacedByOther', uid: uid ?? '' };
      if (emptied !== undefined && sameContent(current, emptied)) return { kind: 'emptied', finalizers };
      if (readBacks === MAX_READ_BACKS) throw contested(type, observed);
      try {
        emptied = await this.#empty(type, { current, wiping }, options);
        await this.#send(deleteCall(type, observed, { uid, propagationPolicy: 'Background' }), options);
        touched = true;
      } catch (error) {
        if (!isKubeError(error, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT')) throw error;
        touched ||= emptied !== undefined;
      }
    }
  }

  /** The object as the server holds it afterwards; undefined for an immutable one, whose content stays. */
  async #empty<T extends KubeObject>(
    type: ResourceType,
    { current, wiping }: { readonly current: T; readonly wiping: Wiping<T> },
    options: CallOptions | undefined,
  ): Promise<T | undefined> {
    const { fieldManager, ownPrefix } = this.#options;
    const { finalizers = [] } = current.metadata;
    if (!isImmutable(current)) {
      const desired = wiping.emptied(current);
      const metadata = withoutCopy(carryOver(desired.metadata, current.metadata, ownPrefix));
      return this.#send<T>(replaceCall(type, { ...desired, metadata }, fieldManager), options);
    }
    if (finalizers.length > 0) await this.#stripFinalizers(type, current, options);
    return undefined;
  }

  async #find<T extends KubeObject>(
    type: ResourceType,
    target: ObjectMeta,
    options: CallOptions | undefined,
  ): Promise<T | undefined> {
    try {
      return await this.#options.transport.request<T>({ ...getCall(type, target), ...options });
    } catch (error) {
      if (isKubeError(error, 'KUBE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  #send<T>(call: Call, options: CallOptions | undefined): Promise<T> {
    const { transport, fence } = this.#options;
    return transport.request<T>({ ...call, ...options, beforeSend: () => fence.assertHeld() });
  }
}

function isImmutable(object: KubeObject): boolean {
  return (object as { readonly immutable?: unknown }).immutable === true;
}

function sameContent(a: KubeObject, b: KubeObject): boolean {
  return isDeepStrictEqual({ ...a, metadata: undefined }, { ...b, metadata: undefined });
}

function contested(type: ResourceType, observed: ObjectMeta): KubeError {
  return new KubeError('KUBE_CONFLICT', `wipe ${type.plural} ${keyOf(observed)}: others keep changing it`);
}
