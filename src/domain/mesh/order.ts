/**
 * The order in which the objects of one target are written, so that after every write, wherever the operator dies, nothing
 * is let in that neither the old nor the new set lets in.
 *
 * flow: first every object shrinks to what old and new have in common (whatever mix is on the server then lets in less
 * than the old set), ALLOW first; then every object grows to what is wanted (any mix lets in less than the new set), ALLOW
 * last; then what is not wanted goes. Where the meaning of what is on the server is not known, the target is closed before
 * anything else changes.
 */

import { isDeepStrictEqual } from 'node:util';
import { closedAllow, type EnforcingRole, isAllow, isEnforced, meetOf } from './meet.ts';
import type { MeshObject, MeshObjects, MeshRole, MeshWrite } from './model.ts';

const SHRINK: readonly EnforcingRole[] = ['allow', 'fence', 'mtls', 'verify', 'net'];
/** They decide nothing, unless somebody took the annotation away that says so. */
const DRY = ['dryallow', 'dryfence'] as const;
/** Also the order in which objects go. */
const GROW: readonly MeshRole[] = [...DRY, 'verify', 'mtls', 'net', 'fence', 'allow'];

type Put = readonly [role: MeshRole, object: MeshObject];

/** The writes from what is on the server to what is wanted; empty when that is the same. Errors: none. */
export function planWrites(observed: MeshObjects, wanted: MeshObjects): readonly MeshWrite[] {
  const current: Partial<Record<MeshRole, MeshObject>> = { ...observed };
  const writes: MeshWrite[] = [];
  const put = (role: MeshRole, object: MeshObject): void => {
    if (isDeepStrictEqual(current[role], object)) return;
    current[role] = object;
    writes.push({ verb: 'put', role, object });
  };
  for (const [role, object] of narrowed(observed, wanted)) put(role, object);
  for (const role of GROW) if (wanted[role] !== undefined) put(role, wanted[role]);
  for (const role of GROW) {
    if (wanted[role] === undefined && current[role] !== undefined) writes.push({ verb: 'delete', role });
  }
  return writes;
}

/** What is written first, so that the rest may come in any mix. */
function narrowed(observed: MeshObjects, wanted: MeshObjects): readonly Put[] {
  // Without ALLOW at most one wanted object refuses anything: once it is there, whatever goes only lets in more of that.
  if (wanted.allow === undefined) return Object.keys(wanted).length === 0 ? closedLast(observed) : [];
  const differing = SHRINK.filter((role) => !isDeepStrictEqual(observed[role], wanted[role]));
  const armed = DRY.filter((role) => observed[role] !== undefined && isEnforced(observed[role].metadata));
  // One object is replaced by one write: there is nothing in between.
  if (differing.length + armed.length <= 1) return [];
  const meets = differing.map((role) => [role, meetFor(role, observed[role], wanted[role])] as const);
  const isKnown =
    armed.length === 0 && Object.keys(observed).length > 0 && !meets.some(([, meet]) => meet === 'unknown');
  return isKnown
    ? meets.flatMap(([role, meet]) => (typeof meet === 'object' ? [[role, meet] as const] : []))
    : closedFirst(observed, wanted, wanted.allow);
}

/** Undefined: both are absent, or it stays as it is until the second half. An absent object refuses nothing. */
function meetFor(
  role: EnforcingRole,
  observed: MeshObject | undefined,
  wanted: MeshObject | undefined,
): MeshObject | undefined | 'unknown' {
  if (observed === undefined) return wanted;
  const meet = meetOf(role, observed, wanted ?? observed);
  if (meet === undefined) return 'unknown';
  // Only metadata differs: that can wait.
  return isDeepStrictEqual(meet.spec, observed.spec) ? undefined : meet;
}

/**
 * Lets nobody in, whatever is there, and then puts up the walls. Objects that say ALLOW under the name of another role are
 * emptied first: a workload with an ALLOW policy without rules is closed as long as no other one has any.
 */
function closedFirst(observed: MeshObjects, wanted: MeshObjects, allow: MeshObject): readonly Put[] {
  const others = [...DRY, 'fence', 'verify'] as const;
  const emptied = others.flatMap((role): readonly Put[] => {
    const object = observed[role];
    if (object === undefined || !isAllow(object)) return [];
    return [[role, closedAllow(allow, object.metadata.name)]];
  });
  const closed = { ...wanted, allow: closedAllow(allow) };
  const walls = SHRINK.flatMap((role): readonly Put[] => {
    const object = closed[role];
    return object === undefined ? [] : [[role, object]];
  });
  return [...emptied, ...walls];
}

/** The walls go behind a closed ALLOW, the last to go. */
function closedLast({ allow }: MeshObjects): readonly Put[] {
  return allow !== undefined && meetOf('allow', allow, allow) !== undefined
    ? [['allow', closedAllow(allow)]]
    : [];
}
