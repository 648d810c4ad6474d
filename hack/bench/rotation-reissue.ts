/** All leaves replaced at once, at the bounded rate, and how long new identities wait meanwhile. */

import { AGENT_IDENTITY } from '../../src/api/group.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import { SECRET, SERVICE_ACCOUNT } from '../../src/kube/core-types.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { AuthorityProbe, type SeenAuthority } from '../../test/support/authority.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import { installChart } from '../operator/install-chart.ts';
import {
  type BenchCluster,
  startBenchOperator,
  WORKERS,
  watchReady,
  withBenchCluster,
} from './bench-cluster.ts';
import { concurrently } from './concurrently.ts';
import { type BenchRow, percentile } from './row.ts';

/** Most agents; those that come one by one before anything happens; those that come while leaves are replaced. */
const NAMESPACES = { most: 'bench-most', quiet: 'bench-quiet', busy: 'bench-busy' } as const;
const RATE_PER_SECOND = 20;
/**
 * A generation signs a hundred seconds after it is seen everywhere. Faster, and the operator would look at everything more often
 * than every five seconds, as it does in earnest.
 */
const FLAGS = ['--authority-life=8760h', '--authority-acceleration=6', `--reissue-rate=${RATE_PER_SECOND}`];
/** New identities come this often: they are there in the first four fifths of the time that replacing takes at least. */
const NEW_PER_SECOND = 5;
const PATIENCE = { timeoutMs: 20 * 60_000 };

interface Bench extends BenchCluster {
  /** Leaves that are replaced; some of them belong to `samples` identities that came one by one. */
  readonly count: number;
  readonly samples: number;
  readonly authority: AuthorityProbe;
}

/** Measures with `count` leaves. */
export async function reissueRows({ count }: { readonly count: number }): Promise<readonly BenchRow[]> {
  const samples = Math.max(1, Math.floor((count / RATE_PER_SECOND) * 0.8 * NEW_PER_SECOND));
  return withBenchCluster((cluster) =>
    measure({ ...cluster, count, samples, authority: new AuthorityProbe(cluster.client) }),
  );
}

async function measure(bench: Bench): Promise<readonly BenchRow[]> {
  const { controlPlane, count, samples } = bench;
  const namespaces = Object.values(NAMESPACES);
  for (const namespace of namespaces) await controlPlane.kubectl(['create', 'namespace', namespace]);
  await installChart({ kubeconfigPath: controlPlane.kubeconfigPath, namespaces });
  await createAccounts(bench, NAMESPACES.most, count - samples);
  await createAccounts(bench, NAMESPACES.quiet, samples);
  await createAccounts(bench, NAMESPACES.busy, samples);
  const operator = await startBenchOperator(bench, {
    namespace: namespaces.join(','),
    flags: FLAGS,
    isReady: (each) => each.isReady(),
    ...PATIENCE,
  });
  try {
    await createMost(bench);
    const quietMs = percentile(await createOneByOne(bench, NAMESPACES.quiet), 0.99);
    const { busy, seconds, progress } = await replaceAll(bench);
    const busyMs = percentile(busy, 0.99);
    const floor = count / RATE_PER_SECOND;
    console.log(
      `${count} leaves replaced; agent-trust-authority-state showed ${progress.length} stages: ${progress.slice(0, 2).join(', ')} ... ${progress.at(-1)}; ${samples} new identities came meanwhile`,
    );
    return [
      {
        name: 'reissue-all',
        value: seconds,
        unit: 's',
        floor,
        ratio: seconds / floor,
        goal: `${RATE_PER_SECOND} in a second`,
      },
      {
        name: 'new-identity-p99',
        value: busyMs,
        unit: 'ms',
        floor: quietMs,
        ratio: busyMs / quietMs,
        goal: 'ratio under 2; the floor is when nothing else happens',
      },
    ];
  } finally {
    await operator.stop();
  }
}

function createAccounts({ client }: Bench, namespace: string, count: number): Promise<void> {
  return concurrently(count, WORKERS, (index) =>
    client.create(SERVICE_ACCOUNT, { metadata: { name: `agent-${index}`, namespace } }),
  );
}

