/** What the demo shows of a rotation: the authority gets another key while agents go on calling each other. */

import { join } from 'node:path';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { mountFiles } from '../../src/dev/folder.ts';
import type { GenerationPhase } from '../../src/domain/authority/facts.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import type { Access } from './access.ts';
import {
  ask,
  authorityWhen,
  carriedEverywhere,
  type Holders,
  type Intent,
  type SeenAuthority,
  signersOf,
} from './authority.ts';
import type { DelegatingAgents } from './delegated-calls.ts';
import { Mismatch } from './mismatch.ts';
import { podFiles } from './pod-folder.ts';
import { Repeated } from './repeated.ts';
import type { Stage } from './stage.ts';
import { AGENTS } from './swarm.ts';
import { Talk } from './talk.ts';

/** Who is on stage. */
export interface RotationScene {
  readonly stage: Stage;
  readonly access: Access;
  /** Where each agent has a folder with the files of its pod. */
  readonly pods: string;
  readonly identities: readonly AgentIdentity[];
  readonly agents: DelegatingAgents;
  /** By how much the operator divides the periods of the authority. */
  readonly acceleration: number;
}

/** Both names, and what carries their certificates. */
interface Succession extends Holders {
  readonly before: string;
  readonly next: string;
}

const SETTLE_SECONDS = 600;
/** A kubelet takes up to two minutes; the operator waits for ten, or for as much less as it is accelerated. */
const MOUNT_INTERVAL_MS = 200;
const TIMEOUT_MS = 20_000;
/** From the coordinator to the deployer, and from there to the validator. */
const CALLS_PER_ROUND = 2;
const LAST_ROUNDS = 40;
const NOT_WAITED_FOR =
  'Ten minutes, since files follow late where pods run. The demo does not wait; with --keep it comes.';

/** Tells of it; all of it where the operator is accelerated, else up to where ten minutes have to pass. */
export async function tellOfRotation(scene: RotationScene): Promise<void> {
  const { stage, agents } = scene;
  stage.screen.line(
    ' An administrator replaces the key of the authority, while coordinator, deployer and validator call each other:',
  );
  const kubelet = new Repeated(MOUNT_INTERVAL_MS, () => mountAnew(scene));
  const talk = new Talk(CALLS_PER_ROUND, () => agents.delegate());
  try {
    const succession = await prepare(scene);
    if (scene.acceleration > 1) await replace(scene, succession);
    await stage.step(
      'calls made meanwhile, each over mutual TLS and with a token',
      () => talk.finish(LAST_ROUNDS),
      (calls) => ({ shown: `${calls}, failed: 0` }),
    );
    await kubelet.stop();
  } finally {
    await Promise.allSettled([talk.stop(), kubelet.stop()]);
  }
}

/** Another generation is made and carried everywhere. */
async function prepare(scene: RotationScene): Promise<Succession> {
  const { stage, access, identities, acceleration } = scene;
  const holders = { namespace: AGENTS, agents: identities.map(({ metadata }) => metadata.name) };
  const before = idOf('signing', await authorityWhen(access, 'a generation that signs', has('signing')));
  await asked(scene, { rotateBefore: new Date().toISOString().replace(/\.\d+Z$/, 'Z') });
  const next = await stage.step(
    'another generation is made; it signs nothing yet',
    async () => idOf('prepared', await authorityWhen(access, 'a generation to be made', has('prepared'))),
    (id) => ({ shown: `prepared: ${id}` }),
  );
  const isSeen = ({ generations, message }: SeenAuthority): boolean =>
    acceleration === 1
      ? message.includes(`${next} is seen everywhere`)
      : generations.some(({ id, seenSinceMs }) => id === next && seenSinceMs !== undefined);
  await stage.step(
    `it is seen in ca.crt of the bundle and of all ${identities.length} Secrets`,
    async () => {
      await carriedEverywhere(access, holders, [before, next]);
      return authorityWhen(access, 'the operator to say so', isSeen);
    },
    ({ message }) => (acceleration === 1 ? { notes: [message, NOT_WAITED_FOR] } : {}),
  );
  return { ...holders, before, next };
}

/** It takes over, and nothing is left of the one before. */
async function replace(scene: RotationScene, { before, next, ...holders }: Succession): Promise<void> {
  const { stage, access, agents, acceleration } = scene;
  const seconds = SETTLE_SECONDS / acceleration;
  await stage.step(
    `it signs ${seconds} s after that: ten minutes, divided by ${acceleration} for the demo`,
    () => authorityWhen(access, `generation ${next} to sign`, (seen) => idOf('signing', seen) === next),
  );
  await asked(scene, { taint: before });
  await stage.step(
    'certificates that the one before has signed are replaced at once, not over hours',
    async () => {
      const { generations } = await authorityWhen(access, 'all certificates to be replaced', (seen) =>
        seen.generations.some(({ id, reissuedAtMs }) => id === before && reissuedAtMs !== undefined),
      );
      await signedBy(next, 'every Secret', () => signersOf(access, holders));
      await signedBy(next, 'the agents that call each other', async () => agents.signers());
      return generations.find(({ id }) => id === before)?.reissueTotal ?? 0;
    },
    (total) => ({ shown: `re-issued ${total} of ${total}` }),
  );
  await asked(scene, { taint: null, revoke: before });
  await stage.step('the one before is trusted by nobody any more', async () => {
    await authorityWhen(access, `generation ${before} to be gone`, ({ generations }) =>
      generations.every(({ id }) => id !== before),
    );
    await carriedEverywhere(access, holders, [next]);
  });
}

async function asked({ stage, access }: RotationScene, intent: Intent): Promise<void> {
  stage.screen.line(`   $ ${await ask(access, intent)}`);
}

async function signedBy(id: string, what: string, signers: () => Promise<readonly string[]>): Promise<void> {
  let seen: readonly string[] = [];
  const isSo = async (): Promise<boolean> => {
    seen = await signers();
    return seen.every((signer) => signer === id);
  };
  if (!(await waitUntil(isSo, { timeoutMs: TIMEOUT_MS })))
    throw new Mismatch(`${what} to have a certificate of generation ${id}`, `signed by ${seen.join(', ')}`);
}

/** What a kubelet does, but sooner. */
async function mountAnew({ access, pods, identities }: RotationScene): Promise<void> {
  for (const identity of identities)
    mountFiles(join(pods, identity.metadata.name), await podFiles(access, identity));
}

function has(phase: GenerationPhase): (seen: SeenAuthority) => boolean {
  return ({ generations }) => generations.some((each) => each.phase === phase);
}

function idOf(phase: GenerationPhase, { generations }: SeenAuthority): string {
  return generations.find((each) => each.phase === phase)?.id ?? '';
}
