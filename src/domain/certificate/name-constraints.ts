/** Whether an authority that constrains names leaves room for those of agents. Source: RFC 5280 section 4.2.1.10. */

/** Where a subtree of names begins. */
export interface NameBase {
  /** `other`: addresses and whatever else no leaf of an agent has. */
  readonly kind: 'dns' | 'uri' | 'directory' | 'other';
  /** Of a DNS name or a URI; empty for a directory name. */
  readonly text: string;
}

/** The extension of an authority. */
export interface NameConstraints {
  /** Of each kind that is listed, only names below one of these. */
  readonly permitted: readonly NameBase[];
  readonly excluded: readonly NameBase[];
  /** A subtree has a minimum or a maximum, which no TLS stack follows. */
  readonly hasDistances: boolean;
}

/** The names that leaves carry. */
export interface NameSpace {
  readonly trustDomain: string;
  readonly clusterDomain: string;
}

/**
 * What of the names of agents an authority may not certify.
 *
 * @returns What is wrong, continuing "its name constraints"; undefined when every agent of every namespace gets a leaf that
 *   verifies. Strict where TLS stacks differ: a subtree below ours that is excluded counts, and so does every directory name.
 */
export function forbiddenByConstraints(
  { permitted, excluded, hasDistances }: NameConstraints,
  { trustDomain, clusterDomain }: NameSpace,
): string | undefined {
  if (hasDistances) return 'have a minimum or a maximum';
  if ([...permitted, ...excluded].some(({ kind }) => kind === 'directory'))
    return 'are about directory names, and the subject of a leaf is O=<namespace>, CN=<name>.<namespace>';
  if (!permitsUris({ permitted, excluded }, trustDomain))
    return `do not let URIs of host ${trustDomain} through, which SPIFFE IDs are`;
  const [own, foreign] = [constraintsOf('dns', permitted), constraintsOf('dns', excluded)];
  const refused = ['svc', `svc.${clusterDomain}`].find((space) => !isSpaceAllowed(own, foreign, space));
  return refused === undefined ? undefined : `do not let every DNS name below ${refused} through`;
}

/** Whether URIs of a host are let through. */
export function permitsUris(
  { permitted, excluded }: Pick<NameConstraints, 'permitted' | 'excluded'>,
  host: string,
): boolean {
  return isUriAllowed(constraintsOf('uri', permitted), constraintsOf('uri', excluded), host);
}

function constraintsOf(kind: NameBase['kind'], bases: readonly NameBase[]): readonly string[] {
  return bases.filter((base) => base.kind === kind).map(({ text }) => text.toLowerCase());
}

/** A base that begins with a dot means hosts below it, any other exactly that host. */
function isUriAllowed(permitted: readonly string[], excluded: readonly string[], host: string): boolean {
  const covers = (base: string): boolean =>
    base.startsWith('.') ? host.endsWith(base) && host.length > base.length : base === host;
  const isPermitted = permitted.length === 0 || permitted.some(covers);
  return isPermitted && !excluded.some((base) => base === '' || covers(base));
}

/** Whether all names below a domain are permitted and none is excluded. */
function isSpaceAllowed(permitted: readonly string[], excluded: readonly string[], space: string): boolean {
  const bases = (all: readonly string[]): readonly string[] => all.map((base) => base.replace(/^\./, ''));
  const isPermitted = permitted.length === 0 || bases(permitted).some((base) => isBelow(space, base));
  return isPermitted && !bases(excluded).some((base) => isBelow(space, base) || isBelow(base, space));
}

function isBelow(name: string, base: string): boolean {
  return base === '' || name === base || name.endsWith(`.${base}`);
}
