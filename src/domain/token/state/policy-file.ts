/**
 * policy.json of a bundle: who may delegate what to whom, as far as it concerns one namespace: the edges of every path that
 * ends there, and the edges that begin there. Resolved by the operator, so that a reader decides nothing twice.
 */

import type { Capability } from '../../capability/capability.ts';
import { isCapabilityName, isResource } from '../../capability/parse.ts';
import type { EdgeGrant, PolicyId, TokenLimits } from '../../delegation/facts.ts';
import { type JsonValue, parseJson } from '../../json/parse.ts';
import {
  Fault,
  flag,
  integer,
  list,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  text,
} from '../../json/shape.ts';
import { TOKEN_LIMITS } from '../claims.ts';
import { isAgentId, isPrintable } from '../text-forms.ts';
import { type ServerPolicy, serverPolicy } from './server-policy.ts';

/** How an edge binds its tokens to the presenter: by its TLS certificate, or by its signing key. */
export type Binding = 'Certificate' | 'Key';

/** All that one agent may delegate to another, and how. Agents are SPIFFE IDs. */
export interface TokenEdge {
  readonly from: string;
  readonly to: string;
  readonly binding: Binding;
  /** How many children one token over this edge may have at each audience; 1 to 256. */
  readonly maxChildren: number;
  /** In the order (policy namespace, name, rule index). */
  readonly grants: readonly EdgeGrant[];
}

/** What is said of one agent. */
export interface TokenAgent {
  /** `<namespace>/<name of its AgentIdentity>`, which is how it is called: `<name>.<namespace>.svc`. */
  readonly name: string;
  /** Whether it may start a chain by itself. */
  readonly originate: boolean;
  /** `<host>:<port>`: where it listens, if its names are not in DNS, as on the machine of an author. */
  readonly address?: string;
  /** How it is called; only of agents of the bundle's own namespace. */
  readonly server?: ServerPolicy;
}

/** The file, or one of its parts. */
export interface PolicyFile {
  readonly version: 1;
  /** For example `cluster.local`. */
  readonly clusterDomain: string;
  /** By SPIFFE ID. */
  readonly agents: ReadonlyMap<string, TokenAgent>;
  readonly edges: readonly TokenEdge[];
}

/** Largest file of a bundle that is read, in characters: what a ConfigMap holds. */
export const FILE_LIMIT_LENGTH: number = 1024 * 1024;

const POLICY_ID = /^[a-z0-9][a-z0-9.-]{0,62}\/[a-z0-9][a-z0-9.-]{0,252}$/;
const AGENT_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;
const DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const ADDRESS = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?:[1-9][0-9]{0,4}$/;
const agentId = text(isAgentId);

const capability: Shape<Capability> = object<Capability>({
  name: text(isCapabilityName),
  resources: optional(list(text(isResource), { least: 1, most: 4096 })),
  use: optional(oneOf('Invoke', 'Delegate')),
});

const limits: Shape<TokenLimits> = object<TokenLimits>({
  maxTtlSeconds: integer(1, TOKEN_LIMITS.lifetimeSeconds),
  maxUses: integer(1, TOKEN_LIMITS.uses),
});

const rateLimit = object<NonNullable<EdgeGrant['rateLimit']>>({
  delegations: integer(1, 100_000),
  periodSeconds: integer(1, 3600),
});

const grant: Shape<EdgeGrant> = object<EdgeGrant>({
  policy: policyId,
  rule: integer(0, 255),
  ruleName: optional(text(isPrintable)),
  capabilities: list(capability, { least: 1, most: 64 }),
  maxDepth: integer(1, TOKEN_LIMITS.depth),
  tokens: limits,
  taskTtlSeconds: optional(integer(1, TOKEN_LIMITS.taskSeconds)),
  rateLimit: optional(rateLimit),
});

const edge: Shape<TokenEdge> = object<TokenEdge>({
  from: agentId,
  to: agentId,
  binding: oneOf('Certificate', 'Key'),
  maxChildren: integer(1, 256),
  grants: list(grant, { least: 1, most: 65_536 }),
});

const agent: Shape<TokenAgent> = object<TokenAgent>({
  name: text((name) => AGENT_NAME.test(name)),
  originate: flag,
  address: optional(text((address) => address.length <= 259 && ADDRESS.test(address))),
  server: optional(serverPolicy),
});

const file: Shape<PolicyFile> = object<PolicyFile>({
  version: (value) => (value === 1 ? 1 : new Fault('malformed')),
  clusterDomain: text((domain) => domain.length <= 253 && DOMAIN.test(domain)),
  agents: record(isAgentId, agent, 100_000),
  edges: list(edge, { most: 1_000_000 }),
});

/**
 * Reads policy.json.
 *
 * @returns Undefined when it is of another version or not of this form in every part; there is no half of a policy.
 *
 * Errors: none.
 */
export function readPolicyFile(json: string): PolicyFile | undefined {
  const result = parseJson(json, FILE_LIMIT_LENGTH);
  const read = result.kind === 'value' ? file(result.value) : undefined;
  return read instanceof Fault ? undefined : read;
}

/**
 * Puts the parts of a policy together: `policy.json`, and `policy-1.json` to `policy-3.json` where there are any.
 *
 * @returns Undefined when there is none, or they contradict each other: an agent or an edge stands twice, or they are of
 *   different clusters.
 */
export function mergePolicyFiles(parts: readonly PolicyFile[]): PolicyFile | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  const agents = new Map(parts.flatMap((part) => [...part.agents]));
  const edges = parts.flatMap((part) => part.edges);
  const isWhole =
    parts.every(({ clusterDomain }) => clusterDomain === first.clusterDomain) &&
    agents.size === parts.reduce((sum, part) => sum + part.agents.size, 0) &&
    new Set(edges.map(({ from, to }) => `${from} ${to}`)).size === edges.length;
  return isWhole ? { version: 1, clusterDomain: first.clusterDomain, agents, edges } : undefined;
}

/** Policies as a verifier looks them up. */
export class TokenPolicies {
  readonly #agents: ReadonlyMap<string, TokenAgent>;
  readonly #edges = new Map<string, Map<string, TokenEdge>>();

  constructor({ agents, edges }: Pick<PolicyFile, 'agents' | 'edges'>) {
    this.#agents = agents;
    for (const each of edges) {
      const fromHere = this.#edges.get(each.from) ?? new Map<string, TokenEdge>();
      this.#edges.set(each.from, fromHere.set(each.to, each));
    }
  }

  /** Undefined when nothing may be delegated. */
  edge(from: string, to: string): TokenEdge | undefined {
    return this.#edges.get(from)?.get(to);
  }

  /** Whether an agent may start a chain by itself; one that is not known may not. */
  mayOriginate(agent: string): boolean {
    return this.#agents.get(agent)?.originate ?? false;
  }
}

function policyId(value: JsonValue): PolicyId | Fault {
  return isPolicyId(value) ? value : new Fault('malformed');
}

function isPolicyId(value: JsonValue): value is PolicyId {
  return typeof value === 'string' && POLICY_ID.test(value);
}
