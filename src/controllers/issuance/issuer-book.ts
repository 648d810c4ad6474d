/**
 * The issuers that may sign, and their CAs: those that the list names, and for an issuer without any the one that signed its
 * first good answer. Kept in a ConfigMap, so that the next leader trusts no fewer.
 */

import { ISSUERS_NAME } from '../../api/group.ts';
import type { AuthorityCertificate } from '../../crypto/authority-reader.ts';
import { encodePem } from '../../crypto/pem.ts';
import { type IssuerRef, issuerId } from '../../domain/issuance/issuer.ts';
import type { KubeClient } from '../../kube/client.ts';
import { CONFIG_MAP } from '../../kube/core-types.ts';
import {
  type IssuerCAs,
  type IssuersConfigMap,
  issuersConfigMap,
  readIssuerCAs,
  type TrustedCA,
} from './issuer-state.ts';

/** An issuer of the operator's list. */
export interface ListedIssuer extends IssuerRef {
  /** Empty: taken from the first good answer. */
  readonly certificates: readonly AuthorityCertificate[];
}

/** What the book is made of. */
export interface IssuerBookOptions {
  readonly listed: readonly ListedIssuer[];
  /** Its writes must be fenced by the lease. */
  readonly store: Pick<KubeClient, 'find' | 'create' | 'replace'>;
  readonly namespace: string;
  readonly nowMs: () => number;
}

/** One leader's view. Until it is loaded nothing is known of what an earlier leader has learned. */
export class IssuerBook {
  readonly #options: IssuerBookOptions;
  readonly #listed: ReadonlyMap<string, ListedIssuer>;
  readonly #listeners: (() => void)[] = [];
  #cas: IssuerCAs = new Map();
  #trusted: readonly AuthorityCertificate[] = [];
  #isLoaded: boolean;
  /** Ends with the write that is under way: each builds on the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: IssuerBookOptions) {
    this.#options = options;
    this.#listed = new Map(options.listed.map((issuer) => [issuerId(issuer), issuer]));
    this.#isLoaded = options.listed.length === 0;
  }

  /** Whether every CA that was ever trusted is known. */
  get isComplete(): boolean {
    return this.#isLoaded;
  }

  /** The CAs of all issuers; the same list as long as nothing changes. */
  get trusted(): readonly AuthorityCertificate[] {
    return this.#trusted;
  }

  /** Whether an issuer may be asked at all. */
  isListed(issuer: IssuerRef): boolean {
    return this.#listed.has(issuerId(issuer));
  }

  /** The CAs of an issuer; empty: none is known yet. */
  casOf(issuer: IssuerRef): readonly TrustedCA[] {
    return this.#cas.get(issuerId(issuer)) ?? [];
  }

  /** Calls `listener` whenever other CAs are trusted. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Reads what earlier leaders knew, and writes what the list adds. Before anything is issued.
   *
   * @throws KubeError.
   */
  async load(signal: AbortSignal): Promise<void> {
    if (this.#isLoaded) return;
    const found = await this.#find(signal);
    const before = found === undefined ? new Map() : readIssuerCAs(found);
    const cas = new Map([...this.#listed].map(([id, issuer]) => [id, this.#merged(issuer, before.get(id))]));
    const known = new Map([...cas].filter(([, list]) => list.length > 0));
    if (!isSame(known, before)) await this.#write(known, signal);
    this.#isLoaded = true;
    this.#keep(known);
  }

  /**
   * Trusts the CA that signed the first good answer of an issuer. Does nothing when one is known.
   *
   * @returns Whether it is new.
   * @throws KubeError.
   */
  learn(issuer: IssuerRef, certificate: AuthorityCertificate, signal: AbortSignal): Promise<boolean> {
    const turn = this.#turn.then(() => this.#learn(issuer, certificate, signal));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #learn(issuer: IssuerRef, certificate: AuthorityCertificate, signal: AbortSignal): Promise<boolean> {
    if (this.casOf(issuer).length > 0) return false;
    const learned = { certificate, sinceMs: this.#options.nowMs() };
    const cas = new Map([...this.#cas, [issuerId(issuer), [learned]]]);
    await this.#write(cas, signal);
    this.#keep(cas);
    return true;
  }

  #merged({ certificates }: ListedIssuer, before: readonly TrustedCA[] = []): readonly TrustedCA[] {
    if (certificates.length === 0) return before;
    return certificates.map((certificate) => {
      const known = before.find((each) =>
        each.certificate.certificate.raw.equals(certificate.certificate.raw),
      );
      return { certificate, sinceMs: known?.sinceMs ?? this.#options.nowMs() };
    });
  }

  async #write(cas: IssuerCAs, signal: AbortSignal): Promise<void> {
    const { store, namespace } = this.#options;
    const desired = issuersConfigMap(namespace, cas);
    const stored = (await this.#find(signal))?.metadata;
    if (stored === undefined) await store.create(CONFIG_MAP, desired, { signal });
    else {
      const labels = { ...stored.labels, ...desired.metadata.labels };
      await store.replace(CONFIG_MAP, { ...desired, metadata: { ...stored, labels } }, { signal });
    }
  }

  #find(signal: AbortSignal): Promise<IssuersConfigMap | undefined> {
    const { store, namespace } = this.#options;
    return store.find<IssuersConfigMap>(CONFIG_MAP, { namespace, name: ISSUERS_NAME }, { signal });
  }

  #keep(cas: IssuerCAs): void {
    this.#cas = cas;
    this.#trusted = [...cas.values()].flat().map(({ certificate }) => certificate);
    for (const listener of this.#listeners) listener();
  }
}

/** The CAs as PEM, one after the other. */
export function pemOf(certificates: readonly AuthorityCertificate[]): readonly string[] {
  return certificates.map(({ certificate }) => encodePem('CERTIFICATE', certificate.raw));
}

function isSame(left: IssuerCAs, right: IssuerCAs): boolean {
  const textOf = (cas: IssuerCAs): string =>
    JSON.stringify(
      [...cas].map(([id, list]) => [id, list.map((each) => [each.sinceMs, each.certificate.id])]).toSorted(),
    );
  return textOf(left) === textOf(right);
}
