/**
 * A leader that dies at its first, second, third ... request, and what another makes of what it left behind. Each round
 * begins with nothing and lives through everything that the operator does for identities.
 */

import { readFileSync } from 'node:fs';
import type { ControlPlane } from '../../hack/control-plane/control-plane.ts';
import { OPERATOR_NAMESPACE } from '../../hack/operator/install-chart.ts';
import {
  AGENT_IDENTITY,
  AUTHORITY_SECRET_NAME,
  BUNDLE_NAME,
  LABEL_LEDGER,
  LABEL_MANAGED,
  LEASE_NAME,
  LEDGER_PREFIX,
} from '../../src/api/group.ts';
import { NETWORK_POLICY } from '../../src/controllers/mesh/kinds.ts';
import { meshObjectName } from '../../src/domain/mesh/names.ts';
import { CONFIG_MAP, LEASE, SECRET, SERVICE_ACCOUNT } from '../../src/kube/core-types.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { ResourceType } from '../../src/kube/object.ts';
import { Crash, type CrashPlan, STEADY_LEASE, vacateLease } from './crash.ts';
import { eventually } from './eventually.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { type OperatorOptions, type RunningOperator, startOperator } from './operator.ts';
import type { ProxiedRequest } from './proxied-request.ts';
import { AGENTS, type Swarm } from './swarm.ts';
import { defects, ledgerLines } from './wholeness.ts';

/** One worker: the requests come in the same order in each round. */
const FLAGS = [`--namespaces=${AGENTS}`, '--workers=1', ...STEADY_LEASE];

/** Each is named after what happens to it. */
const NAMES = ['untouched', 'altered', 'frozen', 'changed', 'deleted', 'suspended'];

/** A leaf for each, and one more for the changed one; a crash may cost one. */
const MAX_LEAVES = NAMES.length + 2;

/** A point that only comes now and then is given up after so many rounds without it. */
const MAX_TRIES = 3;

/** What people do in the course of a round; before each step the operator has done its part, or is dead. */
const STEPS: readonly ((swarm: Swarm) => Promise<unknown>)[] = [
  (swarm) => edit(swarm, SECRET, 'altered-tls', { data: { 'ca.crt': '' } }),
  (swarm) => edit(swarm, SECRET, 'frozen-tls', { immutable: true }),
  (swarm) =>
    edit(swarm, AGENT_IDENTITY, 'changed', {
      spec: { certificate: { secretName: 'changed-again', duration: '12h' } },
    }),
  (swarm) => swarm.client.delete(AGENT_IDENTITY, { namespace: AGENTS, name: 'deleted' }),
  (swarm) => edit(swarm, AGENT_IDENTITY, 'suspended', { spec: { suspended: true } }),
];

/** What the leader waits for in the course of its work; it renews its Lease and sends its events beside it. */
export function isOfTheLoop({ resource, method }: ProxiedRequest): boolean {
  return resource !== 'events' && !(resource === 'leases' && method === 'PUT');
}

/** Those of them that change something. */
export function isWriteOfTheLoop(request: ProxiedRequest): boolean {
  return request.method !== 'GET' && isOfTheLoop(request);
}

/** Every write of a round, but for those of status, which depend on which of the controllers is first. */
export const EVERY_WRITE: readonly string[] = [
  `POST leases ${OPERATOR_NAMESPACE}/${LEASE_NAME} #1`,
  `POST configmaps ${OPERATOR_NAMESPACE}/${LEDGER_PREFIX}1 #1`,
  `POST secrets ${OPERATOR_NAMESPACE}/${AUTHORITY_SECRET_NAME} #1`,
  `POST configmaps ${AGENTS}/${BUNDLE_NAME} #1`,
  ...[...NAMES, 'changed again'].map(
    (_, at) => `PUT configmaps ${OPERATOR_NAMESPACE}/${LEDGER_PREFIX}1 #${at + 1}`,
  ),
  ...NAMES.map((name) => `POST networkpolicies ${AGENTS}/${wallOf(name)} #1`),
  `PUT networkpolicies ${AGENTS}/${wallOf('suspended')} #1`,
  `DELETE networkpolicies ${AGENTS}/${wallOf('deleted')} #1`,
  ...NAMES.flatMap((name) => ['tls', 'signing'].map((kind) => `POST secrets ${AGENTS}/${name}-${kind} #1`)),
  `PUT secrets ${AGENTS}/altered-tls #1`,
  `DELETE secrets ${AGENTS}/frozen-tls #1`,
  `POST secrets ${AGENTS}/frozen-tls #2`,
  `POST secrets ${AGENTS}/changed-again #1`,
  ...['changed', 'deleted', 'suspended'].flatMap((name) =>
    ['PUT', 'DELETE'].map((verb) => `${verb} secrets ${AGENTS}/${name}-tls #1`),
  ),
  ...['deleted', 'suspended'].flatMap((name) =>
    ['PUT', 'DELETE'].map((verb) => `${verb} secrets ${AGENTS}/${name}-signing #1`),
  ),
];

function wallOf(name: string): string {
  return meshObjectName('net', { namespace: AGENTS, name });
}

