/** The shape of the payload of a capability token: which claims there may be, and what each may hold. */

import { isCapabilityName, isResource } from '../capability/parse.ts';
import type { JsonValue } from '../json/parse.ts';
import {
  Fault,
  integer,
  isObject,
  list,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  text,
} from '../json/shape.ts';
import {
  type Actor,
  type Ancestor,
  CAPABILITY_DETAILS_TYPE,
  type CapabilityClaims,
  type CapabilityDetails,
  type Confirmation,
  type GrantedCapability,
  isServiceMinted,
  type SubjectIdentifier,
  TOKEN_LIMITS,
  type TransactionContext,
} from './claims.ts';
import {
  isAgentId,
  isDigest,
  isIssuerUrl,
  isPrincipal,
  isPrintable,
  isTokenIssuer,
  isUuidV7,
} from './text-forms.ts';

const { capabilities, resources, depth, uses, parents } = TOKEN_LIMITS;
const agentId = text(isAgentId);
const uuidV7 = text(isUuidV7);
const digest = text(isDigest);
/** Seconds since the Unix epoch; RFC 7519 section 2, NumericDate, whole ones only. */
const instant = integer(0, Number.MAX_SAFE_INTEGER);

const grantedCapability: Shape<GrantedCapability> = object<GrantedCapability>({
  name: text(isCapabilityName),
  resources: list(text(isResource), { least: 1, most: resources }),
});

const ourDetails: Shape<CapabilityDetails> = object<CapabilityDetails>({
  type: oneOf(CAPABILITY_DETAILS_TYPE),
  capabilities: list(grantedCapability, { least: 1, most: capabilities }),
});

const confirmation = object<{ readonly 'x5t#S256'?: string; readonly jkt?: string }>({
  'x5t#S256': optional(digest),
  jkt: optional(digest),
});

const actor: Shape<Actor> = object<Actor>({ sub: agentId, act: optional((value) => actor(value)) });

const subjectIdentifier: Shape<SubjectIdentifier> = object<SubjectIdentifier>({
  format: oneOf('iss_sub'),
  iss: text(isIssuerUrl),
  sub: text(isPrintable),
});

const ancestor: Shape<Ancestor> = object<Ancestor>({ client_id: agentId, jti: uuidV7, iat: instant });

const contextValues = record(isPrintable, contextValue, 16);

const claims: Shape<CapabilityClaims> = object<CapabilityClaims>({
  iss: text(isTokenIssuer),
  sub: text(isPrincipal),
  sub_id: optional(subjectIdentifier),
  tctx: optional(transactionContext),
  act: optional(actor),
  client_id: agentId,
  aud: agentId,
  iat: instant,
  exp: instant,
  del_exp: optional(instant),
  jti: uuidV7,
  txn: uuidV7,
  authorization_details: list(details, { least: 1, most: 1 }),
  cnf: optional(oneConfirmation),
  max_uses: optional(integer(1, uses)),
  del_depth: integer(1, depth),
  del_max_depth: integer(1, depth),
  par_hash: optional(digest),
  del_path: optional(list(ancestor, { least: 1, most: parents })),
});

/**
 * Reads a payload.
 *
 * @returns The claims, or the fault: `malformed` for a claim that is missing or not of its form, for an `exp` that is not
 *   after `iat`, for a `del_path` that is not that of such a token; `unknown` when all of that is well and there is more.
 *
 * Errors: none.
 */
export function readClaims(payload: JsonValue): CapabilityClaims | Fault {
  const read = claims(payload);
  if (read instanceof Fault) return read;
  if (read.exp <= read.iat) return new Fault('malformed', 'exp');
  return hasItsPath(read) ? read : new Fault('malformed', 'del_path');
}

/** The service names all ancestors, because it carries no chain; an agent names none. */
function hasItsPath(read: CapabilityClaims): boolean {
  const ancestors = read.del_path?.length ?? 0;
  return ancestors === (isServiceMinted(read) ? read.del_depth - 1 : 0);
}

/** What another type of details means is nobody's guess, so only a type of ours is looked into. */
function details(value: JsonValue): CapabilityDetails | Fault {
  const type = isObject(value) ? value.get('type') : undefined;
  if (typeof type === 'string' && type !== CAPABILITY_DETAILS_TYPE) return new Fault('unknown', 'type');
  const read = ourDetails(value);
  if (read instanceof Fault) return read;
  const names = new Set(read.capabilities.map(({ name }) => name));
  return names.size === read.capabilities.length ? read : new Fault('malformed', 'capabilities');
}

function oneConfirmation(value: JsonValue): Confirmation | Fault {
  const read = confirmation(value);
  if (read instanceof Fault) return read;
  const { jkt, 'x5t#S256': x5t } = read;
  if (jkt === undefined) return x5t === undefined ? new Fault('malformed') : { 'x5t#S256': x5t };
  return x5t === undefined ? { jkt } : new Fault('malformed');
}

function transactionContext(value: JsonValue): TransactionContext | Fault {
  const read = contextValues(value);
  if (read instanceof Fault) return read;
  return read.size > 0 ? Object.fromEntries(read) : new Fault('malformed');
}

function contextValue(value: JsonValue): string | number | boolean | Fault {
  if (typeof value === 'string') return isPrintable(value) ? value : new Fault('malformed');
  return typeof value === 'number' || typeof value === 'boolean' ? value : new Fault('malformed');
}
