/** How an agent is called, once everything that its spec leaves out is filled in; and what of it cannot be served. */

import type { Account, OutsideCaller, Route } from './model.ts';
import { pathMatches } from './path.ts';
import { pathProblem } from './resolve-path.ts';

/** The part of the spec of an AgentIdentity that says who may call it and how, as people write it. */
export interface ServerInput {
  readonly capabilities?: readonly { readonly name: string }[];
  readonly enforcement?: string;
  readonly server?: {
    readonly port?: number;
    readonly routes?: readonly {
      readonly method: string;
      readonly path: string;
      readonly capability?: string;
    }[];
    readonly mcp?: { readonly path?: string };
  };
  readonly callers?: readonly CallerInput[];
}

/** An entry of `callers`. */
export interface CallerInput {
  /** Each `<namespace>/<name>`. */
  readonly serviceAccounts: readonly string[];
  readonly ports: readonly number[];
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
}

/** How the agent is called. */
export interface ResolvedServer {
  readonly port: number;
  /** With the MCP endpoint as a route of its own. */
  readonly routes: readonly Route[];
  readonly callers: readonly OutsideCaller[];
  readonly isDryRun: boolean;
  /**
   * Field, rule and way out of each value that cannot be served. With any here nobody may call the agent: the other
   * values are only good for showing.
   */
  readonly invalidFields: readonly string[];
}

const DEFAULT_PORT = 8443;
const DEFAULT_ROUTE: Route = { method: 'POST', path: '/v1/delegate' };
const DEFAULT_MCP_PATH = '/mcp';
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const ACCOUNT = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?)\/([a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/;

/**
 * Fills in what `spec` leaves out, and checks again what the schema checks.
 *
 * @param isAgent Whether a ServiceAccount is the identity of an agent: those are let in by policies, never as callers.
 */
export function resolveServer(spec: ServerInput, isAgent: (account: Account) => boolean): ResolvedServer {
  const { server = {}, callers = [], enforcement = 'Enforce' } = spec;
  const port = server.port ?? DEFAULT_PORT;
  const routes = routesOf(server);
  const invalidFields = [
    ...(isPort(port) ? [] : ['spec.server.port must be 1 to 65535']),
    ...(['Enforce', 'DryRun'].includes(enforcement) ? [] : ['spec.enforcement must be Enforce or DryRun']),
    ...routeProblems(spec),
    ...callers.flatMap((caller, index) => callerProblems(caller, `spec.callers[${index}]`, routes, isAgent)),
  ];
  return {
    port,
    routes,
    callers: invalidFields.length > 0 ? [] : callers.map(outsideCaller),
    isDryRun: enforcement === 'DryRun',
    invalidFields,
  };
}

function routesOf({ routes, mcp }: NonNullable<ServerInput['server']>): readonly Route[] {
  const own = (routes ?? [DEFAULT_ROUTE]).map(({ method, path, capability }) => ({
    method,
    path,
    ...(capability === undefined ? {} : { capability }),
  }));
  return mcp === undefined ? own : [...own, { method: 'POST', path: mcp.path ?? DEFAULT_MCP_PATH }];
}

function routeProblems({ server = {}, capabilities = [] }: ServerInput): readonly string[] {
  const { routes = [], mcp } = server;
  const held = new Set(capabilities.map(({ name }) => name));
  const seen = new Set<string>();
  const problems = routes.flatMap(({ method, path, capability }, index) => {
    const at = `spec.server.routes[${index}]`;
    const problem = pathProblem(path, 'allowed');
    const request = `${method} ${path}`;
    const isTwice = seen.has(request);
    seen.add(request);
    return [
      ...(METHODS.includes(method) ? [] : [`${at}.method must be one of ${METHODS.join(', ')}`]),
      ...(problem === undefined ? [] : [`${at}.path must ${problem}`]),
      ...(isTwice ? [`${at} is there twice: merge the entries or correct one path`] : []),
      ...(capability === undefined || held.has(capability)
        ? []
        : [`${at}.capability is not in spec.capabilities: add it there or correct the route`]),
    ];
  });
  return mcp === undefined ? problems : [...problems, ...mcpProblems(mcp.path ?? DEFAULT_MCP_PATH, routes)];
}

function mcpProblems(path: string, routes: readonly Route[]): readonly string[] {
  const problem = pathProblem(path, 'none');
  if (problem !== undefined) return [`spec.server.mcp.path must ${problem}`];
  const isRoute = routes.some((route) => route.method === 'POST' && pathMatches(route.path, path));
  return isRoute
    ? ['spec.server.mcp.path is the path of a route with POST: one of the two has to be another path']
    : [];
}

function callerProblems(
  { serviceAccounts, ports, methods = [], paths = [] }: CallerInput,
  at: string,
  routes: readonly Route[],
  isAgent: (account: Account) => boolean,
): readonly string[] {
  return [
    ...(serviceAccounts.length === 0 ? [`${at}.serviceAccounts must name at least one`] : []),
    ...serviceAccounts.flatMap((text, index) =>
      accountProblem(text, isAgent).map((problem) => `${at}.serviceAccounts[${index}] ${problem}`),
    ),
    ...(ports.length > 0 && ports.every(isPort) ? [] : [`${at}.ports must name at least one, 1 to 65535`]),
    ...(methods.every((method) => METHODS.includes(method))
      ? []
      : [`${at}.methods must be among ${METHODS.join(', ')}`]),
    ...(paths.length === 0 ? [`${at}.paths must name at least one path`] : []),
    ...paths.flatMap((path, index) =>
      callerPathProblem(path, routes).map((problem) => `${at}.paths[${index}] ${problem}`),
    ),
  ];
}

function accountProblem(text: string, isAgent: (account: Account) => boolean): readonly string[] {
  const account = accountOf(text);
  if (account === undefined) return ['must be <namespace>/<name of a ServiceAccount>'];
  return isAgent(account)
    ? [
        `${text} is the identity of an agent: agents are let in by a DelegationPolicy, so take it out here and write a rule`,
      ]
    : [];
}

function callerPathProblem(path: string, routes: readonly Route[]): readonly string[] {
  const problem = pathProblem(path, 'none');
  if (problem !== undefined) return [`must ${problem}`];
  const route = routes.find((each) => pathMatches(each.path, path));
  return route === undefined
    ? []
    : [
        `${path} is the path of the route ${route.method} ${route.path}, which only agents may call: give the caller a path of its own`,
      ];
}

function outsideCaller({ serviceAccounts, ports, methods = [], paths = [] }: CallerInput): OutsideCaller {
  const accounts = serviceAccounts.map(accountOf).filter((account) => account !== undefined);
  return { accounts, ports, methods, paths };
}

function accountOf(text: string): Account | undefined {
  const [, namespace, , serviceAccountName] = ACCOUNT.exec(text) ?? [];
  return namespace === undefined || serviceAccountName === undefined
    ? undefined
    : { namespace, serviceAccountName };
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
