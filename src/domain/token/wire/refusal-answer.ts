/** A refusal as an answer over HTTP; RFC 6750 section 3, RFC 9449 section 7.1, RFC 9457. It says the name and no more. */

import { REFUSAL_NAMES, type Refusal, type RefusalName } from '../refusal.ts';
import type { TokenRefusal } from '../verify/examine.ts';

/** Header field that names the refusal, in lower case. */
export const REFUSAL_HEADER = 'agent-trust-refusal';

/** An answer. */
export interface RefusalAnswer {
  readonly status: 400 | 401 | 403 | 429 | 503;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

type RefusalStatus = RefusalAnswer['status'];

const STATUS: Readonly<Partial<Record<RefusalName, RefusalStatus>>> = {
  malformed: 400,
  stale_state: 503,
  depth_exceeded: 403,
  not_narrower: 403,
  root_not_allowed: 403,
  not_delegable: 403,
  capability_not_granted: 403,
  resource_not_granted: 403,
  fanout_exceeded: 403,
  rate_limited: 429,
  replay_unknown: 503,
  store_unavailable: 503,
};

/**
 * When it is worth another try, where the refusal itself does not say. A store that begins anew takes nothing for 30 s, which
 * the three further tries of a client outlast.
 */
const RETRY_AFTER_SECONDS: Readonly<Partial<Record<RefusalName, number>>> = {
  stale_state: 5,
  rate_limited: 1,
  replay_unknown: 11,
  store_unavailable: 1,
};

const NAMES: ReadonlySet<string> = new Set(REFUSAL_NAMES);

/** The status of a refusal; 401 where RFC 6750 has nothing better. */
export function refusalStatus(name: RefusalName): RefusalStatus {
  return STATUS[name] ?? 401;
}

/** Reads {@link REFUSAL_HEADER} of an answer. Undefined when it is none of our refusals. */
export function readRefusalName(status: number, value: string | null): RefusalName | undefined {
  if (value === null || !isRefusalName(value)) return undefined;
  return refusalStatus(value) === status ? value : undefined;
}

/**
 * Puts the answer together.
 *
 * @param scheme Of the token that was presented; `Bearer` when there was none.
 */
export function answerRefusal(
  refusal: Refusal | TokenRefusal,
  scheme: 'Bearer' | 'DPoP' = 'Bearer',
): RefusalAnswer {
  const { name, message } = refusal;
  const status = refusalStatus(name);
  const error = errorOf(status, name);
  const retryAfter = retryAfterSeconds(refusal);
  const transaction = transactionOf(refusal);
  const problem = {
    type: `https://agenttrust.dev/refusals/${name}`,
    title: 'delegation denied',
    detail: message,
  };
  return {
    status,
    headers: {
      [REFUSAL_HEADER]: name,
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(error === undefined
        ? {}
        : { 'www-authenticate': `${scheme} error="${error}", error_description="${name}"` }),
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    },
    body: JSON.stringify(transaction === undefined ? problem : { ...problem, transaction }),
  };
}

function isRefusalName(value: string): value is RefusalName {
  return NAMES.has(value);
}

/** Undefined when it is no question of the token, so that no other token is asked for. */
function errorOf(status: RefusalStatus, name: RefusalName): string | undefined {
  if (status === 400) return 'invalid_request';
  if (status === 403) return 'insufficient_scope';
  if (status !== 401) return undefined;
  return name === 'proof_invalid' ? 'invalid_dpop_proof' : 'invalid_token';
}

function retryAfterSeconds({ name, detail }: Refusal): number | undefined {
  const said = detail['retryAfterSeconds'];
  return typeof said === 'number' && said > 0 ? Math.ceil(said) : RETRY_AFTER_SECONDS[name];
}

/** Only of a token that is genuine: else it would be whatever somebody wants to read. */
function transactionOf(refusal: Refusal | TokenRefusal): string | undefined {
  const claimed = 'claimed' in refusal ? refusal.claimed : undefined;
  return claimed?.isAuthentic ? claimed.claims.txn : undefined;
}
