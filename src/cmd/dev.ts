/** `agent-trust dev`: a local authority, identities and bundles from the manifests of a swarm, without a cluster. */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Applied, applyManifests, type Before } from '../dev/apply.ts';
import type { Address } from '../dev/bundles.ts';
import { DEV_EXIT, DevFailure } from '../dev/dev-failure.ts';
import { Keeper, type KeptSwarm } from '../dev/keeper.ts';
import { readManifests, readSources, type SourceTexts } from '../dev/manifests.ts';
import { appliedLines, swarmText } from '../dev/screen.ts';
import { SourceWatch } from '../dev/source-watch.ts';
import { StateFolder } from '../dev/state.ts';
import { isDnsName } from '../domain/certificate/dns-name.ts';
import { isTrustDomain } from '../domain/certificate/spiffe-id.ts';
import type { AgentId } from '../domain/delegation/facts.ts';
import { getOrInsert } from '../domain/delegation/get-or-insert.ts';
import { isNamespaceName } from './process-flags.ts';

/** What it is told. */
export interface DevConfig {
  readonly paths: readonly string[];
  /** Absolute. */
  readonly out: string;
  readonly namespace: string;
  readonly trustDomain: string;
  /** By the name of the agent as it was given. */
  readonly hosts: ReadonlyMap<string, Address>;
  readonly isOnce: boolean;
}

/** Where it writes. */
export interface DevStreams {
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
}

/** The help text. */
export const DEV_USAGE = `usage: agent-trust dev [flags] FILE_OR_FOLDER...

Makes an authority, certificates, signing keys and bundles for the agents of these manifests, so that a swarm runs on one
machine without a cluster: same manifests, same checks, same files. Runs until Ctrl-C, renews what ends, and takes over what
you change in the manifests.

Flags:
  --out=FOLDER                where everything goes (.agent-trust)
  --host=AGENT=HOST:PORT      where an agent listens; once for each, for example agent-deployer=localhost:8442
  --namespace=NAME            of manifests that name none (default)
  --trust-domain=DOMAIN       of the SPIFFE IDs (dev.agent-trust.invalid)
  --once                      writes everything and ends; the bundles are good for 24 h then, not renewed
`;

const CLUSTER_DOMAIN = 'cluster.local';
/** After what could not be done, until it is tried again. */
const RETRY_MS = 60_000;
const BUNDLE_LIFE_SECONDS = 1800;
/** Nobody signs it again. */
const BUNDLE_LIFE_ONCE_SECONDS = 86_400;
const TRUST_DOMAIN_RULE = '--trust-domain must be a SPIFFE trust domain, for example dev.agent-trust.invalid';
const HOST_RULE = '--host must be AGENT=HOST:PORT, for example agent-deployer=localhost:8442';
const OPTIONS = {
  out: { type: 'string' },
  host: { type: 'string', multiple: true },
  namespace: { type: 'string' },
  'trust-domain': { type: 'string' },
  once: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Reads the arguments after `dev`; all mistakes are reported at once. */
export function parseDev(
  args: readonly string[],
):
  | { readonly kind: 'config'; readonly config: DevConfig }
  | { readonly kind: 'help' }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] } {
  let parsed: ReturnType<typeof parseArguments>;
  try {
    parsed = parseArguments(args);
  } catch (error) {
    return { kind: 'invalid', problems: [error instanceof Error ? error.message : String(error)] };
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { kind: 'help' };
  const {
    out = '.agent-trust',
    namespace = 'default',
    'trust-domain': trustDomain = 'dev.agent-trust.invalid',
    host = [],
    once: isOnce = false,
  } = values;
  const hosts = host.map(readHost);
  const names = hosts.flatMap((each) => each?.agent ?? []);
  const problems = [
    positionals.length > 0 ? [] : ['name the files or folders with the manifests of your agents'],
    out === '' ? ['--out must be the name of a folder'] : [],
    isNamespaceName(namespace) ? [] : ['--namespace must be the name of a namespace, for example ai-agents'],
    isTrustDomain(trustDomain) ? [] : [TRUST_DOMAIN_RULE],
    hosts.includes(undefined) ? [HOST_RULE] : [],
    new Set(names).size === names.length ? [] : ['--host must name each agent once'],
    sharedAddresses(hosts.filter((each) => each !== undefined)),
  ].flat();
  if (problems.length > 0) return { kind: 'invalid', problems };
  return {
    kind: 'config',
    config: {
      paths: positionals,
      out: resolve(out),
      namespace,
      trustDomain,
      hosts: new Map(hosts.flatMap((each) => (each === undefined ? [] : [[each.agent, each.address]]))),
      isOnce,
    },
  };
}

const parseArguments = (args: readonly string[]) =>
  parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });

