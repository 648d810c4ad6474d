/** A signer for cert-manager's CertificateRequests, in place of cert-manager: it answers as each test wants. */

import { LABEL_AGENT } from '../../../src/api/group.ts';
import { CERTIFICATE_REQUEST, type CertificateRequest } from '../../../src/controllers/issuance/kinds.ts';
import { parseDuration } from '../../../src/domain/certificate/duration.ts';
import { Cache } from '../../../src/kube/cache.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { type ParsedRequest, parseRequest, TestCA, type Times } from './test-ca.ts';

/** A request as a behaviour gets it. */
export interface Seen {
  readonly request: ParsedRequest;
  /** What was asked for, from now on. */
  readonly times: Times;
  readonly ca: TestCA;
}

/** What a signer writes into the status of a request; undefined: nothing, ever. */
export type Behaviour = (seen: Seen) => CertificateRequest['status'] | undefined;

const YEAR_MS = 365 * 86_400_000;
const APPROVED = { type: 'Approved', status: 'True', reason: 'cert-manager.io' } as const;
const READY = { type: 'Ready', status: 'True', reason: 'Issued' } as const;

/** A root that lives now. */
export function liveCA(name: string, issuer?: TestCA): TestCA {
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  const times = { notBeforeMs: nowMs - YEAR_MS, notAfterMs: nowMs + YEAR_MS };
  return new TestCA({ name, ...times, ...(issuer && { issuer }) });
}

/** The status of a request that was answered. */
export function answered(certificate: string, ca = ''): CertificateRequest['status'] {
  return {
    conditions: [APPROVED, READY],
    certificate: Buffer.from(certificate).toString('base64'),
    ...(ca === '' ? {} : { ca: Buffer.from(ca).toString('base64') }),
  };
}

/** Signs what was asked for. */
export const honest: Behaviour = ({ request, times, ca }) => answered(ca.sign(request, times), ca.pem);
/** Does nothing at all. */
export const never = (): ReturnType<Behaviour> => undefined;
/** Approves, and goes no further. */
export const approves = (): ReturnType<Behaviour> => ({ conditions: [APPROVED] });
/** As an approver says no. */
export const denies = (): ReturnType<Behaviour> => ({
  conditions: [
    { type: 'Denied', status: 'True', reason: 'policy' },
    { type: 'Ready', status: 'False', reason: 'Denied' },
  ],
});
/** As an issuer gives up. */
export const fails = (): ReturnType<Behaviour> => ({
  conditions: [APPROVED, { type: 'Ready', status: 'False', reason: 'Failed' }],
});

/** Follows the requests of a namespace. */
export class TestSigner {
  readonly #client: KubeClient;
  readonly #cache: Cache<CertificateRequest, CertificateRequest>;
  readonly #authorities: ReadonlyMap<string, TestCA>;
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #abort = new AbortController();
  readonly #seen: string[] = [];
  #running: Promise<unknown> = Promise.resolve();
  #work: Promise<unknown> = Promise.resolve();

  /** `authorities` by the name of their issuer. */
  constructor(client: KubeClient, namespace: string, authorities: Readonly<Record<string, TestCA>>) {
    this.#client = client;
    this.#authorities = new Map(Object.entries(authorities));
    this.#cache = new Cache<CertificateRequest, CertificateRequest>({
      client,
      type: CERTIFICATE_REQUEST,
      namespace,
      project: (request) => request,
    });
    this.#cache.onChange((_key, current, previous) => {
      if (current === undefined) return;
      if (previous === undefined) this.#seen.push(current.metadata.labels?.[LABEL_AGENT] ?? '');
      this.#follow(current);
    });
  }

  /** From now on, for the requests of an agent, also those that wait. */
  behave(agent: string, behaviour: Behaviour): void {
    this.#behaviours.set(agent, behaviour);
    for (const request of this.pending(agent)) this.#follow(request);
  }

  /** Requests of an agent that are on the server. */
  pending(agent: string): readonly CertificateRequest[] {
    return [...this.#cache.values()].filter(({ metadata }) => metadata.labels?.[LABEL_AGENT] === agent);
  }

  /** How many requests of an agent there have been. */
  count(agent: string): number {
    return this.#seen.filter((each) => each === agent).length;
  }

  async start(): Promise<void> {
    this.#running = this.#cache.start(this.#abort.signal);
    await this.#cache.synced();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    await this.#work;
  }

  #follow(request: CertificateRequest): void {
    this.#work = this.#work.then(() => this.#answer(request));
  }

  async #answer({ metadata, spec, status }: CertificateRequest): Promise<void> {
    const behaviour = this.#behaviours.get(metadata.labels?.[LABEL_AGENT] ?? '') ?? honest;
    const ca = this.#authorities.get(spec.issuerRef.name);
    if (ca === undefined) return;
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    const times = { notBeforeMs: nowMs, notAfterMs: nowMs + (parseDuration(spec.duration) ?? 0) };
    const request = parseRequest(Buffer.from(spec.request, 'base64'));
    const wanted = behaviour({ request, times, ca });
    const isDone = wanted === undefined || wanted.conditions?.length === status?.conditions?.length;
    if (isDone || this.#abort.signal.aborted) return;
    const { name, namespace = '', uid = '' } = metadata;
    try {
      await this.#client.applyStatus(CERTIFICATE_REQUEST, {
        metadata: { name, namespace, uid },
        status: wanted,
      });
    } catch (error) {
      // It was deleted meanwhile.
      if (!isKubeError(error, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT')) throw error;
    }
  }
}
