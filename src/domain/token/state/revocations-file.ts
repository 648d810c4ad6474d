/** revocations.json of a bundle: who is cut off, and which tokens are dead before they end. */

import { parseJson } from '../../json/parse.ts';
import { Fault, integer, list, object, optional, record, type Shape, text } from '../../json/shape.ts';
import { isAgentId, isIssuerUrl, isPrintable } from '../text-forms.ts';
import { FILE_LIMIT_LENGTH } from './policy-file.ts';

/** A user as TokenRevocation names one. */
export interface RevokedSubject {
  readonly issuer: string;
  readonly name: string;
}

/** Tokens that are dead: all that match every member that is set. */
export interface Revocation {
  /** One token, and all that were made from it. */
  readonly tokenID?: string;
  /** A whole tree. */
  readonly transaction?: string;
  readonly subject?: RevokedSubject;
  /** SPIFFE ID of an agent at any place of the chain. */
  readonly agent?: string;
  /** `<namespace>/<name>` of a DelegationPolicy whose edges were used. */
  readonly policy?: string;
  /** All tokens; stands alone but for the three members below. */
  readonly everything?: true;
  /** Only chains with an agent of this namespace; absent means all. */
  readonly namespace?: string;
  /** Only tokens issued up to then, in seconds since the Unix epoch; absent means whenever. */
  readonly issuedBefore?: number;
  /** When the last token it can touch is dead; for whoever keeps the list, a verifier does not look at it. */
  readonly until: number;
}

/** The file. */
export interface RevocationsFile {
  readonly version: 1;
  /** SPIFFE IDs. */
  readonly suspended: readonly string[];
  /** By SPIFFE ID: tokens that the agent presents count only if they were issued after this second. */
  readonly notBefore: ReadonlyMap<string, number>;
  readonly revocations: readonly Revocation[];
}

const instant = integer(0, Number.MAX_SAFE_INTEGER);

const subject: Shape<RevokedSubject> = object<RevokedSubject>({
  issuer: text(isIssuerUrl),
  name: text(isPrintable),
});

const revocation: Shape<Revocation> = object<Revocation>({
  tokenID: optional(text(isPrintable)),
  transaction: optional(text(isPrintable)),
  subject: optional(subject),
  agent: optional(text(isAgentId)),
  policy: optional(text(isPrintable)),
  everything: optional((value) => value === true || new Fault('malformed')),
  namespace: optional(text(isPrintable)),
  issuedBefore: optional(instant),
  until: instant,
});

const file: Shape<RevocationsFile> = object<RevocationsFile>({
  version: (value) => (value === 1 ? 1 : new Fault('malformed')),
  suspended: list(text(isAgentId), { most: 10_000 }),
  notBefore: record(isAgentId, instant, 10_000),
  revocations: list(revocation, { most: 2000 }),
});

/**
 * Reads revocations.json.
 *
 * @returns Undefined when it is of another version or not of this form in every part.
 *
 * Errors: none.
 */
export function readRevocationsFile(json: string): RevocationsFile | undefined {
  const result = parseJson(json, FILE_LIMIT_LENGTH);
  const read = result.kind === 'value' ? file(result.value) : undefined;
  if (read === undefined || read instanceof Fault) return undefined;
  return read.revocations.every(saysWhat) ? read : undefined;
}

/** An entry without a selector would revoke everything by mistake. */
function saysWhat({ tokenID, transaction, subject: user, agent, policy, everything }: Revocation): boolean {
  const selectors = [tokenID, transaction, user, agent, policy].filter((each) => each !== undefined);
  return (everything === undefined) === selectors.length > 0;
}
