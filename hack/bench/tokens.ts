/**
 * Tokens as an agent makes and checks them, with the SDK and the files of `agent-trust dev`; and calls over loopback.
 *
 * The floor of minting and verifying is the bare signature of node:crypto over the same bytes, synchronous, in DER, with the
 * same keys, measured in turns with what it is compared with. `verify-least` is what any verifier does of a JWS that counts once,
 * without a look at a single claim. The floor of calls is node:https with the same certificates.
 */

import { hash, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type DevStreams, parseDev, runDev } from '../../src/cmd/dev.ts';
import { MemoryReplayStore } from '../../src/domain/token/replay/memory-store.ts';
import type { Agent } from '../../src/sdk/agent.ts';
import type { DelegatedToken } from '../../src/sdk/delegate.ts';
import { type Accepted, loadAgent, type ParentToken, type TokenRequest } from '../../src/sdk/index.ts';
import { replayMemoryRow } from './replay-memory.ts';
import { type BenchRow, percentile } from './row.ts';
import { callOptions, callRows } from './token-calls.ts';
import { bareVerifier, inputOf, item, leastVerifier, signingKeys } from './token-floors.ts';

const ROUND_SIZE = 50;
const WARM_UP_ROUNDS = 40;
const READ = [{ name: 'kubectl_get', resources: ['namespaces/staging/deployments/web'] }];
const ASKED = { name: 'kubectl_get', resource: 'namespaces/staging/deployments/web' };
/** Tokens issued within 30 s after a store began to remember are refused, and nobody waits for that here. */
const STORE_AGE_SECONDS = 60;

/** What of the three agents is measured. */
interface Trio {
  readonly coordinator: Agent;
  readonly deployer: Agent;
  readonly validator: Agent;
  /** Where their files are. */
  readonly folder: string;
}

/** Costs in microseconds of one operation, and of the bare signatures that are in it. */
interface Costs {
  readonly mint: Cost;
  readonly verify: Cost;
  readonly verifyLeast: Cost;
  readonly verifyDepth2: Cost;
}

interface Cost {
  readonly own: number;
  readonly floor: number;
}