/** The rounds on one control plane. */
export class CrashRounds {
  readonly #controlPlane: ControlPlane;
  readonly #swarm: Swarm;
  readonly #plan: Omit<CrashPlan, 'point'>;
  readonly #points = new Set<string>();
  readonly #buried: Promise<unknown>[] = [];

  constructor(controlPlane: ControlPlane, swarm: Swarm, plan: Omit<CrashPlan, 'point'>) {
    this.#controlPlane = controlPlane;
    this.#swarm = swarm;
    this.#plan = plan;
  }

  /**
   * A round without a death, and one for each request that was seen in any of the rounds.
   *
   * @returns the requests at which the leader died, such as `POST secrets ai-agents/altered-tls #1`. What came once and
   * not again in three rounds is not among them.
   */
  async run(): Promise<readonly string[]> {
    for (const name of NAMES) {
      await this.#swarm.client.create(SERVICE_ACCOUNT, { metadata: { name, namespace: AGENTS } });
    }
    await this.#round(undefined);
    const died: string[] = [];
    // Points that are seen for the first time on the way are added to the end.
    for (const point of this.#points) {
      let isHit = false;
      for (let tries = 0; !isHit && tries < MAX_TRIES; tries++) isHit = await this.#round(point);
      if (isHit) died.push(point);
    }
    await Promise.all(this.#buried);
    return died;
  }

  /** Returns whether the leader came to that point. */
  async #round(point: string | undefined): Promise<boolean> {
    for (const name of NAMES) await this.#swarm.createIdentity(name);
    const proxy = await startFaultProxy({
      server: this.#controlPlane.server,
      ca: readFileSync(this.#controlPlane.caPath, 'utf8'),
    });
    const crash = new Crash(proxy, { ...this.#plan, point });
    const { server, ca } = proxy;
    const leader = await this.#start({ via: { server, ca }, logName: 'leader' });
    let hasLostLease = false;
    void leader.ended.then(() => {
      hasLostLease = true;
    });
    const isDead = (): boolean => crash.isOver || hasLostLease;
    for (const step of STEPS) {
      await this.#whole(`everything to be whole or the leader dead at ${point}`, isDead);
      await step(this.#swarm);
    }
    await this.#whole(`everything to be whole or the leader dead at ${point}`, isDead);
    this.#buried.push(leader.kill().then(() => proxy.close()));
    for (const seen of crash.points) this.#points.add(seen);
    await this.#succeed(point);
    return crash.isHit;
  }

  /** Another takes over; then all is taken away, which takes the operator longer than the rest of a round. */
  async #succeed(point: string | undefined): Promise<void> {
    await vacateLease(this.#swarm.client);
    const successor = await this.#start({ logName: 'successor' });
    try {
      await this.#whole(`everything to be whole after a death at ${point}`);
      const leaves = (await ledgerLines(this.#swarm)).length;
      if (leaves > MAX_LEAVES) throw new Error(`${leaves} leaves were signed, with a death at ${point}`);
    } finally {
      await successor.stop();
    }
    await this.#clear();
  }

  async #whole(what: string, isDead: () => boolean = () => false): Promise<void> {
    const check = async (): Promise<boolean> => {
      if (isDead()) return true;
      const found = await defects(this.#swarm);
      if (found.length > 0) throw new Error(found.join('; '));
      return true;
    };
    await eventually(what, check);
  }

  /** Nothing is left for the next round. */
  async #clear(): Promise<void> {
    for (const name of NAMES) await gone(this.#swarm, AGENT_IDENTITY, { namespace: AGENTS, name });
    for (const type of [SECRET, CONFIG_MAP, NETWORK_POLICY]) {
      const selection = { namespace: AGENTS, labelSelector: LABEL_MANAGED };
      const { items } = await this.#swarm.client.list(type, selection);
      for (const { metadata } of items) await gone(this.#swarm, type, metadata);
    }
    const namespace = OPERATOR_NAMESPACE;
    const ledgers = await this.#swarm.client.list(CONFIG_MAP, { namespace, labelSelector: LABEL_LEDGER });
    for (const { metadata } of ledgers.items) await gone(this.#swarm, CONFIG_MAP, metadata);
    await gone(this.#swarm, SECRET, { namespace, name: AUTHORITY_SECRET_NAME });
    await gone(this.#swarm, LEASE, { namespace, name: LEASE_NAME });
  }

  #start(options: Omit<OperatorOptions, 'controlPlane' | 'flags'>): Promise<RunningOperator> {
    return startOperator({ controlPlane: this.#controlPlane, flags: FLAGS, ...options });
  }
}

/** An edit of something that may not be there, because the leader died before it made it. */
async function edit(
  swarm: Swarm,
  type: ResourceType,
  name: string,
  patch: Readonly<Record<string, unknown>>,
): Promise<void> {
  try {
    await swarm.client.mergePatch(type, { namespace: AGENTS, name, patch });
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
  }
}

async function gone(
  { client }: Swarm,
  type: ResourceType,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
): Promise<void> {
  try {
    await client.delete(type, namespace === undefined ? { name } : { namespace, name });
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
  }
}
