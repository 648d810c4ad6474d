/** Rows of the admission table: who asks what, what the answer is, and what it is while no process of ours runs. */

import type { Manifest, Request } from '../../../support/admission/request.ts';
import type { UserName } from './users.ts';

/** What is expected. `says` is absent for RBAC, whose words follow from the request. */
export type Expected =
  | { readonly warnings: readonly string[] }
  | { readonly status: number; readonly by: string; readonly says?: string };

/** One row. */
export interface Row {
  readonly user: UserName;
  /** What is done, in words, without who. Unique for its user. */
  readonly does: string;
  /** Objects of this row alone; made before by a cluster admin. */
  readonly given?: readonly Manifest[];
  readonly request: Request;
  /** Asked as a dry run alone, because it is about what the rows share. */
  readonly dryRun?: true;
  readonly answer: Expected;
  /** Another policy refuses it as well; the API server does not say in which order it asks them. */
  readonly or?: Expected;
  /** While webhook and controller are down; absent means the same. */
  readonly whileDown?: Expected;
}

const UNPROCESSABLE = 422;
const FORBIDDEN = 403;

/** Done, with these warnings. */
export function allowed(...warnings: readonly string[]): Expected {
  return { warnings };
}

/** No role allows it. */
export const rbac: Expected = { status: FORBIDDEN, by: 'RBAC' };

/** A rule of the CRD, or the schema of the API server, refuses it. */
export function schema(says: string): Expected {
  return { status: UNPROCESSABLE, by: 'schema', says };
}

/** A ValidatingAdmissionPolicy of the chart refuses it as forbidden. */
export function policy(name: string, says: string): Expected {
  return { status: FORBIDDEN, by: `policy agent-trust-${name}`, says };
}

/** A ValidatingAdmissionPolicy of the chart refuses it as invalid. */
export function invalid(name: string, says: string): Expected {
  return { status: UNPROCESSABLE, by: `policy agent-trust-${name}`, says };
}

/** The webhook refuses it. */
export function webhook(kind: string, ...lines: readonly string[]): Expected {
  return { status: FORBIDDEN, by: `webhook ${kind}.agenttrust.dev`, says: lines.join('\n') };
}

/** The webhook would be asked, and is not there. */
export function unanswered(kind: string): Expected {
  const name = `${kind}.agenttrust.dev`;
  return { status: 500, by: `absent webhook ${name}`, says: `failed calling webhook "${name}"` };
}
