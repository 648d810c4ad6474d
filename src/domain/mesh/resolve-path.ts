/**
 * Paths of routes and callers: what a well-formed one is. A path is literal, or has templates for whole segments:
 * `{name}` or `{*}` for one, `{**}` at the end for the rest.
 */

const LITERAL_PATH = /^\/[A-Za-z0-9._~!$&'()+,;=:@{}*/-]*$/;
const LITERAL = /^[A-Za-z0-9._~!$&'()+,;=:@-]*$/;
const NAMED = /^\{([A-Za-z0-9_]+|\*)\}$/;
const MAX_PATH_LENGTH = 256;

/** Whether a path may have templates. */
export type Templates = 'none' | 'allowed';

/**
 * What is wrong with a path.
 *
 * @returns The rule that it breaks, as the end of the sentence "`<path>` must ...", or undefined. A proxy takes an empty,
 *   `.` or `..` segment out of a request before it compares, so a path with one would never match.
 */
export function pathProblem(path: unknown, templates: Templates): string | undefined {
  if (typeof path !== 'string' || path.length > MAX_PATH_LENGTH || !LITERAL_PATH.test(path)) {
    return `begin with / and have at most ${MAX_PATH_LENGTH} characters of a path`;
  }
  const segments = segmentsOf(path);
  const last = segments.length - 1;
  if (segments.some((segment, at) => segment === '.' || segment === '..' || (segment === '' && at < last))) {
    return 'have no empty, . or .. segment';
  }
  const isAllowed = (segment: string, at: number): boolean =>
    LITERAL.test(segment) ||
    (templates === 'allowed' && (NAMED.test(segment) || (segment === '{**}' && at === last)));
  if (!segments.every(isAllowed)) return TEMPLATE_RULES[templates];
  return undefined;
}

const TEMPLATE_RULES: Readonly<Record<Templates, string>> = {
  none: 'have no template',
  allowed: 'have templates only as whole segments: {name} or {*} for one, {**} at the end for the rest',
};

function segmentsOf(path: string): readonly string[] {
  return path.split('/').slice(1);
}
