/**
 * Which route of an agent's server a request is for. Everything is decided on the path as it was received: what two readers
 * could read as two paths is no path at all.
 */

import { isConcreteResource } from '../../capability/parse.ts';
import { pathMatches } from '../../mesh/path.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { ServerRoute } from '../state/server-policy.ts';
import type { AskedNow } from '../verify/verifier.ts';

/** What a request is for. */
export interface MatchedRoute {
  readonly kind: 'route';
  readonly route: ServerRoute;
  /** Absent when the application asks. */
  readonly asked: AskedNow | undefined;
}

/** RFC 3986 section 3.3, without empty segments, which some leave out and some take for a host. */
const PLAIN_PATH = /^(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*\/?$/;
/** RFC 3986 section 5.2.4. */
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;
const NAMED_SEGMENT = /^\{([A-Za-z0-9_]+)\}$/;
const REST = '{**}';
/** Far more than any route has: a path is compared with every one of them, before anybody has shown a token. */
const MAX_SEGMENTS = 256;

/**
 * The path of a request target in origin form; RFC 9112 section 3.2.1.
 *
 * @returns Not decoded, without query. Undefined for another form, and for a path that URL parsers would change.
 */
export function rawPathOf(target: string): string | undefined {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  if (!path.startsWith('/') || !PLAIN_PATH.test(path)) return undefined;
  const decoded = decode(path);
  return decoded === undefined || DOT_SEGMENT.test(decoded) ? undefined : path;
}

/**
 * Finds the most specific route.
 *
 * @param path From {@link rawPathOf}.
 * @returns Undefined when there is none, when the path has more than 256 segments, decoded or not, or when a server that
 *   reads paths leniently would find another one too;
 *   `malformed` when a `{name}` stands for something that is no segment of a resource.
 */
export function findRoute(
  routes: readonly ServerRoute[],
  { method, path }: { readonly method: string; readonly path: string },
): MatchedRoute | Refusal | undefined {
  const readings = [path, decode(path) ?? path];
  if (readings.some((reading) => reading.split('/').length - 1 > MAX_SEGMENTS)) return undefined;
  const ofMethod = routes.filter((route) => route.method === method);
  const [best] = ofMethod.filter((route) => matches(route.path, path)).sort(bySpecificity);
  if (best === undefined) return undefined;
  const isAmbiguous = ofMethod.some(
    (route) =>
      !matches(route.path, path) &&
      !isSameDemand(route, best) &&
      readings.some((reading) => pathMatches(route.path, reading)),
  );
  if (isAmbiguous) return undefined;
  const segments = captured(best.path, path);
  return segments === undefined
    ? refuse('malformed', 'A part of the path is no segment of a resource.')
    : { kind: 'route', route: best, asked: askedOf(best, segments) };
}

/** Undefined when it is not the escaped form of any text. */
function decode(path: string): string | undefined {
  try {
    return path.includes('%') ? decodeURIComponent(path) : path;
  } catch {
    return undefined;
  }
}

function matches(template: string, path: string): boolean {
  const [wanted, given] = [template.split('/'), path.split('/')];
  for (const [index, segment] of wanted.entries()) {
    if (segment === REST) return given.length > index;
    const other = given[index];
    if (other === undefined || (segment.startsWith('{') ? other === '' : segment !== other)) return false;
  }
  return wanted.length === given.length;
}

/** What is literal comes before one segment, and that before the rest. */
function bySpecificity(a: ServerRoute, b: ServerRoute): number {
  const [ofA, ofB] = [a.path.split('/').map(rankOf), b.path.split('/').map(rankOf)];
  const at = ofA.findIndex((rank, index) => rank !== ofB[index]);
  return at === -1 ? 0 : (ofA[at] ?? 0) - (ofB[at] ?? 0);
}

function rankOf(segment: string): number {
  if (segment === REST) return 2;
  return segment.startsWith('{') ? 1 : 0;
}

function isSameDemand(a: ServerRoute, b: ServerRoute): boolean {
  return a.capability === b.capability && a.resource === b.resource && a.accepts === b.accepts;
}

/** Undefined when one of them cannot stand in a resource. */
function captured(template: string, path: string): ReadonlyMap<string, string> | undefined {
  const given = path.split('/');
  const segments = new Map<string, string>();
  for (const [index, segment] of template.split('/').entries()) {
    const [, name] = NAMED_SEGMENT.exec(segment) ?? [];
    const value = given[index] ?? '';
    if (name === undefined) continue;
    if (!isConcreteResource(value)) return undefined;
    segments.set(name, value);
  }
  return segments;
}

function askedOf(
  { capability, resource }: ServerRoute,
  segments: ReadonlyMap<string, string>,
): AskedNow | undefined {
  if (capability === undefined) return undefined;
  if (resource === undefined) return { name: capability, isResourceLater: true };
  const filled = resource.replace(/\{([A-Za-z0-9_]+)\}/g, (_, name: string) => segments.get(name) ?? '');
  return { name: capability, resource: filled };
}
