/** One Lease on a server that does nothing but compare and swap by resourceVersion; it can misbehave on request. */

import { KubeError } from '../../src/kube/errors.ts';
import type { Lease, LeasePort, LeaseSpec } from '../../src/kube/lease.ts';

/** What goes wrong between one client and the server. */
export interface LeaseFaults {
  /** The server cannot be reached: calls hang until they are aborted. */
  unreachable: boolean;
  /** So many writes take effect although their answers never arrive. */
  lostAnswers: number;
  /** Answers are held back until this resolves. */
  gate: Promise<void>;
}

/** No faults. */
export function noFaults(): LeaseFaults {
  return { unreachable: false, lostAnswers: 0, gate: Promise.resolve() };
}

/** The server. */
export class LeaseStore {
  lease: Lease | undefined;
  /** `get`, `create` and `replace` in the order of arrival. */
  calls: string[] = [];
  #version = 0;

  /** A client's way to the server, with the faults of that client. */
  port(faults: LeaseFaults = noFaults()): LeasePort {
    return {
      get: (signal) => this.#answer(faults, signal, 'get', () => this.lease),
      create: (spec, signal) => this.#answer(faults, signal, 'create', () => this.#create(spec)),
      replace: (lease, signal) => this.#answer(faults, signal, 'replace', () => this.#replace(lease)),
    };
  }

  /** Somebody else writes, without conditions. */
  write(spec: LeaseSpec): void {
    this.#store({ metadata: this.lease?.metadata ?? { name: 'leader' }, spec });
  }

  async #answer<T>(faults: LeaseFaults, signal: AbortSignal, call: string, serve: () => T): Promise<T> {
    if (faults.unreachable) await hang(signal);
    this.calls.push(call);
    const answer = serve();
    if (call !== 'get' && faults.lostAnswers > 0) {
      faults.lostAnswers -= 1;
      await hang(signal);
    }
    await faults.gate;
    return structuredClone(answer);
  }

  #create(spec: LeaseSpec): Lease {
    if (this.lease !== undefined) throw new KubeError('KUBE_ALREADY_EXISTS', 'create leases');
    return this.#store({ metadata: { name: 'leader' }, spec });
  }

  #replace(lease: Lease): Lease {
    if (this.lease === undefined) throw new KubeError('KUBE_NOT_FOUND', 'update leases');
    const { uid, resourceVersion } = this.lease.metadata;
    if (lease.metadata.uid !== uid || lease.metadata.resourceVersion !== resourceVersion) {
      throw new KubeError('KUBE_CONFLICT', 'update leases');
    }
    return this.#store(lease);
  }

  #store(lease: Lease): Lease {
    this.#version += 1;
    const uid = this.lease?.metadata.uid ?? `uid-${this.#version}`;
    this.lease = { ...lease, metadata: { ...lease.metadata, uid, resourceVersion: String(this.#version) } };
    return this.lease;
  }
}

function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new KubeError('KUBE_ABORTED', 'leases')), { once: true });
  });
}
