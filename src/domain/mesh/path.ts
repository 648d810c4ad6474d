/**
 * Paths as Istio matches them: exact ones, and templates with `{*}` for one segment and a last `{**}` for the rest.
 *
 * Source: Istio, AuthorizationPolicy, path templating (since 1.22): an operator is a whole segment.
 */

/** A path as Istio matches it, or undefined when it cannot: an operator is only a part of a segment, or not the last. */
export function istioPath(path: string): string | undefined {
  const segments = path.split('/').map(istioSegment);
  if (!path.startsWith('/') || segments.includes(undefined)) return undefined;
  const rest = segments.indexOf('{**}');
  return rest === -1 || rest === segments.length - 1 ? segments.join('/') : undefined;
}

/**
 * Whether the path of a route matches a path without operators, as a lenient server reads them: whatever the case, with
 * or without a slash at the end. The mesh is strict, but what it lets past the token must be no route for the agent either.
 */
export function pathMatches(route: string, path: string): boolean {
  const other = path.endsWith('/') ? path.slice(0, -1) : `${path}/`;
  return [path, other].some((each) => segmentsMatch(route.toLowerCase(), each.toLowerCase()));
}

function segmentsMatch(route: string, path: string): boolean {
  const [wanted, given] = [route.split('/'), path.split('/')];
  for (const [index, segment] of wanted.entries()) {
    if (segment === '{**}') return given.length > index;
    const other = given[index];
    if (other === undefined) return false;
    if (segment.startsWith('{') ? other === '' : segment !== other) return false;
  }
  return wanted.length === given.length;
}

function istioSegment(segment: string): string | undefined {
  if (!/[{}*]/.test(segment)) return segment;
  if (segment === '{**}') return segment;
  return /^\{(\*|[A-Za-z0-9_]+)\}$/.test(segment) ? '{*}' : undefined;
}
