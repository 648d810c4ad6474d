/**
 * The contents of the bundle of one namespace: what can reach it, and nothing else. Equal inputs give equal contents, in
 * whatever order they became known.
 */

import type { AgentId, EdgeGrant, EffectiveEdge } from '../delegation/facts.ts';
import { mayOriginate } from '../delegation/originate.ts';
import type { JwksFile, PublishedKey } from '../token/state/jwks-file.ts';
import type { Binding, PolicyFile, TokenAgent, TokenEdge } from '../token/state/policy-file.ts';
import type { Revocation, RevocationsFile } from '../token/state/revocations-file.ts';
import type { ServerPolicy } from '../token/state/server-policy.ts';
import { type Reach, type ReachGraph, reachOf } from './reach.ts';
import { limitRevocations } from './revocation-limit.ts';
import type { TokenSettings } from './token-settings.ts';

/** An agent as bundles need it. */
export interface BundleAgent {
  readonly namespace: string;
  /** Of its AgentIdentity. */
  readonly name: string;
  readonly spiffeId: string;
  readonly settings: TokenSettings;
  /** Whether a mesh stands between it and its callers. */
  readonly isMeshed: boolean;
  /** Neither served nor suspended: it is not there. */
  readonly state: 'served' | 'suspended' | 'refused';
}

/** All that bundles are made of. */
export interface BundleSources {
  readonly clusterDomain: string;
  readonly graph: ReachGraph & { edgesInto(to: AgentId): readonly EffectiveEdge[] };
  agent(id: AgentId): BundleAgent | undefined;
  agentsIn(namespace: string): Iterable<AgentId>;
  /** Those that are Next, Active and Retiring. */
  keys(id: AgentId): readonly PublishedKey[];
  server(id: AgentId): ServerPolicy;
  /** Those that are not over yet. */
  readonly revocations: Iterable<Revocation>;
  /** Seconds since the Unix epoch: what the agent signed until then is dead. */
  notBefore(id: AgentId): number | undefined;
}

/** The files of one namespace, before they are written down, and the agents that they name. */
export interface BundleContents {
  readonly policy: PolicyFile;
  readonly jwks: JwksFile;
  readonly revocations: RevocationsFile;
  readonly agents: readonly AgentId[];
}

/** Puts them together. */
export function bundleContents(sources: BundleSources, namespace: string): BundleContents {
  const isThere = (id: AgentId): boolean => (sources.agent(id)?.state ?? 'refused') !== 'refused';
  const own = [...sources.agentsIn(namespace)].filter(isThere);
  const isSuspended = (id: AgentId): boolean => sources.agent(id)?.state === 'suspended';
  const reach = reachOf({ graph: sources.graph, own, isSuspended });
  return {
    policy: policyOf(sources, reach, namespace),
    jwks: jwksOf(sources, reach),
    revocations: revocationsOf(sources, reach),
    agents: reach.agents,
  };
}

function policyOf(sources: BundleSources, { agents, edges }: Reach, namespace: string): PolicyFile {
  const said = new Map<string, TokenAgent>();
  for (const id of agents) {
    const agent = sources.agent(id);
    if (agent !== undefined) said.set(agent.spiffeId, tokenAgent(sources, id, agent, namespace));
  }
  const listed = edges.map((edge) => tokenEdge(sources, edge)).filter((edge) => edge !== undefined);
  return { version: 1, clusterDomain: sources.clusterDomain, agents: sorted(said), edges: listed };
}

function tokenAgent(
  sources: BundleSources,
  id: AgentId,
  { settings, state, namespace: home }: BundleAgent,
  namespace: string,
): TokenAgent {
  const isServed = state === 'served';
  const isCalled = sources.graph.edgesInto(id).length > 0;
  return {
    name: id,
    originate: isServed && mayOriginate(settings.originate, isCalled),
    ...(isServed && home === namespace ? { server: sources.server(id) } : {}),
  };
}

function tokenEdge(sources: BundleSources, { from, to, grants }: EffectiveEdge): TokenEdge | undefined {
  const [caller, target] = [sources.agent(from), sources.agent(to)];
  if (caller === undefined || target === undefined) return undefined;
  return {
    from: caller.spiffeId,
    to: target.spiffeId,
    binding: bindingOf(caller, target),
    maxChildren: Math.min(caller.settings.maxChildren, target.settings.maxChildren),
    grants: grants.map(written),
  };
}

/** Members in one order, whatever the graph made the grant from. */
function written(grant: EdgeGrant): EdgeGrant {
  const { policy, rule, ruleName, capabilities, maxDepth, tokens, taskTtlSeconds, rateLimit } = grant;
  return {
    policy,
    rule,
    ...(ruleName === undefined ? {} : { ruleName }),
    capabilities: capabilities.map(({ name, resources, use }) => ({
      name,
      ...(resources === undefined ? {} : { resources }),
      ...(use === undefined ? {} : { use }),
    })),
    maxDepth,
    tokens: { maxTtlSeconds: tokens.maxTtlSeconds, maxUses: tokens.maxUses },
    ...(taskTtlSeconds === undefined ? {} : { taskTtlSeconds }),
    ...(rateLimit === undefined
      ? {}
      : { rateLimit: { delegations: rateLimit.delegations, periodSeconds: rateLimit.periodSeconds } }),
  };
}

/** Who is called decides, then who calls. Behind a mesh the TLS connection of the caller does not reach the verifier. */
function bindingOf(caller: BundleAgent, target: BundleAgent): Binding {
  for (const { settings } of [target, caller]) if (settings.binding !== 'Auto') return settings.binding;
  return caller.isMeshed || target.isMeshed ? 'Key' : 'Certificate';
}

function jwksOf(sources: BundleSources, { signers }: Reach): JwksFile {
  const issuers = new Map<string, { readonly keys: readonly PublishedKey[] }>();
  for (const id of signers) {
    const agent = sources.agent(id);
    const keys = sources.keys(id);
    if (agent !== undefined && keys.length > 0) issuers.set(agent.spiffeId, { keys });
  }
  return { version: 1, issuers: sorted(issuers) };
}

function revocationsOf(sources: BundleSources, { signers }: Reach): RevocationsFile {
  const known = new Map(signers.map((id) => [id, sources.agent(id)]));
  const agents = [...known.values()].filter((agent) => agent !== undefined);
  const spiffeIds = new Set(agents.map(({ spiffeId }) => spiffeId));
  const namespaces = new Set(agents.map(({ namespace }) => namespace));
  const notBefore = new Map<string, number>();
  for (const [id, agent] of known) {
    const instant = sources.notBefore(id);
    if (agent !== undefined && instant !== undefined) notBefore.set(agent.spiffeId, instant);
  }
  const concerned = [...sources.revocations].filter(
    ({ agent, namespace }) =>
      (agent === undefined || spiffeIds.has(agent)) && (namespace === undefined || namespaces.has(namespace)),
  );
  return {
    version: 1,
    suspended: agents
      .filter(({ state }) => state === 'suspended')
      .map(({ spiffeId }) => spiffeId)
      .sort(),
    notBefore: sorted(notBefore),
    revocations: limitRevocations(concerned),
  };
}

function sorted<T>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
