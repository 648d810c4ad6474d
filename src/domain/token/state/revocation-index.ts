/** Revocations as a verifier looks them up: by the one member of each that fewest tokens have. */

import { getOrInsert } from '../../delegation/get-or-insert.ts';
import { CLOCK_SKEW_SECONDS } from '../claims.ts';
import type { Revocation, RevocationsFile } from './revocations-file.ts';

/** What of a chain can be revoked, up to one of its tokens. */
export interface RevocableChain {
  readonly transaction: string;
  readonly user: { readonly iss: string; readonly sub: string } | undefined;
  /** Identifiers of the tokens, root first. */
  readonly tokenIds: readonly string[];
  /** SPIFFE IDs of all agents, the audience last. */
  readonly agents: readonly string[];
  /** Namespaces of these agents. */
  readonly namespaces: readonly string[];
  /** Policies of the rules that authorise the links. */
  readonly policies: readonly string[];
  /** When the last of the tokens was issued. */
  readonly issuedAt: number;
}

/** The revocations of a bundle. */
export class RevocationIndex {
  readonly #suspended: ReadonlySet<string>;
  readonly #notBefore: ReadonlyMap<string, number>;
  readonly #byKey = new Map<string, Revocation[]>();

  constructor({ suspended, notBefore, revocations }: Omit<RevocationsFile, 'version'>) {
    this.#suspended = new Set(suspended);
    this.#notBefore = notBefore;
    for (const each of revocations) getOrInsert(this.#byKey, keyOf(each), () => []).push(each);
  }

  /** Whether an agent is cut off. */
  isSuspended(agent: string): boolean {
    return this.#suspended.has(agent);
  }

  /** Whether a token that the agent presents is from before it was restored or made anew. */
  isFromBefore(presenter: string, issuedAt: number): boolean {
    const notBefore = this.#notBefore.get(presenter);
    return notBefore !== undefined && issuedAt <= notBefore;
  }

  /** Whether there is any revocation at all. */
  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  /** The revocation that the last token of the chain falls under, if any. */
  find(chain: RevocableChain): Revocation | undefined {
    return keysOf(chain)
      .flatMap((key) => this.#byKey.get(key) ?? [])
      .find((revocation) => matches(revocation, chain));
  }
}

function keyOf({ tokenID, transaction, subject, agent, policy }: Revocation): string {
  if (tokenID !== undefined) return `token ${tokenID}`;
  if (transaction !== undefined) return `transaction ${transaction}`;
  if (subject !== undefined) return `subject ${subject.issuer} ${subject.name}`;
  if (agent !== undefined) return `agent ${agent}`;
  return policy === undefined ? 'everything' : `policy ${policy}`;
}

function keysOf({ transaction, user, tokenIds, agents, policies }: RevocableChain): readonly string[] {
  return [
    ...tokenIds.map((id) => `token ${id}`),
    `transaction ${transaction}`,
    ...(user === undefined ? [] : [`subject ${user.iss} ${user.sub}`]),
    ...agents.map((agent) => `agent ${agent}`),
    ...policies.map((policy) => `policy ${policy}`),
    'everything',
  ];
}

/** Clocks differ: a token that says it was issued within 30 s after the moment may be from before. */
function matches(revocation: Revocation, chain: RevocableChain): boolean {
  const { tokenID, transaction, subject, agent, policy, namespace, issuedBefore } = revocation;
  return (
    (tokenID === undefined || chain.tokenIds.includes(tokenID)) &&
    (transaction === undefined || chain.transaction === transaction) &&
    (subject === undefined || (chain.user?.iss === subject.issuer && chain.user.sub === subject.name)) &&
    (agent === undefined || chain.agents.includes(agent)) &&
    (policy === undefined || chain.policies.includes(policy)) &&
    (namespace === undefined || chain.namespaces.includes(namespace)) &&
    (issuedBefore === undefined || chain.issuedAt <= issuedBefore + CLOCK_SKEW_SECONDS)
  );
}