async function createIdentity({ client }: Bench, namespace: string, index: number): Promise<string> {
  const name = `agent-${index}`;
  const identity: KubeObject & { readonly spec: object } = { metadata: { name, namespace }, spec: {} };
  await client.create<KubeObject>(AGENT_IDENTITY, identity);
  return name;
}

async function createMost(bench: Bench): Promise<void> {
  const count = bench.count - bench.samples;
  if (count === 0) return;
  const namespace = NAMESPACES.most;
  const { allReady } = await watchReady(bench, {
    type: AGENT_IDENTITY,
    namespace,
    count,
    ...PATIENCE,
  });
  await concurrently(count, WORKERS, (index) => createIdentity(bench, namespace, index));
  await allReady;
}

/** At a steady rate, whether those before are Ready or not. Gives milliseconds from each create being sent to Ready. */
async function createOneByOne(bench: Bench, namespace: string): Promise<readonly number[]> {
  const { samples: count } = bench;
  const { allReady } = await watchReady(bench, {
    type: AGENT_IDENTITY,
    namespace,
    count,
    ...PATIENCE,
  });
  const sentAtMs = new Map<string, number>();
  const startedMs = performance.now();
  const creates: Promise<unknown>[] = [];
  for (let index = 0; index < count; index++) {
    const dueMs = startedMs + (index / NEW_PER_SECOND) * 1000;
    await waitUntil(() => performance.now() >= dueMs, { ...PATIENCE, intervalMs: 1 });
    sentAtMs.set(`agent-${index}`, performance.now());
    creates.push(createIdentity(bench, namespace, index));
  }
  await Promise.all(creates);
  const readyAtMs = await allReady;
  return [...readyAtMs].map(([name, atMs]) => atMs - (sentAtMs.get(name) ?? Number.NaN));
}

/** Taints the generation that has signed all leaves. Seconds: from another one signing to no leaf of it being held. */
async function replaceAll(bench: Bench): Promise<{
  readonly busy: readonly number[];
  readonly seconds: number;
  readonly progress: readonly string[];
}> {
  const { authority } = bench;
  const { signing: tainted } = await authority.see();
  await authority.ask({ taint: tainted });
  const { signing } = await authority.until(
    'another one to sign',
    (seen) => seen.signing !== tainted,
    PATIENCE,
  );
  const [busy, { after, progress }] = await Promise.all([
    createOneByOne(bench, NAMESPACES.busy),
    followProgress(bench, tainted),
  ]);
  const left = await leavesOf(bench, tainted);
  if (left > 0) throw new Error(`${left} leaves of generation ${tainted} were not replaced`);
  const instant = (text: string | undefined): number => Date.parse(text ?? '');
  const seconds =
    (instant(after.generations.get(tainted)?.reissuedAt) -
      instant(after.generations.get(signing)?.activatedAt)) /
    1000;
  return { busy, seconds, progress };
}

/** What the state says of it, each stage once, until it is done. */
async function followProgress(
  { authority }: Bench,
  id: string,
): Promise<{ readonly after: SeenAuthority; readonly progress: readonly string[] }> {
  const progress = new Set<string>();
  const after = await authority.until(
    'all leaves to be replaced',
    (seen) => {
      const { reissue } = seen.texts;
      if (reissue !== undefined) progress.add(reissue);
      return seen.generations.get(id)?.reissuedAt !== undefined;
    },
    PATIENCE,
  );
  return { after, progress: [...progress] };
}

async function leavesOf({ client, authority }: Bench, id: string): Promise<number> {
  let found = 0;
  for (const namespace of Object.values(NAMESPACES)) {
    const { items } = await client.list<Secret>(SECRET, { namespace });
    const names = items.map(({ metadata }) => metadata.name).filter((name) => name.endsWith('-tls'));
    await concurrently(names.length, WORKERS, async (index) => {
      const { signedBy } = await authority.inSecret(names[index] ?? '', namespace);
      if (signedBy === id) found += 1;
    });
  }
  return found;
}
