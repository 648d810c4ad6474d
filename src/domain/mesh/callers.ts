/** Who may call a target and what, from routes, delegators and callers that are no agents. */

import { principalOf } from './authorization-policy.ts';
import { type CallGrants, operationOf } from './grants.ts';
import type { MeshNote, MeshTarget, OutsideCaller, Route } from './model.ts';
import { istioPath, pathMatches } from './path.ts';

/** A target's callers; whatever would be unsafe is left out and stands in `notes`. */
export interface Callers {
  readonly grants: CallGrants;
  /** Callers that are no agents, as they count. */
  readonly outside: readonly OutsideCaller[];
  /** Delegators with at least one operation. */
  readonly delegators: MeshTarget['delegators'];
  readonly notes: readonly MeshNote[];
}

interface MatchedRoute extends Route {
  readonly matched: string;
}

/** Decides it. */
export function callersOf(target: MeshTarget, trustDomain: string): Callers {
  const notes: MeshNote[] = [];
  const routes = matchedRoutes(target, notes);
  const outside = target.callers.flatMap((caller) => safeCaller(target, caller, notes));
  const grants = new Map<string, Set<string>>();
  const grant = (principal: string, operations: readonly string[]): void => {
    const held = grants.get(principal) ?? new Set();
    for (const operation of operations) held.add(operation);
    if (held.size > 0) grants.set(principal, held);
  };
  const delegators = target.delegators.filter((delegator) => {
    const operations = routes
      .filter(({ capability }) => capability === undefined || delegator.capabilities.includes(capability))
      .map(({ method, matched }) => operationOf({ port: target.port, method, path: matched }));
    grant(principalOf(trustDomain, delegator), operations);
    return operations.length > 0;
  });
  for (const caller of outside) {
    const operations = operationsOf(caller);
    for (const account of caller.accounts) grant(principalOf(trustDomain, account), operations);
  }
  return { grants, outside, delegators, notes };
}

function matchedRoutes({ routes }: MeshTarget, notes: MeshNote[]): readonly MatchedRoute[] {
  return routes.flatMap((route) => {
    const matched = istioPath(route.path);
    if (matched !== undefined) return { ...route, matched };
    const message = `route ${route.method} ${route.path} is closed: {name}, {*} and {**} must each be a whole segment, {**} the last`;
    notes.push({ reason: 'RouteIgnored', message });
    return [];
  });
}

/** Without paths that are routes, and without accounts that are agents: neither may be opened past the token. */
function safeCaller(
  { routes, delegators }: MeshTarget,
  caller: OutsideCaller,
  notes: MeshNote[],
): readonly OutsideCaller[] {
  const paths = caller.paths.filter(
    (path) => !/[{}*]/.test(path) && !routes.some((route) => pathMatches(route.path, path)),
  );
  const accounts = caller.accounts.filter(
    (account) =>
      !delegators.some(
        ({ namespace, serviceAccountName }) =>
          namespace === account.namespace && serviceAccountName === account.serviceAccountName,
      ),
  );
  if (paths.length < caller.paths.length || accounts.length < caller.accounts.length) {
    const message =
      'an entry of callers is left out in part: its paths must be exact and none of them that of a route, its ServiceAccounts no agents';
    notes.push({ reason: 'CallerIgnored', message });
  }
  return paths.length === 0 || accounts.length === 0 || caller.ports.length === 0
    ? []
    : [{ ...caller, paths, accounts }];
}

function operationsOf({ ports, methods, paths }: OutsideCaller): readonly string[] {
  const named = methods.length === 0 ? [''] : methods;
  return ports.flatMap((port) =>
    named.flatMap((method) => paths.map((path) => operationOf({ port, method, path }))),
  );
}