/**
 * Runs until the signal is aborted, or with `--once` until everything is written.
 *
 * @throws DevFailure when nothing could be written, or nothing may be.
 */
export async function runDev(config: DevConfig, streams: DevStreams, signal: AbortSignal): Promise<void> {
  const sources = readSources(config.paths);
  const manifests = readManifests(sources);
  const state = new StateFolder(config.out);
  try {
    const births = state.read(config.trustDomain).births;
    const applied = await apply(config, manifests, { births, accepted: new Map() });
    if (applied.refusals.length > 0) throw new DevFailure('data', applied.refusals.join('\n'));
    const addresses = addressesOf(config, applied);
    const keeper = new Keeper({
      folder: config.out,
      state,
      addresses,
      trustDomain: config.trustDomain,
      clusterDomain: CLUSTER_DOMAIN,
      bundleLifeSeconds: config.isOnce ? BUNDLE_LIFE_ONCE_SECONDS : BUNDLE_LIFE_SECONDS,
    });
    const kept = await keeper.keep(applied, Date.now());
    for (const line of appliedLines(applied)) streams.error(line);
    streams.out(swarmText(kept.agents, addresses, config.out));
    if (config.isOnce) streams.out('the bundles are good for 24 h, since nobody renews them');
    else await follow({ config, streams, keeper, addresses, signal }, { sources, applied, kept });
  } finally {
    state.close();
  }
}

interface Following {
  readonly config: DevConfig;
  readonly streams: DevStreams;
  readonly keeper: Keeper;
  readonly addresses: ReadonlyMap<AgentId, Address>;
  readonly signal: AbortSignal;
}

interface Latest {
  readonly sources: SourceTexts;
  readonly applied: Applied;
  readonly kept: KeptSwarm;
}

async function follow(following: Following, first: Latest): Promise<void> {
  const { config, streams, signal } = following;
  const sources = new SourceWatch(config.paths, first.sources);
  streams.out('Ctrl-C ends it; what you change in the manifests is taken over');
  let { applied, kept } = first;
  try {
    for (;;) {
      const woken = await sources.next(kept.recheckAtMs, signal);
      if (woken.kind === 'stopped') break;
      if (woken.kind === 'unreadable') streams.error(stamped(`${woken.message} Everything stays as it was.`));
      const wanted = woken.kind === 'changed' ? await reapplied(following, applied, woken.sources) : applied;
      const next = await keptIfPossible(following, wanted);
      if (next === undefined) {
        kept = { ...kept, recheckAtMs: Math.max(kept.recheckAtMs, Date.now() + RETRY_MS) };
        continue;
      }
      if (isOther(kept.agents, next.agents))
        streams.out(swarmText(next.agents, following.addresses, config.out));
      if (next.changed.length > 0)
        streams.out(stamped(`${woken.kind === 'due' ? 'renewed' : 'written'}: ${next.changed.join(', ')}`));
      applied = wanted;
      kept = next;
    }
  } finally {
    sources.close();
  }
  streams.out(
    '\nended: agents that run go on with the files there are until the bundle ends, at most 30 min',
  );
}

