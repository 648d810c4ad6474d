/**
 * Tokens as an agent makes and checks them, with the SDK and the files of `agent-trust dev`; and calls over loopback.
 *
 * The floor of minting and verifying is the bare signature of node:crypto over the same bytes, synchronous, in DER, with the
 * same keys, measured in turns with what it is compared with. `verify-least` is what any verifier does of a JWS that counts once,
 * without a look at a single claim. The floor of calls is node:https with the same certificates.
 */

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type DevStreams, parseDev, runDev } from '../../src/cmd/dev.ts';
import { derSignature } from '../../src/crypto/jose/ecdsa-signature.ts';
import { MemoryReplayStore } from '../../src/domain/token/replay/memory-store.ts';
import type { Agent } from '../../src/sdk/agent.ts';
import type { DelegatedToken } from '../../src/sdk/delegate.ts';
import { type Accepted, loadAgent, type ParentToken, type TokenRequest } from '../../src/sdk/index.ts';
import { replayMemoryRow } from './replay-memory.ts';
import { type BenchRow, percentile } from './row.ts';
import { callOptions, callRows } from './token-calls.ts';

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
    coordinator: signingKey(folder, 'agent-coordinator'),
    deployer: signingKey(folder, 'agent-deployer'),
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
  const verify = await inTurns(
    async (at) => {
      const { token } = item(first, at);
      const accepted = acceptedOf(await deployer.verify(requestWith(item(first, at), coordinator)));
      parents.push({ accepted, token, chain: [] });
    },
    bareVerify(first, [keys.coordinator]),
  );
  const least = leastVerifier(keys.coordinator);
  const verifyLeast = await inTurns(
    (at) => least(item(first, at).token),
    bareVerify(first, [keys.coordinator]),
  );
  for (const parent of parents)
    second.push(minted(deployer.delegate({ to: validator.id, capabilities: READ, parent })));
  const verifyDepth2 = await inTurns(
    async (at) => {
      acceptedOf(await validator.verify(requestWith(item(second, at), deployer)));
    },
    bareVerify(second, [keys.deployer, keys.coordinator]),
  );
  return { mint, verify, verifyLeast, verifyDepth2 };
}

/** The text taken apart, its JSON read, the signature checked, and the token remembered. */
function leastVerifier({ publicKey }: Keys): (token: string) => void {
  const seen = new Set<string>();
  return (token) => {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('latin1'));
    const { alg } = read(header) as { readonly alg: string };
    const { jti } = read(payload) as { readonly jti: string };
    const der = derSignature(Buffer.from(signature, 'base64url'));
    const isSigned = der !== undefined && verify('sha256', inputOf(token), publicKey, der);
    if (alg !== 'ES256' || !isSigned || seen.has(jti)) throw new Error('a token is wrong');
    seen.add(jti);
  };
}

function bareVerify(tokens: readonly DelegatedToken[], keys: readonly Keys[]): (at: number) => void {
  const signed = tokens.map(({ token, chain }) =>
    [token, ...chain].map((each, at) => {
      const { publicKey, privateKey } = item(keys, at);
      const input = inputOf(each);
      return { input, publicKey, signature: sign('sha256', input, privateKey) };
    }),
  );
  return (at) => {
    for (const { input, publicKey, signature } of item(signed, at))
      if (!verify('sha256', input, publicKey, signature)) throw new Error('a signature is wrong');
  };
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

if (!isMainThread) {
  const { folder, rounds } = workerData as { readonly folder: string; readonly rounds: number };
  parentPort?.postMessage(await measure(folder, rounds));
}
