/** Who may call a target and what, from routes, delegators and callers that are no agents. */

import { principalOf } from './authorization-policy.ts';
import { type CallGrants, fitsInRules, operationOf } from './grants.ts';
import type { Account, MeshNote, MeshTarget, OutsideCaller, Route } from './model.ts';
import { istioPath, pathMatches } from './path.ts';
import { pathProblem } from './resolve-path.ts';

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

/** Nothing and nobody. */
export const NOBODY: Callers = { grants: new Map(), outside: [], delegators: [], notes: [] };

const TOO_MANY_CALLERS: MeshNote = {
  reason: 'CallerIgnored',
  message:
    'callers is left out: with it there would be more rules than Istio takes; give callers the same methods and paths, or fewer',
};
const TOO_MANY_ROUTES: MeshNote = {
  reason: 'RouteIgnored',
  message:
    'every route is closed: there would be more rules than Istio takes; give routes the same capability, or have fewer',
};
const METHOD = /^[A-Z]+$/;
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/**
 * Decides it. Where callers that are no agents would make more rules than Istio takes, they are left out; where the routes
 * do, nobody may call.
 */
export function callersOf(target: MeshTarget, trustDomain: string): Callers {
  const all = readCallers(target, trustDomain);
  if (fitsInRules(all.grants)) return all;
  const agents = readCallers({ ...target, callers: [] }, trustDomain);
  return fitsInRules(agents.grants)
    ? { ...agents, notes: [...all.notes, TOO_MANY_CALLERS] }
    : { ...NOBODY, notes: [...all.notes, TOO_MANY_ROUTES] };
}

function readCallers(target: MeshTarget, trustDomain: string): Callers {
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
    const problem = pathProblem(route.path, 'allowed') ?? methodProblem(route.method);
    const matched = istioPath(route.path);
    if (problem === undefined && matched !== undefined) return { ...route, matched };
    const message = `route ${route.method} ${route.path} is closed: it must ${problem}`;
    notes.push({ reason: 'RouteIgnored', message });
    return [];
  });
}

function methodProblem(method: string): string | undefined {
  return METHOD.test(method) ? undefined : 'have a method in capitals';
}

/**
 * Without paths that are routes, and without accounts that are agents as far as the target knows: neither may be opened
 * past the token. One wrong method or port would make it another entry, so then nothing of it counts.
 */
function safeCaller(target: MeshTarget, caller: OutsideCaller, notes: MeshNote[]): readonly OutsideCaller[] {
  const isWhole = caller.ports.every(isPort) && caller.methods.every((method) => METHOD.test(method));
  const paths = caller.paths.filter((path) => isWhole && isOwnPath(target, path));
  const accounts = caller.accounts.filter((account) => isOutside(target, account));
  if (paths.length < caller.paths.length || accounts.length < caller.accounts.length) {
    const message =
      'an entry of callers is left out in part: its paths must be exact and none of them that of a route, its ServiceAccounts no agents';
    notes.push({ reason: 'CallerIgnored', message });
  }
  return paths.length === 0 || accounts.length === 0 || caller.ports.length === 0
    ? []
    : [{ ...caller, paths, accounts }];
}

function isOwnPath({ routes }: MeshTarget, path: string): boolean {
  return pathProblem(path, 'none') === undefined && !routes.some((route) => pathMatches(route.path, path));
}

function isOutside(target: MeshTarget, { namespace, serviceAccountName }: Account): boolean {
  const isNamed = NAME.test(namespace) && NAME.test(serviceAccountName);
  const agents: readonly Account[] = [target, ...target.delegators];
  return (
    isNamed &&
    !agents.some((agent) => agent.namespace === namespace && agent.serviceAccountName === serviceAccountName)
  );
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function operationsOf({ ports, methods, paths }: OutsideCaller): readonly string[] {
  const named = methods.length === 0 ? [''] : methods;
  return ports.flatMap((port) =>
    named.flatMap((method) => paths.map((path) => operationOf({ port, method, path }))),
  );
}