/** Undefined when agents like these cannot have files: then they have those that they had. */
async function keptIfPossible(
  { keeper, streams }: Following,
  applied: Applied,
): Promise<KeptSwarm | undefined> {
  try {
    return await keeper.keep(applied, Date.now());
  } catch (error) {
    if (!(error instanceof DevFailure) || error.exitStatus !== DEV_EXIT.data) throw error;
    streams.error(stamped(`${error.message}\nEverything stays as it was.`));
    return undefined;
  }
}

/** What stands after a change; what is refused, and all of what cannot be read, stays as it was. */
async function reapplied(
  { config, streams }: Following,
  before: Applied,
  sources: SourceTexts,
): Promise<Applied> {
  try {
    const applied = await apply(config, readManifests(sources), before);
    const known = new Set(appliedLines(before));
    const isNew = (line: string): boolean => !known.has(line) || applied.refusals.includes(line);
    for (const line of appliedLines(applied).filter(isNew)) streams.error(stamped(line));
    if (applied.refusals.length > 0) streams.error(stamped('what is refused stays as it was'));
    return applied;
  } catch (error) {
    if (!(error instanceof DevFailure)) throw error;
    streams.error(stamped(`${error.message}\nEverything stays as it was.`));
    return before;
  }
}

async function apply(
  { namespace, trustDomain, paths }: DevConfig,
  manifests: ReturnType<typeof readManifests>,
  before: Before,
): Promise<Applied> {
  const applied = await applyManifests({ manifests, namespace, trustDomain, before, nowMs: Date.now });
  if (applied.refusals.length === 0 && applied.cluster.view.identities.size === 0)
    throw new DevFailure('data', `${paths.join(', ')}: there is no AgentIdentity in it. An agent is one.`);
  return applied;
}

/** @throws DevFailure when an agent is not there. */
function addressesOf({ hosts, namespace }: DevConfig, { cluster }: Applied): ReadonlyMap<AgentId, Address> {
  const ids = [...cluster.view.identities.keys()] as AgentId[];
  return new Map(
    [...hosts].map(([name, address]) => {
      const found = name.includes('/')
        ? ids.filter((id) => id === name)
        : ids.filter((id) => id.endsWith(`/${name}`));
      const id = found.length > 1 ? found.find((each) => each === `${namespace}/${name}`) : found[0];
      if (id !== undefined) return [id, address];
      const why = found.length > 1 ? 'is in several namespaces: write namespace/name' : 'is no agent';
      throw new DevFailure('usage', `--host: ${name} ${why}. Agents are: ${ids.sort().join(', ')}`);
    }),
  );
}

interface Host {
  readonly agent: string;
  readonly address: Address;
}

/** Of two agents at one address, the later one could not listen. */
function sharedAddresses(hosts: readonly Host[]): readonly string[] {
  const first = new Map<string, string>();
  return hosts.flatMap(({ agent, address: { host, port } }) => {
    const address = `${host === '127.0.0.1' ? 'localhost' : host}:${port}`;
    const other = getOrInsert(first, address, () => agent);
    return other === agent ? [] : [`--host: ${other} and ${agent} cannot both listen at ${host}:${port}`];
  });
}

function readHost(text: string): Host | undefined {
  const [, agent = '', host = '', port = ''] =
    /^([a-z0-9./-]+)=([a-z0-9.-]+):([1-9][0-9]{0,4})$/.exec(text) ?? [];
  const isGood = isDnsName(agent.replace('/', '.')) && isDnsName(host) && Number(port) <= 65_535;
  return isGood ? { agent, address: { host, port: Number(port) } } : undefined;
}

function isOther(before: KeptSwarm['agents'], after: KeptSwarm['agents']): boolean {
  const seen = (agents: KeptSwarm['agents']): string =>
    agents.map(({ id, spiffeId, withheld = '' }) => `${id} ${spiffeId} ${withheld}`).join();
  return seen(before) !== seen(after);
}

function stamped(text: string): string {
  return `${new Date().toTimeString().slice(0, 8)} ${text}`;
}