/** Measures with `count` tokens of each sort. */
export async function benchTokens({ count }: { readonly count: number }): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'agent-trust-bench-'));
  try {
    await makeFiles(folder);
    const rounds = Math.max(1, Math.ceil(count / ROUND_SIZE));
    const one = await measure(folder, rounds);
    const all = await onAllCores(folder, rounds);
    return [
      ...rowsOf(one, ''),
      ...rowsOf(all, '-all-cores'),
      ...(await withTrio(folder, ({ coordinator: caller, deployer: server }) =>
        callRows({ caller, server, folder }),
      )),
      await replayMemoryRow(),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function makeFiles(folder: string): Promise<void> {
  const parsed = parseDev(['--once', `--out=${folder}`, join(import.meta.dirname, '../../examples/swarm')]);
  if (parsed.kind !== 'config') throw new Error('the flags of agent-trust dev have changed');
  const streams: DevStreams = { out: () => undefined, error: () => undefined };
  await runDev(parsed.config, streams, new AbortController().signal);
}

async function withTrio<T>(folder: string, work: (trio: Trio) => Promise<T>): Promise<T> {
  const load = (name: string): Promise<Agent> =>
    loadAgent(join(folder, 'ai-agents', name), {
      store: agedStore(),
      onProblem: () => undefined,
      client: callOptions,
    });
  const trio = {
    coordinator: await load('agent-coordinator'),
    deployer: await load('agent-deployer'),
    validator: await load('agent-validator'),
    folder,
  };
  try {
    return await work(trio);
  } finally {
    await trio.coordinator.close();
    await trio.deployer.close();
    await trio.validator.close();
  }
}

function agedStore(): MemoryReplayStore {
  let ageSeconds = STORE_AGE_SECONDS;
  const store = new MemoryReplayStore({ capacity: 8_000_000, now: () => Date.now() / 1000 - ageSeconds });
  ageSeconds = 0;
  return store;
}

/** One process, one core. */
function measure(folder: string, rounds: number): Promise<Costs> {
  return withTrio(folder, async (trio) => {
    const samples: Costs[] = [];
    for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) samples.push(await measureRound(trio));
    const measured = samples.slice(WARM_UP_ROUNDS);
    const cost = (row: keyof Costs): Cost => medianOf(measured.map((each) => each[row]));
    return costsOf(cost);
  });
}

function costsOf(cost: (row: keyof Costs) => Cost): Costs {
  return {
    mint: cost('mint'),
    verify: cost('verify'),
    verifyLeast: cost('verifyLeast'),
    verifyDepth2: cost('verifyDepth2'),
  };
}

async function measureRound(trio: Trio): Promise<Costs> {
  const { coordinator, deployer, validator, folder } = trio;
  const keys = {
    coordinator: signingKeys(folder, 'agent-coordinator'),
    deployer: signingKeys(folder, 'agent-deployer'),
  };
  const mintOne = (): DelegatedToken => minted(coordinator.delegate({ to: deployer.id, capabilities: READ }));
  const input = inputOf(mintOne().token);
  const first: DelegatedToken[] = [];
  const parents: ParentToken[] = [];
  const second: DelegatedToken[] = [];
  const mint = await inTurns(
    () => {
      first.push(mintOne());
    },
    () => {
      sign('sha256', input, keys.coordinator.privateKey);
    },
  );
  const requests = first.map((each) => requestWith(each, coordinator));
  const verify = await inTurns(
    async (at) => {
      const accepted = acceptedOf(await deployer.verify(item(requests, at)));
      parents.push({ accepted, token: item(first, at).token, chain: [] });
    },
    bareVerifier(first, [keys.coordinator]),
  );
  const least = leastVerifier(keys.coordinator);
  const verifyLeast = await inTurns(
    (at) => least(item(first, at).token),
    bareVerifier(first, [keys.coordinator]),
  );
  for (const parent of parents)
    second.push(minted(deployer.delegate({ to: validator.id, capabilities: READ, parent })));
  const chains = second.map((each) => requestWith(each, deployer));
  const verifyDepth2 = await inTurns(
    async (at) => {
      acceptedOf(await validator.verify(item(chains, at)));
    },
    bareVerifier(second, [keys.deployer, keys.coordinator]),
  );
  return { mint, verify, verifyLeast, verifyDepth2 };
}

/** As the guard of a server makes it, for a TLS connection with the presenter's certificate. */
function requestWith({ token, chain }: DelegatedToken, presenter: Agent): TokenRequest {
  const { thumbprint, notAfterSeconds } = presenter.current.tls;
  return {
    fields: {
      authorization: [asReceived(`Bearer ${token}`)],
      dpop: [],
      delegationChain: chain.length === 0 ? [] : [asReceived(chain.join(', '))],
    },
    method: 'POST',
    path: '/v1/delegate',
    peer: {
      kind: 'tls',
      spiffeId: presenter.id,
      certificate: { thumbprint, notAfterSeconds, isRevoked: false },
    },
    asked: ASKED,
    attemptId: randomUUID(),
    fingerprint: hash('sha256', token, 'base64url'),
  };
}

/** In one piece, as a parser of HTTP makes it. */
function asReceived(field: string): string {
  return Buffer.from(field, 'latin1').toString('latin1');
}

/**
 * Microseconds for one, of the clock, since kernels may count processor time in steps of 4 ms. One of the one and one of the
 * other, in turns: in a loop of its own the bare signature finds its tables in the cache, which it does in no server.
 */
async function inTurns(
  own: (at: number) => void | Promise<void>,
  floor: (at: number) => void,
): Promise<Cost> {
  const samples: Cost[] = [];
  for (let at = 0; at < ROUND_SIZE; at++) {
    const startedMs = performance.now();
    await own(at);
    const halfMs = performance.now();
    floor(at);
    samples.push({ own: (halfMs - startedMs) * 1000, floor: (performance.now() - halfMs) * 1000 });
  }
  return medianOf(samples);
}

function medianOf(costs: readonly Cost[]): Cost {
  const median = (side: keyof Cost): number =>
    percentile(
      costs.map((each) => each[side]),
      0.5,
    );
  return { own: median('own'), floor: median('floor') };
}

/** As many threads as there are cores do the same at once; what they do in a second together is their sum. */
async function onAllCores(folder: string, rounds: number): Promise<Costs> {
  const threads = Array.from({ length: availableParallelism() }, () => onThread(folder, rounds));
  const all = await Promise.all(threads);
  const rate = (row: keyof Costs, side: keyof Cost): number =>
    1 / all.reduce((sum, each) => sum + 1 / each[row][side], 0);
  return costsOf((row) => ({ own: rate(row, 'own'), floor: rate(row, 'floor') }));
}

function onThread(folder: string, rounds: number): Promise<Costs> {
  const { promise, resolve, reject } = Promise.withResolvers<Costs>();
  const worker = new Worker(import.meta.filename, { workerData: { folder, rounds } });
  worker.once('message', resolve);
  worker.once('error', reject);
  return promise;
}

function rowsOf(costs: Costs, suffix: string): readonly BenchRow[] {
  const row = (name: string, { own, floor }: Cost, unit: string, goal?: string): BenchRow => ({
    name: `${name}${suffix}`,
    value: Math.round(1e6 / own),
    unit,
    floor: Math.round(1e6 / floor),
    ratio: floor / own,
    ...(goal === undefined ? {} : { goal }),
  });
  return [
    row('mint', costs.mint, 'tokens/s', 'ratio at least 0.6'),
    row('verify', costs.verify, 'tokens/s', 'ratio at least 0.8'),
    row('verify-least', costs.verifyLeast, 'tokens/s'),
    row('verify-depth-2', costs.verifyDepth2, 'chains/s'),
  ];
}

function minted(made: ReturnType<Agent['delegate']>): DelegatedToken {
  if (made.kind === 'refused') throw new Error(`not minted: ${made.name}`);
  return made;
}

function acceptedOf(judged: Awaited<ReturnType<Agent['verify']>>): Accepted {
  if (judged.kind === 'refused') throw new Error(`not accepted: ${judged.name}: ${judged.message}`);
  return judged;
}

if (!isMainThread) {
  const { folder, rounds } = workerData as { readonly folder: string; readonly rounds: number };
  parentPort?.postMessage(await measure(folder, rounds));
}
