/** What delegated issuance knows of the cluster: cert-manager's requests of the operator's namespace, and the fence. */

import { LABEL_MANAGED } from '../../api/group.ts';
import { FENCE_NAME, isFenced } from '../../domain/issuance/fence.ts';
import type { IssuerRef } from '../../domain/issuance/issuer.ts';
import { Cache, type CacheOptions, type CacheState } from '../../kube/cache.ts';
import { type Key, type KubeObject, keyOf } from '../../kube/object.ts';
import { ServedCache } from '../mesh/served-cache.ts';
import { ServedKind } from '../mesh/served-kind.ts';
import {
  ADMISSION_POLICY,
  ADMISSION_POLICY_BINDING,
  type AdmissionPolicy,
  type AdmissionPolicyBinding,
  CERTIFICATE_REQUEST,
  type CertificateRequest,
} from './kinds.ts';
import { type RequestRecord, requestRecord } from './request-object.ts';

/** What the process starts. */
export interface StartedCache {
  readonly state: CacheState;
  start(signal: AbortSignal): Promise<void>;
  onStateChange(listener: () => void): () => void;
}

/** How the view is made. */
export interface IssuanceViewOptions {
  /** Client, log, clock and whatever else every cache needs. */
  readonly cache: Pick<CacheOptions<unknown, KubeObject>, 'client' | 'clock' | 'log' | 'timing'>;
  readonly operatorNamespace: string;
  /** The operator's own name for the API server. */
  readonly user: string;
}

/** The caches; nothing is read before they are started. */
export class IssuanceView {
  readonly #options: IssuanceViewOptions;
  readonly #kind: ServedKind;
  readonly #requests: ServedCache<RequestRecord, CertificateRequest>;
  readonly #policy: Cache<AdmissionPolicy['spec'], AdmissionPolicy>;
  readonly #binding: Cache<AdmissionPolicyBinding['spec'], AdmissionPolicyBinding>;

  constructor(options: IssuanceViewOptions) {
    const { cache, operatorNamespace } = options;
    this.#options = options;
    this.#kind = new ServedKind(CERTIFICATE_REQUEST, cache);
    this.#requests = new ServedCache<RequestRecord, CertificateRequest>(this.#kind, {
      ...cache,
      type: CERTIFICATE_REQUEST,
      namespace: operatorNamespace,
      labelSelector: `${LABEL_MANAGED}=true`,
      project: requestRecord,
    });
    const fieldSelector = `metadata.name=${FENCE_NAME}`;
    this.#policy = new Cache<AdmissionPolicy['spec'], AdmissionPolicy>({
      ...cache,
      type: ADMISSION_POLICY,
      fieldSelector,
      project: ({ spec }) => spec,
    });
    this.#binding = new Cache<AdmissionPolicyBinding['spec'], AdmissionPolicyBinding>({
      ...cache,
      type: ADMISSION_POLICY_BINDING,
      fieldSelector,
      project: ({ spec }) => spec,
    });
  }

  /** `not-installed`: the API server serves no CertificateRequests yet; `refused`: it does not let the operator list them. */
  get requestState(): 'ready' | 'not-installed' | 'refused' {
    const { current, state } = this.#requests;
    if (current === undefined || state === 'starting') return 'not-installed';
    return state === 'synced' ? 'ready' : 'refused';
  }

  /** Whether the API server keeps others from asking an issuer, as far as it is seen. */
  isFenced(issuer: IssuerRef): boolean {
    if (this.#policy.state !== 'synced' || this.#binding.state !== 'synced') return false;
    const fence = { policy: this.#policy.get(FENCE_NAME), binding: this.#binding.get(FENCE_NAME) };
    return isFenced(issuer, fence, this.#options);
  }

  /** A request of the operator, by its name. */
  request(name: string): RequestRecord | undefined {
    return this.#requests.current?.get(keyOf({ namespace: this.#options.operatorNamespace, name }));
  }

  /** Names of all of them. */
  requestNames(): readonly string[] {
    return [...(this.#requests.current?.values() ?? [])].map(({ name }) => name);
  }

  /** Takes the answer of an own write. */
  observe(request: CertificateRequest): void {
    this.#requests.current?.observe(request);
  }

  /** Calls `listener` with the name of a request that came, changed or went. */
  onRequest(listener: (name: string) => void): void {
    this.#requests.onChange((_key: Key, current, previous) => listener((current ?? previous)?.name ?? ''));
  }

  /** Calls `listener` when issuers may have become usable, or stopped to be. */
  onReadinessChange(listener: () => void): void {
    this.#requests.onStateChange(listener);
    for (const cache of [this.#policy, this.#binding]) {
      cache.onChange(listener);
      cache.onStateChange(listener);
    }
  }

  /** What is to be started. */
  caches(): readonly StartedCache[] {
    return [this.#kind, this.#requests, this.#policy, this.#binding];
  }
}
