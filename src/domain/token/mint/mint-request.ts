/** What an agent asks for when it delegates, and whether a token can say it at all. */

import { isCapabilityName, isResource } from '../../capability/parse.ts';
import { type Confirmation, type GrantedCapability, TOKEN_LIMITS } from '../claims.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { isDigest } from '../text-forms.ts';

/** What is to be delegated. */
export interface MintRequest {
  /** SPIFFE ID of the audience. */
  readonly to: string;
  readonly capabilities: readonly GrantedCapability[];
  /** What the token is bound to; as the edge says, by the presenter's certificate or signing key. */
  readonly confirmation: Confirmation;
  /** When the certificate ends that the token is bound to; absent when it is bound to a key. */
  readonly certificateEndsAt?: number;
  /** Absent means 120 s, or as long as everything around it lets it live. */
  readonly ttlSeconds?: number;
  /** Absent means 1. */
  readonly maxUses?: number;
  /** How deep the tree may become; absent means as deep as rule and parent allow. */
  readonly maxDepth?: number;
  /** Until when children may be minted, in seconds since the Unix epoch; absent means as long as the token lives. */
  readonly delegableUntil?: number;
}

/** Whether a request has the form that a token can have; whether it is allowed is another question. */
export function checkRequest(request: MintRequest): Refusal | undefined {
  const {
    capabilities,
    confirmation,
    ttlSeconds = 1,
    maxUses = 1,
    maxDepth = 1,
    delegableUntil = 0,
  } = request;
  if (!isWithin(capabilities.length, TOKEN_LIMITS.capabilities) || !capabilities.every(isCapability))
    return refuse('malformed', 'A token says 1 to 16 capabilities, each with 1 to 16 resources.');
  if (new Set(capabilities.map(({ name }) => name)).size < capabilities.length)
    return refuse('malformed', 'A token says each capability once.');
  if (!isDigest(confirmation.jkt ?? '') && !isDigest(confirmation['x5t#S256'] ?? ''))
    return refuse('malformed', 'A token is bound to a key or to a certificate.');
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1 || !Number.isSafeInteger(delegableUntil))
    return refuse('malformed', 'Times are whole seconds.');
  if (!isWithin(maxUses, TOKEN_LIMITS.uses) || !isWithin(maxDepth, TOKEN_LIMITS.depth))
    return refuse('malformed', 'A token has 1 to 5 uses and a depth of 1 to 8.');
  return undefined;
}

function isCapability({ name, resources }: GrantedCapability): boolean {
  return (
    isCapabilityName(name) &&
    isWithin(resources.length, TOKEN_LIMITS.resources) &&
    resources.every(isResource)
  );
}

function isWithin(count: number, most: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= most;
}
