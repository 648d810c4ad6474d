/**
 * The leader's hand on ConfigMap `agent-trust-issuers`: read from the server once and believed when the authority has signed it,
 * then only written. What somebody else makes of it meanwhile is written over, and never read.
 */

import { AUTHORITY_SECRET_NAME, ISSUERS_NAME } from '../../api/group.ts';
import type { Authority } from '../../crypto/authority-reader.ts';
import { signerOfIssuers } from '../../crypto/issuers-signature.ts';
import type { Cache } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { CONFIG_MAP, SECRET } from '../../kube/core-types.ts';
import { KubeError } from '../../kube/errors.ts';
import type { FencedWriter } from '../../kube/fenced-writer.ts';
import { keyOf, type ObjectMeta } from '../../kube/object.ts';
import { authorityRecord } from '../authority/authority-record.ts';
import type { ConfigMap } from '../bundle/bundle-record.ts';
import type { Secret } from '../identity/secret.ts';
import {
  type IssuerCAs,
  type IssuersRecord,
  isSameTexts,
  issuersConfigMap,
  issuersRecord,
  issuerTexts,
  readIssuerCAs,
} from './issuer-state.ts';

/** What the store is made of. */
export interface IssuerStorePorts {
  /** Of the one ConfigMap. */
  readonly stored: Pick<Cache<IssuersRecord, ConfigMap>, 'state' | 'get' | 'observe' | 'observeDeleted'>;
  readonly client: Pick<KubeClient, 'find'>;
  readonly writer: Pick<FencedWriter, 'create' | 'replace' | 'recreate'>;
  /** The generation of the authority that signs now; undefined: none does yet. */
  readonly signer: () => Authority | undefined;
  readonly namespace: string;
}

/**
 * What was found. `foreign`: it was not written by the operator, or is damaged. `unverifiable`: the authority cannot be read, so
 * nobody can tell.
 */
export type LoadedIssuers =
  | { readonly kind: 'cas'; readonly cas: IssuerCAs }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'unverifiable' };

/** In one leader's term. */
export class IssuerStore {
  readonly #ports: IssuerStorePorts;
  /** The ConfigMap as this process has found or left it; undefined: there was none. */
  #left: string | undefined;

  constructor(ports: IssuerStorePorts) {
    this.#ports = ports;
  }

  /** Where people are told about it. */
  get metadata(): ObjectMeta {
    return this.#record()?.metadata ?? this.#target;
  }

  /** Whether anything can be written. */
  get canWrite(): boolean {
    return this.#ports.signer() !== undefined;
  }

  /** Reads what earlier leaders knew. @throws KubeError. */
  async load(signal: AbortSignal): Promise<LoadedIssuers> {
    const { client, namespace } = this.#ports;
    await this.#look(signal);
    const record = this.#record();
    this.#left = record?.form;
    if (record === undefined) return { kind: 'cas', cas: new Map() };
    // Read after it: what has signed it is not given up before it is signed anew.
    const secret = await client.find<Secret>(SECRET, { namespace, name: AUTHORITY_SECRET_NAME }, { signal });
    const { generations, problem } =
      secret === undefined ? { generations: [], problem: undefined } : authorityRecord(secret);
    if (problem !== undefined) return { kind: 'unverifiable' };
    const cas = readIssuerCAs(record, generations);
    return cas === undefined ? { kind: 'foreign' } : { kind: 'cas', cas };
  }

  /**
   * Makes the ConfigMap say this, signed by the generation that signs now.
   *
   * @returns Whether somebody else had deleted or altered it.
   * @throws KubeError.
   */
  async keep(cas: IssuerCAs, signal: AbortSignal): Promise<boolean> {
    if (this.#ports.stored.state !== 'synced') await this.#look(signal);
    const record = this.#record();
    const isAltered = record?.form !== this.#left;
    const isSaid =
      record === undefined
        ? cas.size === 0
        : isSameTexts(record.texts, issuerTexts(cas)) &&
          signerOfIssuers(record.signature) === this.#ports.signer()?.id;
    if (isAltered || !isSaid) await this.save(cas, signal);
    return isAltered;
  }

  /** Writes it. @throws KubeError. */
  async save(cas: IssuerCAs, signal: AbortSignal): Promise<void> {
    const { writer, stored, namespace, signer } = this.#ports;
    const authority = signer();
    if (authority === undefined)
      throw new KubeError('KUBE_UNAVAILABLE', 'no generation of the authority signs yet');
    const desired = issuersConfigMap(namespace, issuerTexts(cas), authority);
    const record = this.#record();
    const replacement = record && { desired, observed: record.metadata };
    const written =
      replacement === undefined
        ? await writer.create(CONFIG_MAP, desired, { signal })
        : record?.immutable
          ? await writer.recreate(CONFIG_MAP, replacement, { signal })
          : await writer.replace(CONFIG_MAP, replacement, { signal });
    stored.observe(written);
    this.#left = issuersRecord(written).form;
  }

  /** Brings the cache to what is on the server. */
  async #look(signal: AbortSignal): Promise<void> {
    const { client, stored } = this.#ports;
    const found = await client.find<ConfigMap>(CONFIG_MAP, this.#target, { signal });
    const cached = this.#record();
    if (found !== undefined) stored.observe(found);
    else if (cached !== undefined) stored.observeDeleted(cached.metadata);
  }

  #record(): IssuersRecord | undefined {
    return this.#ports.stored.get(keyOf(this.#target));
  }

  get #target(): { readonly namespace: string; readonly name: string } {
    return { namespace: this.#ports.namespace, name: ISSUERS_NAME };
  }
}
