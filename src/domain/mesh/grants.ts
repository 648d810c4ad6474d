/**
 * Who may call what, as a set: for each principal its operations. It is what an ALLOW policy says, and what two of them
 * have in common.
 */

/** A principal is `<trustDomain>/ns/<namespace>/sa/<account>`, an operation a text made by {@link operationOf}. */
export type CallGrants = ReadonlyMap<string, ReadonlySet<string>>;

/** One thing that can be called. Empty texts stand for any method and any path. */
export interface Operation {
  readonly port: number;
  readonly method: string;
  /** As Istio matches it. */
  readonly path: string;
}

interface To {
  readonly operation: { readonly ports?: unknown; readonly methods?: unknown; readonly paths?: unknown };
}
interface From {
  readonly source: { readonly principals?: unknown };
}

/** Limit of Istio's schema. */
const MAX_RULES = 512;

/** An operation as an element of a set. */
export function operationOf({ port, method, path }: Operation): string {
  return `${port} ${method} ${path}`;
}

/**
 * Rules of an ALLOW policy, sorted: one for each distinct set of operations, with all principals that have it; or, where
 * those are more than Istio takes, one for each distinct set of principals, with all operations that they have.
 */
export function allowRules(grants: CallGrants): readonly object[] {
  const bySet = groupPrincipals(grants);
  const rules = bySet.size <= MAX_RULES ? bySet : groupOperations(grants);
  return [...rules]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([operations, principals]) => ({
      from: [{ source: { principals: [...principals].sort() } }],
      to: toList(operations.split('\n')),
    }));
}

/** Whether they are no more rules than Istio takes. */
export function fitsInRules(grants: CallGrants): boolean {
  return grants.size <= MAX_RULES || allowRules(grants).length <= MAX_RULES;
}

/** Reads what {@link allowRules} wrote; undefined for rules that say anything else. */
export function readAllowRules(rules: unknown): CallGrants | undefined {
  if (rules === undefined) return new Map();
  if (!Array.isArray(rules)) return undefined;
  const grants = new Map<string, Set<string>>();
  for (const rule of rules as readonly unknown[]) {
    const read = readRule(rule);
    if (read === undefined) return undefined;
    for (const principal of read.principals) {
      const held = grants.get(principal) ?? new Set();
      for (const operation of read.operations) held.add(operation);
      grants.set(principal, held);
    }
  }
  return grants;
}

/** What both allow. */
export function commonGrants(a: CallGrants, b: CallGrants): CallGrants {
  const common = new Map<string, ReadonlySet<string>>();
  for (const [principal, operations] of a) {
    const both = operations.intersection(b.get(principal) ?? new Set());
    if (both.size > 0) common.set(principal, both);
  }
  return common;
}

function groupPrincipals(grants: CallGrants): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const [principal, operations] of grants) {
    const key = [...operations].sort().join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [principal]);
    else group.push(principal);
  }
  return groups;
}

/** Grouped twice: by operation who has it, then the operations that the same principals have. */
function groupOperations(grants: CallGrants): ReadonlyMap<string, readonly string[]> {
  const holders = new Map<string, Set<string>>();
  for (const [principal, operations] of grants) {
    for (const operation of operations) {
      const held = holders.get(operation);
      if (held === undefined) holders.set(operation, new Set([principal]));
      else held.add(principal);
    }
  }
  const byHolders = groupPrincipals(holders);
  return new Map(
    [...byHolders].map(([principals, operations]) => [
      [...operations].sort().join('\n'),
      principals.split('\n'),
    ]),
  );
}

/** One entry for each port and method; in between the fields of an entry there is "and", so no two are mixed. */
function toList(operations: readonly string[]): readonly object[] {
  const byPortAndMethod = new Map<string, string[]>();
  for (const operation of operations) {
    const [port = '', method = '', path = ''] = operation.split(' ');
    const key = `${port} ${method}`;
    const paths = byPortAndMethod.get(key);
    if (paths === undefined) byPortAndMethod.set(key, [path]);
    else paths.push(path);
  }
  return [...byPortAndMethod].map(([key, paths]) => {
    const [port = '', method = ''] = key.split(' ');
    const named = paths.filter((path) => path !== '');
    return {
      operation: {
        ports: [port],
        ...(method === '' ? {} : { methods: [method] }),
        ...(named.length === 0 ? {} : { paths: named }),
      },
    };
  });
}

interface ReadRule {
  readonly principals: readonly string[];
  readonly operations: readonly string[];
}

function readRule(rule: unknown): ReadRule | undefined {
  if (!hasOnly(rule, ['from', 'to'])) return undefined;
  const { from, to } = rule as { readonly from?: readonly From[]; readonly to?: readonly To[] };
  if (!Array.isArray(from) || !Array.isArray(to)) return undefined;
  const principals = (from as readonly From[]).map(readFrom);
  const operations = (to as readonly To[]).map(readTo);
  if (principals.includes(undefined) || operations.includes(undefined)) return undefined;
  return {
    principals: principals.flatMap((list) => list ?? []),
    operations: operations.flatMap((list) => list ?? []),
  };
}

function readFrom(entry: From): readonly string[] | undefined {
  if (!hasOnly(entry, ['source']) || !hasOnly(entry.source, ['principals'])) return undefined;
  return texts(entry.source.principals);
}

function readTo(entry: To): readonly string[] | undefined {
  if (!hasOnly(entry, ['operation']) || !hasOnly(entry.operation, ['ports', 'methods', 'paths'])) {
    return undefined;
  }
  const { ports, methods, paths } = entry.operation;
  const [read, readMethods, readPaths] = [texts(ports), textsOrAny(methods), textsOrAny(paths)];
  if (read === undefined || readMethods === undefined || readPaths === undefined) return undefined;
  return read.flatMap((port) =>
    readMethods.flatMap((method) => readPaths.map((path) => `${port} ${method} ${path}`)),
  );
}

function textsOrAny(list: unknown): readonly string[] | undefined {
  return list === undefined ? [''] : texts(list);
}

/** A list with at least one text, none of them empty; an absent list would mean everything. */
function texts(list: unknown): readonly string[] | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined;
  return list.every((entry) => typeof entry === 'string' && entry !== '') ? list : undefined;
}

function hasOnly(value: unknown, keys: readonly string[]): value is object {
  return typeof value === 'object' && value !== null && Object.keys(value).every((key) => keys.includes(key));
}
