/** An operator with some forty agents, a proxy that misbehaves in front of it, and an auditor beside it. */

import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { after, before } from 'mocha';
import type { ControlPlane } from '../../hack/control-plane/control-plane.ts';
import { OPERATOR_NAMESPACE } from '../../hack/operator/install-chart.ts';
import { AGENT_IDENTITY } from '../../src/api/group.ts';
import type { OperatorTiming } from '../../src/cmd/operator.ts';
import { SECRET } from '../../src/kube/core-types.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { Auditor } from './auditor.ts';
import { eventually } from './eventually.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import type { ActiveFault, Injection } from './faults.ts';
import { type RunningOperator, startOperator } from './operator.ts';
import type { Swarm } from './swarm.ts';

/** The governed namespaces. */
export const NAMESPACES = ['ai-agents', 'ai-data'] as const;

const AGENTS_PER_NAMESPACE = 20;
/** Longer than an API server takes to start on a busy machine: a lost lease ends the process, as it must. */
const FLAGS = [
  `--namespaces=${NAMESPACES.join(',')}`,
  '--workers=8',
  '--lease-duration=90s',
  '--renew-deadline=60s',
  '--retry-period=1s',
];
const TIMING: OperatorTiming = {
  callIdleTimeoutMs: 1_000,
  reflector: { backoffMs: [100, 1_000], idleTimeoutMs: 4_000, shortWatchMs: 100 },
};
const SHOWN_VIOLATIONS = 8;
/** Every change asks for another duration, each within the limits of the schema. */
const FIRST_DURATION_MINUTES = 2_000;

/** What a fault test works with. */
export class FaultyCluster {
  readonly proxy: FaultProxy;
  readonly auditor: Auditor;
  readonly swarm: Swarm;
  readonly #controlPlane: ControlPlane;
  #operator: RunningOperator | undefined;
  #hasEnded = false;
  #changes = 0;

  constructor(
    parts: Pick<FaultyCluster, 'proxy' | 'auditor' | 'swarm'> & { readonly controlPlane: ControlPlane },
  ) {
    this.proxy = parts.proxy;
    this.auditor = parts.auditor;
    this.swarm = parts.swarm;
    this.#controlPlane = parts.controlPlane;
  }

  /** Creates the agents and starts the operator; resolves when everything is true. */
  async begin(): Promise<void> {
    await this.auditor.start();
    for (const namespace of NAMESPACES) {
      const names = Array.from({ length: AGENTS_PER_NAMESPACE }, (_, at) => `agent-${at}`);
      await Promise.all(names.map((name) => this.swarm.createAgent(name, {}, namespace)));
    }
    await this.startOperator();
    await this.allIsTrue();
  }

  /** Ends all of it. */
  async end(): Promise<void> {
    await ended('the operator', this.#operator?.stop());
    await ended('the auditor', this.auditor.stop());
    await ended('the proxy', this.proxy.close());
  }

  /** Starts the operator behind the proxy. */
  async startOperator(): Promise<void> {
    const via = { server: this.proxy.server, ca: this.proxy.ca };
    const options = { controlPlane: this.#controlPlane, flags: FLAGS, via, timing: TIMING };
    const operator = await startOperator(options);
    this.#operator = operator;
    this.#hasEnded = false;
    void operator.ended.then(() => {
      this.#hasEnded ||= operator === this.#operator;
    });
  }

  /** Stops it in good order. */
  async stopOperator(): Promise<void> {
    const operator = this.#operator;
    this.#operator = undefined;
    await operator?.stop();
  }

  /** Resolves when the auditor finds nothing wrong, with the operator that was started still running. */
  async allIsTrue(): Promise<void> {
    const check = async (): Promise<boolean> => {
      const violations = await this.auditor.violations();
      if (violations.length === 0) return true;
      throw new Error(`${violations.length} violations: ${violations.slice(0, SHOWN_VIOLATIONS).join('; ')}`);
    };
    await eventually('everything to be true', check);
    expect(this.#hasEnded, 'the operator has ended').to.equal(false);
  }

  /** In each namespace: a new agent, one with another spec, and one without its Secret. */
  async change(): Promise<void> {
    const at = this.#changes++;
    const last = at === 0 ? 'agent-0' : `new-${at - 1}`;
    const certificate = { duration: `${FIRST_DURATION_MINUTES + at}m` };
    for (const namespace of NAMESPACES) {
      await this.swarm.createAgent(`new-${at}`, {}, namespace);
      const edited = { namespace, name: `agent-${at % AGENTS_PER_NAMESPACE}` };
      await this.swarm.client.mergePatch(AGENT_IDENTITY, { ...edited, patch: { spec: { certificate } } });
      await this.deleteSecret(namespace, `${last}-tls`);
    }
  }

  /** Deletes a Secret, if there is one. */
  async deleteSecret(namespace: string, name: string): Promise<void> {
    try {
      await this.swarm.client.delete(SECRET, { namespace, name });
    } catch (error) {
      if (isKubeError(error, 'KUBE_NOT_FOUND')) return;
      throw error;
    }
    this.auditor.reason(`${namespace}/${name}`);
  }

  /** Makes changes while a fault is on, until it was met often enough; all is true after it is off. */
  async survives(injection: Injection & { readonly times: number }): Promise<void> {
    const active = this.proxy.inject(injection);
    await this.change();
    await this.met(active, injection.times);
    active.lift();
    await this.allIsTrue();
  }

  /** Resolves when a fault was met so often. */
  async met(active: ActiveFault, times: number): Promise<void> {
    await eventually(`the fault to be met ${times} times`, () => active.hits >= times);
  }
}

/** Waits for an end, so that a test says whose does not come. */
async function ended(whose: string, end: Promise<unknown> | undefined): Promise<void> {
  await eventually(`${whose} to end`, async () => {
    await end;
    return true;
  });
}

/** Sets one up before the tests of the suite it is called in, and takes it down after them. */
export function useFaultyCluster(controlPlane: () => ControlPlane, swarm: () => Swarm): () => FaultyCluster {
  let cluster: FaultyCluster | undefined;
  before(async () => {
    const { server, caPath } = controlPlane();
    const proxy = await startFaultProxy({ server, ca: await readFile(caPath, 'utf8') });
    const auditor = new Auditor({
      client: swarm().client,
      namespaces: NAMESPACES,
      operatorNamespace: OPERATOR_NAMESPACE,
      journal: () => proxy.journal,
    });
    cluster = new FaultyCluster({ proxy, auditor, swarm: swarm(), controlPlane: controlPlane() });
    await cluster.begin();
  });
  after(async () => {
    await cluster?.end();
  });
  return () => {
    if (cluster === undefined) throw new Error('the cluster is there from the first test on, not earlier');
    return cluster;
  };
}
