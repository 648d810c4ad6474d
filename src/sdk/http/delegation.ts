/** What an agent knows of a call that it gets: for whom it is, who makes it, what it may ask; and calls on its behalf. */

import type { GrantedCapability } from '../../domain/token/claims.ts';
import { type Refusal, refuse } from '../../domain/token/refusal.ts';
import type { TokenRefusal } from '../../domain/token/verify/examine.ts';
import { checkAsked } from '../../domain/token/verify/permitted.ts';
import type { Accepted } from '../../domain/token/verify/verify.ts';
import { answerRefusal } from '../../domain/token/wire/refusal-answer.ts';
import type { AgentClient } from './agent-client.ts';
import type { AgentCore, Delegated, DelegateRequest, ParentToken } from './agent-core.ts';
import { CallFailed } from './call-failed.ts';
import type { CallInit } from './outgoing-request.ts';

/**
 * A "no" as an error: thrown by the application while it answers a call, it becomes the answer. A framework that catches it
 * first finds in it what errors of HTTP have there: status, header fields, and that its message may be shown. Who prints it
 * does not print `refusal`, which knows whom the call was for.
 */
export class Refused extends Error {
  readonly #refusal: TokenRefusal;
  readonly status: number;
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly expose = true;

  constructor(refusal: TokenRefusal) {
    super(`${refusal.name}: ${refusal.message}`);
    this.name = 'Refused';
    this.#refusal = refusal;
    const isProven = refusal.claimed?.claims.cnf?.jkt !== undefined;
    const { status, headers } = answerRefusal(refusal, isProven ? 'DPoP' : 'Bearer');
    // The framework writes a body of its own.
    const { 'content-type': _, ...fields } = headers;
    this.status = status;
    this.statusCode = status;
    this.headers = fields;
  }

  /** What was refused, with the claims of the token where it had any. */
  get refusal(): TokenRefusal {
    return this.#refusal;
  }
}

/** What a delegation is made with. */
export interface DelegationContext {
  readonly core: AgentCore;
  readonly client: AgentClient;
  /** Records a refusal of the application's own; says whether it is enforced. */
  readonly record: (refusal: TokenRefusal) => boolean;
}

/** The call that a request is. */
export interface Delegation {
  /**
   * False on public paths, and where refusals are recorded and not enforced (`enforcement: DryRun`): then nothing else is
   * known, and nothing can be done on behalf of the call.
   */
  readonly verified: boolean;
  /** For whom: the SPIFFE ID of the first agent, or the `sub` of a user. */
  readonly principal: string | undefined;
  /** SPIFFE ID of the agent that makes this call. */
  readonly presenter: string | undefined;
  /** `txn`; the same in all calls that come of one beginning. */
  readonly transaction: string | undefined;
  /** SPIFFE IDs of all agents of the chain, the first one first, this one last. */
  readonly path: readonly string[];
  /** What may be asked of this agent. */
  readonly capabilities: readonly GrantedCapability[];
  /** Whether the call may ask for this. Without a resource: on all resources. */
  allows(capability: string, resource?: string): boolean;
  /** @throws Refused unless the call may ask for this; where refusals are only recorded it does not throw. */
  require(capability: string, resource?: string): void;
  /** Mints a token on behalf of this call, for whoever does not use {@link fetch}. */
  delegate(request: Omit<DelegateRequest, 'parent' | 'transaction'>): Delegated | Refusal;
  /**
   * Calls another agent on behalf of this call: with at most what this call has, and one deeper.
   *
   * @throws CallFailed
   */
  fetch(url: string | URL, init: CallInit): Promise<Response>;
}

/** A call whose token holds. */
export function verifiedDelegation(parent: ParentToken, context: DelegationContext): Delegation {
  const { claims, path, capabilities } = parent.accepted;
  return {
    verified: true,
    principal: claims.sub,
    presenter: claims.client_id,
    transaction: claims.txn,
    path,
    capabilities,
    ...permissions((name, resource) => checkCapability(parent.accepted, name, resource), context),
    delegate: (request) => context.core.delegate({ ...request, parent }),
    fetch: (url, init) => context.client.fetch(url, init, parent),
  };
}

/**
 * A request without a token that holds.
 *
 * @param isEnforced Whether `require` throws the refusal.
 */
export function unverifiedDelegation(refusal: TokenRefusal, isEnforced: boolean): Delegation {
  const unable = refuse('root_not_allowed', 'The call is not verified, so nothing is done on its behalf.');
  const { name, message } = unable;
  const why = { refusal: name, refusedBy: 'self' } as const;
  return {
    verified: false,
    principal: undefined,
    presenter: undefined,
    transaction: undefined,
    path: [],
    capabilities: [],
    ...permissions(() => refusal, { record: () => isEnforced }),
    delegate: () => unable,
    fetch: () => Promise.reject(new CallFailed('refused', `not called: ${name}: ${message}`, why)),
  };
}

function permissions(
  check: (name: string, resource: string | undefined) => TokenRefusal | undefined,
  { record }: Pick<DelegationContext, 'record'>,
): Pick<Delegation, 'allows' | 'require'> {
  return {
    allows: (name, resource) => check(name, resource) === undefined,
    require: (name, resource) => {
      const refusal = check(name, resource);
      if (refusal !== undefined && record(refusal)) throw new Refused(refusal);
    },
  };
}

function checkCapability(
  { capabilities, claims }: Accepted,
  name: string,
  resource: string | undefined,
): TokenRefusal | undefined {
  const refusal = checkAsked(capabilities, resource === undefined ? { name } : { name, resource });
  return refusal && { ...refusal, claimed: { isAuthentic: true, claims } };
}
