/**
 * The order in which the objects of one target are written, so that after every write, wherever the operator dies, nothing
 * is let in that neither the old nor the new set lets in.
 *
 * flow: first every object shrinks to what old and new have in common (whatever mix is on the server then lets in less
 * than the old set), ALLOW first; then every object grows to what is wanted (any mix lets in less than the new set), ALLOW
 * last. Where what is on the server cannot be read, ALLOW is closed before anything else changes.
 */

import { isDeepStrictEqual } from 'node:util';
import { closedAllow, type EnforcingRole, meetOf } from './meet.ts';
import type { MeshObject, MeshObjects, MeshRole, MeshWrite } from './model.ts';

const SHRINK: readonly EnforcingRole[] = ['allow', 'fence', 'mtls', 'verify', 'net'];
const GROW: readonly EnforcingRole[] = ['verify', 'mtls', 'net', 'fence', 'allow'];
/** They decide nothing. */
const DRY: readonly MeshRole[] = ['dryallow', 'dryfence'];

/** The writes from what is on the server to what is wanted; empty when that is the same. Errors: none. */
export function planWrites(observed: MeshObjects, wanted: MeshObjects): readonly MeshWrite[] {
  const current: Partial<Record<MeshRole, MeshObject>> = { ...observed };
  const writes: MeshWrite[] = [];
  const put = (role: MeshRole, object: MeshObject | undefined): void => {
    if (isDeepStrictEqual(current[role], object)) return;
    if (object === undefined) {
      delete current[role];
      writes.push({ verb: 'delete', role });
    } else {
      current[role] = object;
      writes.push({ verb: 'put', role, object });
    }
  };
  for (const role of DRY) if (wanted[role] !== undefined) put(role, wanted[role]);
  for (const [role, object] of shrunk(observed, wanted)) put(role, object);
  for (const role of GROW) put(role, wanted[role]);
  for (const role of DRY) put(role, wanted[role]);
  return writes;
}

/** What the first half writes. */
function shrunk(
  observed: MeshObjects,
  wanted: MeshObjects,
): readonly (readonly [EnforcingRole, MeshObject])[] {
  const differing = SHRINK.filter((role) => !isDeepStrictEqual(observed[role], wanted[role]));
  // One object is replaced by one write: there is nothing in between.
  if (differing.length <= 1) return [];
  const meets = differing.map((role) => [role, meetFor(role, observed[role], wanted[role])] as const);
  const allow = wanted.allow ?? observed.allow;
  const isFirst = Object.keys(observed).length === 0;
  const isUnknown = meets.some(([, meet]) => meet === 'unknown');
  const closes = allow !== undefined && (isFirst || isUnknown) && wanted.allow !== undefined;
  return [
    ...(closes ? [['allow', closedAllow(allow)] as const] : []),
    ...meets.flatMap(([role, meet]) =>
      meet === 'unknown' || meet === undefined || (closes && role === 'allow') ? [] : [[role, meet] as const],
    ),
  ];
}

/** Undefined: both are absent, or it stays as it is until the second half. */
function meetFor(
  role: EnforcingRole,
  observed: MeshObject | undefined,
  wanted: MeshObject | undefined,
): MeshObject | undefined | 'unknown' {
  if (observed === undefined) return wanted;
  if (wanted === undefined) return undefined;
  const meet = meetOf(role, observed, wanted);
  if (meet === undefined) return 'unknown';
  // Only metadata differs: that can wait.
  return isDeepStrictEqual(meet.spec, observed.spec) ? undefined : meet;
}
