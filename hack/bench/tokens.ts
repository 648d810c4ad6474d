/**
 * Tokens as an agent makes and checks them, with the SDK and the files of `agent-trust dev`; and calls over loopback.
 *
 * The floor of minting and verifying is the bare signature of node:crypto over the same bytes, synchronous, in DER, with the
 * same keys, measured in turns with what it is compared with. That of calls is node:https with the same certificates.
 */

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type DevStreams, parseDev, runDev } from '../../src/cmd/dev.ts';
import { MemoryReplayStore } from '../../src/domain/token/replay/memory-store.ts';
import type { Agent } from '../../src/sdk/agent.ts';
import type { DelegatedToken } from '../../src/sdk/delegate.ts';
import { type Accepted, loadAgent, type ParentToken, type TokenRequest } from '../../src/sdk/index.ts';
import { replayMemoryRow } from './replay-memory.ts';
import type { BenchRow } from './row.ts';
import { callOptions, callRows } from './token-calls.ts';

const ROUND_SIZE = 200;
const WARM_UP_ROUNDS = 10;
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
    const cost = (row: keyof Costs): Cost => ({
      own: median(measured.map((each) => each[row].own)),
      floor: median(measured.map((each) => each[row].floor)),
    });
    return { mint: cost('mint'), verify: cost('verify'), verifyDepth2: cost('verifyDepth2') };
  });
}

async function measureRound(trio: Trio): Promise<Costs> {
  const { coordinator, deployer, validator, folder } = trio;
  const keys = {
    coordinator: signingKey(folder, 'agent-coordinator'),
    deployer: signingKey(folder, 'agent-deployer'),
  };
  const first: DelegatedToken[] = [];
  const mint = time(() => {
    first.push(minted(coordinator.delegate({ to: deployer.id, capabilities: READ })));
  });
  const mintFloor = time((at) => {
    sign('sha256', inputOf(first[at]?.token), keys.coordinator.privateKey);
  });
  const parents: ParentToken[] = [];
  const own = await timeAsync(async (at) => {
    const { token } = item(first, at);
    const accepted = acceptedOf(await deployer.verify(requestWith(item(first, at), coordinator)));
    parents.push({ accepted, token, chain: [] });
  });
  const floor = bareVerify(first, [keys.coordinator]);
  const second = parents.map((parent) =>
    minted(deployer.delegate({ to: validator.id, capabilities: READ, parent })),
  );
  const depth2 = await timeAsync(async (at) => {
    acceptedOf(await validator.verify(requestWith(item(second, at), deployer)));
  });
  const depth2Floor = bareVerify(second, [keys.deployer, keys.coordinator]);
  return {
    mint: { own: mint, floor: mintFloor },
    verify: { own, floor },
    verifyDepth2: { own: depth2, floor: depth2Floor },
  };
}

function bareVerify(tokens: readonly DelegatedToken[], keys: readonly Keys[]): number {
  const signed = tokens.map(({ token, chain }) =>
    [token, ...chain].map((each, at) => {
      const { publicKey, privateKey } = item(keys, at);
      const input = inputOf(each);
      return { input, publicKey, signature: sign('sha256', input, privateKey) };
    }),
  );
  return time((at) => {
    for (const { input, publicKey, signature } of item(signed, at))
      if (!verify('sha256', input, publicKey, signature)) throw new Error('a signature is wrong');
  });
}

/** As the other end of a TLS connection with the presenter's certificate sees it. */
function requestWith({ token, chain }: DelegatedToken, presenter: Agent): TokenRequest {
  const { thumbprint, notAfterSeconds } = presenter.current.tls;
  return {
    fields: {
      authorization: [`Bearer ${token}`],
      dpop: [],
      delegationChain: chain.length === 0 ? [] : [chain.join(', ')],
    },
    method: 'POST',
    path: '/v1/delegate',
    peer: {
      kind: 'tls',
      spiffeId: presenter.id,
      certificate: { thumbprint, notAfterSeconds, isRevoked: false },
    },
    asked: ASKED,
    attemptId: token.slice(-43),
    fingerprint: token.slice(-43),
  };
}

interface Keys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const keysOf = new Map<string, Keys>();

function signingKey(folder: string, name: string): Keys {
  const known = keysOf.get(name);
  if (known !== undefined) return known;
  const privateKey = createPrivateKey(readFileSync(join(folder, 'ai-agents', name, 'signing/signing.key')));
  const keys = { privateKey, publicKey: createPublicKey(privateKey) };
  keysOf.set(name, keys);
  return keys;
}

/** Microseconds of processor time for one. */
function time(work: (at: number) => void): number {
  const before = process.threadCpuUsage();
  for (let at = 0; at < ROUND_SIZE; at++) work(at);
  return usedSince(before);
}

async function timeAsync(work: (at: number) => Promise<void>): Promise<number> {
  const before = process.threadCpuUsage();
  for (let at = 0; at < ROUND_SIZE; at++) await work(at);
  return usedSince(before);
}

function usedSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / ROUND_SIZE;
}

/** As many threads as there are cores do the same at once; what they do in a second together is their sum. */
async function onAllCores(folder: string, rounds: number): Promise<Costs> {
  const threads = Array.from({ length: availableParallelism() }, () => onThread(folder, rounds));
  const all = await Promise.all(threads);
  const rate = (row: keyof Costs, side: keyof Cost): number =>
    1 / all.reduce((sum, each) => sum + 1 / each[row][side], 0);
  const cost = (row: keyof Costs): Cost => ({ own: rate(row, 'own'), floor: rate(row, 'floor') });
  return { mint: cost('mint'), verify: cost('verify'), verifyDepth2: cost('verifyDepth2') };
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
    row('verify-depth-2', costs.verifyDepth2, 'chains/s'),
  ];
}

function inputOf(token = ''): Buffer {
  return Buffer.from(token.slice(0, token.lastIndexOf('.')), 'latin1');
}

function minted(made: ReturnType<Agent['delegate']>): DelegatedToken {
  if (made.kind === 'refused') throw new Error(`not minted: ${made.name}`);
  return made;
}

function acceptedOf(judged: Awaited<ReturnType<Agent['verify']>>): Accepted {
  if (judged.kind === 'refused') throw new Error(`not accepted: ${judged.name}: ${judged.message}`);
  return judged;
}

function item<T>(items: readonly T[], at: number): T {
  const found = items[at];
  if (found === undefined) throw new RangeError(`there is no item ${at}`);
  return found;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (!isMainThread) {
  const { folder, rounds } = workerData as { readonly folder: string; readonly rounds: number };
  parentPort?.postMessage(await measure(folder, rounds));
}
