/** From TokenRevocations, as people write them, to the entries of revocations.json. */

import type { AgentId } from '../delegation/facts.ts';
import { readAgentId } from '../delegation/resolve-policy.ts';
import { CLOCK_SKEW_SECONDS, TOKEN_LIMITS } from '../token/claims.ts';
import type { Revocation } from '../token/state/revocations-file.ts';
import { isAgentId, isIssuerUrl, isPrintable } from '../token/text-forms.ts';

/** The part of the spec that says which tokens are dead. */
export interface RevocationInput {
  readonly agent?: string;
  readonly transaction?: string;
  readonly tokenID?: string;
  readonly subject?: { readonly issuer: string; readonly name: string };
  readonly policy?: string;
  readonly everything?: boolean;
  /** RFC 3339. */
  readonly issuedBefore?: string;
}

/** A TokenRevocation. Instants are seconds since the Unix epoch. */
export interface RevocationFacts {
  readonly namespace: string;
  /** When the object was made, which is when it counts from if it does not say. */
  readonly createdAt: number;
  /** Whether it stands in the operator's namespace, and so concerns chains of any. */
  readonly isForAll: boolean;
  readonly spec: RevocationInput;
  /** SPIFFE ID of an agent, there or not. */
  readonly spiffeIdOf: (agent: AgentId) => string | undefined;
}

/** An entry, with the moment that counts also where the entry does not need it. */
export interface RevocationEntry {
  readonly entry: Revocation;
  readonly issuedBefore: number;
}

/** An entry, or the fields that cannot be served, each with its rule. */
export type ResolvedRevocation =
  | ({ readonly kind: 'entry' } & RevocationEntry)
  | { readonly kind: 'invalid'; readonly invalidFields: readonly string[] };

/** After that nothing is alive that was issued up to the moment: clocks, the life of a token, that of a task. */
const AFTERLIFE_SECONDS = CLOCK_SKEW_SECONDS + TOKEN_LIMITS.lifetimeSeconds + TOKEN_LIMITS.taskSeconds;

/** Fills in what is left out. A token that no field can name needs no entry: such fields are refused. */
export function resolveRevocation(facts: RevocationFacts): ResolvedRevocation {
  const { namespace, createdAt, isForAll, spec } = facts;
  const agent = spec.agent === undefined ? undefined : spiffeIdOf(spec.agent, facts);
  const invalidFields = problems(spec, agent);
  const said = spec.issuedBefore === undefined ? createdAt : Math.floor(Date.parse(spec.issuedBefore) / 1000);
  if (Number.isNaN(said) || said < 0) invalidFields.push('spec.issuedBefore must be an RFC 3339 time');
  if (invalidFields.length > 0) return { kind: 'invalid', invalidFields };
  const { transaction, tokenID, subject, policy, everything } = spec;
  const isWhole = (transaction ?? tokenID) !== undefined && spec.issuedBefore === undefined;
  const entry: Revocation = {
    ...(tokenID === undefined ? {} : { tokenID }),
    ...(transaction === undefined ? {} : { transaction }),
    ...(subject === undefined ? {} : { subject: { issuer: subject.issuer, name: subject.name } }),
    ...(agent === undefined ? {} : { agent }),
    ...(policy === undefined ? {} : { policy: `${namespace}/${policy}` }),
    ...(everything === true ? { everything } : {}),
    ...(isForAll ? {} : { namespace }),
    ...(isWhole ? {} : { issuedBefore: said }),
    until: said + AFTERLIFE_SECONDS,
  };
  return { kind: 'entry', entry, issuedBefore: said };
}

/** The moment that counts for an entry that was read back: after it come clocks, a token and a task. */
export function issuedBeforeOf({ issuedBefore, until }: Revocation): number {
  return issuedBefore ?? Math.max(0, until - AFTERLIFE_SECONDS);
}

function spiffeIdOf(text: string, { namespace, spiffeIdOf: find }: RevocationFacts): string | undefined {
  const id = readAgentId(text, namespace);
  return id === undefined ? undefined : find(id);
}

function problems(spec: RevocationInput, agent: string | undefined): string[] {
  const { transaction = 'x', tokenID = 'x', subject, policy = 'x', everything } = spec;
  const isAny = [spec.agent, spec.transaction, spec.tokenID, subject, spec.policy, everything].some(
    (field) => field !== undefined,
  );
  const rules: readonly (readonly [boolean, string])[] = [
    [isAny, 'spec must say what is revoked'],
    [everything ?? true, 'spec.everything must be true, or be left out'],
    [
      spec.agent === undefined || (agent !== undefined && isAgentId(agent)),
      'spec.agent must be the name of an agent, or namespace/name',
    ],
    [isPrintable(transaction), 'spec.transaction must be printable ASCII'],
    [isPrintable(tokenID), 'spec.tokenID must be printable ASCII'],
    [isPrintable(`x/${policy}`), 'spec.policy must be the name of a DelegationPolicy of this namespace'],
    [
      subject === undefined || isIssuerUrl(subject.issuer),
      'spec.subject.issuer must be the https URL of an issuer; no token has another',
    ],
    [
      subject === undefined || isPrintable(subject.name),
      'spec.subject.name must be 1 to 255 printable ASCII characters; no token has another',
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, rule]) => rule);
}
