/** One whole rotation of the authority, with handshakes all the time: from the next generation to the end of the one before. */

import { AGENT_IDENTITY } from '../../../src/api/group.ts';
import { createAuthority } from '../../../src/crypto/authority.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { SECRET, SERVICE_ACCOUNT } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { AuthorityProbe } from '../authority.ts';
import { eventually } from '../eventually.ts';
import { authoritySecret } from './authority-secret.ts';
import { startProber } from './prober.ts';
import type { ProbedAgent } from './prober-pod.ts';
import type { Kind } from './prober-tally.ts';

/** The generation whose end is awaited. Instants are milliseconds since the Unix epoch. */
export interface OutgoingAuthority {
  readonly id: string;
  /** When the next one is prepared. */
  readonly halfAtMs: number;
  /** Its last leaves end with it. */
  readonly notAfterMs: number;
}

/** Who talks while what happens how fast. */
export interface RotationWorld {
  readonly agents: readonly ProbedAgent[];
  /** Divides all periods, and how late mounted files are. */
  readonly acceleration: number;
  readonly seed: number;
}

/** What is probed. */
export interface RotationOptions extends RotationWorld {
  readonly client: KubeClient;
  readonly outgoing: OutgoingAuthority;
  /** Called when all pods talk; handshakes go on until it is done, and the rotation too. */
  readonly meanwhile?: () => Promise<void>;
}

/** What was found. */
export interface ProbedRotation {
  /** In which both sides have verified each other: from the next generation being made to the old one being dropped. */
  readonly handshakes: number;
  /** In the whole run; a line for each of the first. */
  readonly failed: number;
  readonly failures: readonly string[];
  /** What failed since this machine stood still: a line for each of the first. */
  readonly stalls: readonly string[];
  readonly kinds: ReadonlyMap<Kind, number>;
  /** For people. */
  readonly summary: string;
}

/** Those that are probed, unless something else is asked for. */
export const PROBED_AGENTS: readonly ProbedAgent[] = ['ai-agents', 'ai-data'].flatMap((namespace) =>
  ['agent-a', 'agent-b'].map((name) => ({ namespace, name, hasBundle: true })),
);

/** A rotation with fewer handshakes shows nothing. */
export const MIN_HANDSHAKES = 20_000;

const LIFE_MS = 24 * 3_600_000;
const MAX_MOUNT_DELAY_MS = 2 * 60_000;
/** From the start to the half of the life of the first generation: for the operator to start and all agents to be ready. */
const LEAD_MS = 45_000;
/** Verifications with what is left in the end. */
const AFTERWARDS = 500;

/** The namespaces of its agents, each once. */
export function namespacesOf({ agents }: Pick<RotationWorld, 'agents'>): readonly string[] {
  return [...new Set(agents.map(({ namespace }) => namespace))];
}

/** How fast everything goes for the operator, beside which namespaces it governs. */
export function rotationFlags({ acceleration }: Pick<RotationWorld, 'acceleration'>): readonly string[] {
  return ['--authority-life=24h', `--authority-acceleration=${acceleration}`];
}

/** Puts an authority there, half of whose life is over soon. No operator may run. */
export async function putAgedAuthority(client: KubeClient, acceleration: number): Promise<OutgoingAuthority> {
  const lifeMs = LIFE_MS / acceleration;
  const halfAtMs = Date.now() + LEAD_MS;
  const made = createAuthority({ trustDomain: 'cluster.local', nowMs: halfAtMs - lifeMs / 2, lifeMs });
  await client.create(SECRET, authoritySecret(made));
  return { id: made.id, halfAtMs, notAfterMs: made.notAfterMs };
}

/**
 * Makes the agents, and handshakes between them until the outgoing authority has left all files. The operator runs already.
 *
 * @throws Error when the rotation does not go on in time.
 */
export async function probeRotation(options: RotationOptions): Promise<ProbedRotation> {
  const { client, agents, acceleration, seed, outgoing } = options;
  const authority = new AuthorityProbe(client);
  await Promise.all(agents.map((agent) => createAgent(client, agent)));
  const maxMountDelayMs = MAX_MOUNT_DELAY_MS / acceleration;
  const prober = await startProber({ client, agents, maxMountDelayMs, seed, outgoing: outgoing.id });
  try {
    const patience = { timeoutMs: outgoing.notAfterMs - Date.now() + 60_000 };
    const done = options.meanwhile?.();
    // Awaited below; until then something else may fail first.
    done?.catch(() => {});
    await authority.until('the next generation', ({ generations }) => generations.size > 1, patience);
    const begunMs = performance.now();
    const before = prober.tally.verified;
    await authority.until('it to sign', ({ signing }) => signing !== outgoing.id, patience);
    const signsAfterMs = performance.now() - begunMs;
    await authority.until(
      'the old one to be gone',
      ({ generations }) => !generations.has(outgoing.id),
      patience,
    );
    const handshakes = prober.tally.verified - before;
    const seconds = (performance.now() - begunMs) / 1000;
    await eventually('all pods to be without it', () => !prober.isInUse(outgoing.id));
    await done;
    await eventually(
      'handshakes without it',
      () => (prober.tally.kinds.get('new leaf, new bundle') ?? 0) >= AFTERWARDS,
    );
    const { failed, failures, stalls, kinds, behind } = prober.tally;
    const counts = [...kinds].map(([kind, count]) => `${kind}: ${count}`).join('; ');
    const summary = `${handshakes} handshakes in a rotation of ${seconds.toFixed(1)} s (periods divided by ${acceleration}), the next generation signs after ${(signsAfterMs / 1000).toFixed(1)} s; ${failed} failed; files up to ${Math.round(maxMountDelayMs)} ms late (seed ${seed}), ${behind} handshakes with older files than there were; ${counts}`;
    return { handshakes, failed, failures, stalls, kinds, summary };
  } finally {
    await prober.stop();
  }
}

async function createAgent(client: KubeClient, { namespace, name }: ProbedAgent): Promise<void> {
  await client.create(SERVICE_ACCOUNT, { metadata: { name, namespace } });
  const identity: KubeObject & { readonly spec: object } = { metadata: { name, namespace }, spec: {} };
  await client.create<KubeObject>(AGENT_IDENTITY, identity);
}
