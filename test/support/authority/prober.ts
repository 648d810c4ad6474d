/**
 * Makes handshakes all the time between the pods of some agents, with the files that each has mounted.
 *
 * Every agent has a pod for each way in which files can be late: at random, at once, and as late as can be; each object by
 * itself, since a kubelet fetches Secrets and ConfigMaps apart. So an old leaf meets a new bundle, and a new leaf an old one,
 * whenever that is possible at all.
 */

import { setTimeout as wait } from 'node:timers/promises';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { Cache } from '../../../src/kube/cache.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { CONFIG_MAP, SECRET } from '../../../src/kube/core-types.ts';
import { eventually } from '../eventually.ts';
import { pseudoRandom } from '../pseudo-random.ts';
import { Wakefulness } from './prober-awake.ts';
import { type BundleFiles, caFiles, type LeafFiles, leafFiles } from './prober-files.ts';
import { type Pair, shakeHands } from './prober-handshake.ts';
import { type PodHabits, type ProbedAgent, ProbePod } from './prober-pod.ts';
import { Tally } from './prober-tally.ts';

/** What is probed. */
export interface ProberOptions {
  readonly client: KubeClient;
  readonly agents: readonly ProbedAgent[];
  /** How late a pod gets a new version at most, milliseconds. */
  readonly maxMountDelayMs: number;
  readonly seed: number;
  /** The generation that will be replaced. */
  readonly outgoing: string;
}

const BUNDLE = 'agent-trust-bundle';
const AT_A_TIME = 4;
/** No more than these, so that something is left of the machine for everybody else. */
const PER_SECOND = 250;

/** Starts it; resolves when all pods listen. */
export async function startProber(options: ProberOptions): Promise<Prober> {
  const prober = new Prober(options);
  try {
    await prober.start();
  } catch (error) {
    await prober.stop();
    throw error;
  }
  return prober;
}

/** A prober that runs. */
export class Prober {
  readonly tally: Tally;
  readonly #pods: readonly ProbePod[];
  readonly #pairs: readonly Pair[];
  readonly #random: () => number;
  readonly #client: KubeClient;
  readonly #awake = new Wakefulness();
  readonly #end = new AbortController();
  #work: Promise<unknown> = Promise.resolve();
  #turn = 0;
  #nextAtMs = 0;

  /** Use {@link startProber}. */
  constructor({ client, agents, maxMountDelayMs, seed, outgoing }: ProberOptions) {
    this.tally = new Tally({ outgoing, maxMountDelayMs });
    this.#client = client;
    this.#random = pseudoRandom(seed);
    const habits = habitsWithin(maxMountDelayMs, this.#random);
    this.#pods = agents.flatMap((agent) =>
      habits
        .filter(({ trusts }) => agent.hasBundle || trusts === 'Secret')
        .map((each) => new ProbePod(agent, each, this.#awake)),
    );
    this.#pairs = this.#pods.flatMap((server) =>
      this.#pods.filter((pod) => pod !== server).map((pod) => ({ client: pod, server })),
    );
  }

  /** Whether the files of some pod still carry that generation, or it shows a leaf of it. */
  isInUse(id: string): boolean {
    return this.#pods.some(({ inUse }) => inUse?.signedBy === id || inUse?.trusted.includes(id) === true);
  }

  /** Resolves when all pods listen; from then on handshakes are made. */
  async start(): Promise<void> {
    const { signal } = this.#end;
    const caches = [...new Set(this.#pods.map(({ agent }) => agent.namespace))].flatMap((namespace) => [
      this.#followSecrets(namespace),
      this.#followBundle(namespace),
    ]);
    const follow = caches.map((cache) => cache.start(signal));
    this.#work = Promise.all(follow);
    await eventually('all pods to listen', () => this.#pods.every(({ port }) => port !== undefined));
    const loops = Array.from({ length: AT_A_TIME }, () => this.#shake());
    this.#work = Promise.all([...follow, ...loops]);
  }

  /** Ends it; nothing is counted any more. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#work;
    await Promise.all(this.#pods.map((pod) => pod.close()));
    this.#awake.close();
  }

  async #shake(): Promise<void> {
    while (!this.#end.signal.aborted) {
      const behind = this.#pods.filter(({ isBehind }) => isBehind);
      const pair = behind.length > 0 ? this.#latePair(behind) : this.#nextPair();
      this.tally.add(await shakeHands(pair), behind.length > 0);
      await this.#pace(behind.length > 0);
    }
  }

  /** As fast as can be while it matters. */
  async #pace(isUrgent: boolean): Promise<void> {
    const nowMs = performance.now();
    this.#nextAtMs = Math.max(nowMs, this.#nextAtMs + (isUrgent ? 0 : 1000 / PER_SECOND));
    await wait(this.#nextAtMs - nowMs);
  }

  /** All pairs in turn, as long as every pod has the latest files. */
  #nextPair(): Pair {
    this.#turn += 1;
    return oneOf(this.#pairs, this.#turn);
  }

  /** One that has older files than there are, with any other. */
  #latePair(behind: readonly ProbePod[]): Pair {
    const late = this.#drawn(behind);
    const other = this.#drawn(this.#pods.filter((pod) => pod !== late));
    return this.#random() < 0.5 ? { client: late, server: other } : { client: other, server: late };
  }

  #drawn<T>(from: readonly T[]): T {
    return oneOf(from, Math.floor(this.#random() * from.length));
  }

  #followSecrets(namespace: string): Cache<LeafFiles, Secret> {
    const labelSelector = 'agenttrust.dev/managed=true';
    const cache: Cache<LeafFiles, Secret> = new Cache({
      client: this.#client,
      type: SECRET,
      namespace,
      labelSelector,
      project: leafFiles,
    });
    cache.onChange((key, files) => {
      for (const pod of this.#pods) {
        if (files !== undefined && key === `${pod.agent.namespace}/${pod.agent.name}-tls`)
          pod.secret.write(files, this.#awake.awakeAtMs);
      }
    });
    return cache;
  }

  #followBundle(namespace: string): Cache<BundleFiles, ConfigMap> {
    const cache: Cache<BundleFiles, ConfigMap> = new Cache({
      client: this.#client,
      type: CONFIG_MAP,
      namespace,
      fieldSelector: `metadata.name=${BUNDLE}`,
      project: ({ data = {} }) => caFiles(data['ca.crt'] ?? ''),
    });
    cache.onChange((_key, files) => {
      for (const { agent, bundle } of this.#pods) {
        if (files !== undefined && agent.namespace === namespace) bundle.write(files, this.#awake.awakeAtMs);
      }
    });
    return cache;
  }
}

/** The ways in which files can be late. */
function habitsWithin(maxDelayMs: number, random: () => number): readonly PodHabits[] {
  const atOnce = (): number => 0;
  const late = (): number => maxDelayMs;
  const some = (): number => random() * maxDelayMs;
  return [
    { trusts: 'Secret', secretDelayMs: some, bundleDelayMs: some },
    { trusts: 'bundle', secretDelayMs: some, bundleDelayMs: some },
    { trusts: 'Secret', secretDelayMs: atOnce, bundleDelayMs: atOnce },
    { trusts: 'Secret', secretDelayMs: late, bundleDelayMs: late },
    { trusts: 'bundle', secretDelayMs: atOnce, bundleDelayMs: late },
    { trusts: 'bundle', secretDelayMs: late, bundleDelayMs: atOnce },
  ];
}

function oneOf<T>(from: readonly T[], index: number): T {
  const found = from[index % from.length];
  if (found === undefined) throw new RangeError('there is nothing to draw from');
  return found;
}
