/**
 * Whether a rule of an Istio AuthorizationPolicy matches a call, as istiod and Envoy read it. What a call of these tests
 * does not have (addresses, hosts, claims) cannot be judged and throws.
 */

import type { CalledPod, MeshRequest } from './policy-object.ts';

type Values = readonly string[];

/** `from[].source` and `to[].operation`: lists of patterns by field name. */
type Fields = Readonly<Record<string, Values | undefined>>;

/** A rule; absent parts match everything. */
export interface AuthorizationRule {
  readonly from?: readonly { readonly source: Fields }[];
  readonly to?: readonly { readonly operation: Fields }[];
  readonly when?: readonly { readonly key: string; readonly values?: Values; readonly notValues?: Values }[];
}

/** A call, the pod it is for and the namespace of the policy. */
export interface RuleContext {
  readonly pod: CalledPod;
  readonly request: MeshRequest;
  readonly policyNamespace: string;
}

type Matcher = (pattern: string, context: RuleContext) => boolean;

const SOURCE: Readonly<Record<string, Matcher>> = {
  principals: matchesPrincipal,
  namespaces: (pattern, { request }) => accountOf(request, (_, ns) => matchesPattern(pattern, ns)),
  serviceAccounts: matchesServiceAccount,
  trustDomains: (pattern, { request }) => accountOf(request, (domain) => matchesPattern(pattern, domain)),
};

const OPERATION: Readonly<Record<string, Matcher>> = {
  ports: (pattern, { request }) => pattern === String(request.port),
  methods: (pattern, { request }) => matchesPattern(pattern, request.method),
  paths: (pattern, { request }) => matchesPath(pattern, request.path),
};

const CONDITION: Readonly<Record<string, Matcher>> = {
  'source.principal': matchesPrincipal,
  'source.namespace': SOURCE['namespaces'] ?? matchesPrincipal,
  'source.serviceAccount': matchesServiceAccount,
  'source.trustDomain': SOURCE['trustDomains'] ?? matchesPrincipal,
  'destination.port': (pattern, { request }) => pattern === String(request.port),
};

/** Keys that Istio knows; a rule with another one is dropped. */
const KNOWN_KEY =
  /^(request\.(headers|auth\.claims|auth\.principal|auth\.audiences|auth\.presenter)|(source|remote|destination)\.ip|connection\.sni|experimental\.envoy\.filters)/;

/** Fields and keys that a ztunnel can judge. */
const LAYER_4 = /^(not)?(principals|namespaces|serviceAccounts|ipBlocks|ports)$/i;
const LAYER_4_KEY = /^(source\.(ip|namespace|principal)|destination\.(ip|port))$/;

/**
 * Whether the rule matches, at a sidecar.
 *
 * @throws Error for a field or key that a call of these tests does not have.
 */
export function ruleMatches(rule: AuthorizationRule, context: RuleContext): boolean {
  const conditions = rule.when ?? [];
  if (conditions.some(({ key }) => CONDITION[key] === undefined && !KNOWN_KEY.test(key))) return false;
  return (
    anyOf(rule.from, ({ source }) => fieldsMatch(source, SOURCE, context)) &&
    anyOf(rule.to, ({ operation }) => fieldsMatch(operation, OPERATION, context)) &&
    conditions.every(({ key, values, notValues }) =>
      fieldsMatch({ [key]: values, [negated(key)]: notValues }, CONDITION, context),
    )
  );
}

/** Whether a rule says anything that a ztunnel, which sees no HTTP, cannot judge. */
export function needsHttp(rule: AuthorizationRule): boolean {
  const fields = [...(rule.from ?? []).map(({ source }) => source), ...operationsOf(rule)];
  return (
    fields.some((each) => Object.keys(each).some((field) => !LAYER_4.test(field))) ||
    (rule.when ?? []).some(({ key }) => !LAYER_4_KEY.test(key))
  );
}

/** What a ztunnel makes of a DENY rule: the rule without HTTP, or undefined when nothing is left of it. */
export function withoutHttp(rule: AuthorizationRule): AuthorizationRule | undefined {
  const from = (rule.from ?? [])
    .map(({ source }) => ({ source: layer4(source) }))
    .filter(({ source }) => has(source));
  const to = (rule.to ?? [])
    .map(({ operation }) => ({ operation: layer4(operation) }))
    .filter((each) => has(each.operation));
  const when = (rule.when ?? []).filter(({ key }) => LAYER_4_KEY.test(key));
  if (from.length + to.length + when.length === 0 && needsHttp(rule)) return undefined;
  return { from, to, when };
}

function layer4(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => LAYER_4.test(field)));
}

function has(fields: Fields): boolean {
  return Object.keys(fields).length > 0;
}

function operationsOf(rule: AuthorizationRule): readonly Fields[] {
  return (rule.to ?? []).map(({ operation }) => operation);
}

function anyOf<T>(list: readonly T[] | undefined, matches: (item: T) => boolean): boolean {
  return list === undefined || list.length === 0 || list.some(matches);
}

function fieldsMatch(
  fields: Fields,
  matchers: Readonly<Record<string, Matcher>>,
  context: RuleContext,
): boolean {
  return Object.entries(fields).every(([field, patterns]) => {
    if (patterns === undefined || patterns.length === 0) return true;
    const positive = matchers[field];
    if (positive !== undefined) return patterns.some((pattern) => positive(pattern, context));
    const negative = Object.entries(matchers).find(([name]) => negated(name) === field)?.[1];
    if (negative === undefined) throw new Error(`a call of this test has nothing to compare with ${field}`);
    return !patterns.some((pattern) => negative(pattern, context));
  });
}

function negated(field: string): string {
  return `not${field[0]?.toUpperCase()}${field.slice(1)}`;
}

function matchesPrincipal(pattern: string, { pod, request: { principal } }: RuleContext): boolean {
  if (principal === undefined) return false;
  const isOwnDomain = pod.trustDomain !== undefined && pod.dataPlane !== 'ambient';
  const meant =
    isOwnDomain && /^cluster\.local\/ns\/[^/]+\/sa\/[^/]+$/.test(pattern)
      ? pattern.replace('cluster.local', pod.trustDomain)
      : pattern;
  return matchesPattern(meant, principal);
}

function matchesServiceAccount(pattern: string, { request, policyNamespace }: RuleContext): boolean {
  const [namespace, name] = pattern.includes('/') ? pattern.split('/') : [policyNamespace, pattern];
  return accountOf(request, (_, ns, sa) => ns === namespace && sa === name);
}

function accountOf(
  { principal = '' }: MeshRequest,
  matches: (trustDomain: string, namespace: string, serviceAccount: string) => boolean,
): boolean {
  const [, trustDomain, namespace, serviceAccount] =
    /^([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(principal) ?? [];
  if (trustDomain === undefined || namespace === undefined || serviceAccount === undefined) return false;
  return matches(trustDomain, namespace, serviceAccount);
}

/** `*` is anything but nothing, `x*` begins with, `*x` ends with, else exact. */
function matchesPattern(pattern: string, value: string): boolean {
  if (pattern === '*') return value !== '';
  if (pattern.startsWith('*')) return value.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return value.startsWith(pattern.slice(0, -1));
  return value === pattern;
}

function matchesPath(pattern: string, path: string): boolean {
  if (!/\{\*\*?\}/.test(pattern)) return matchesPattern(pattern, path);
  const source = pattern
    .split('/')
    .map((segment) => {
      if (segment === '{*}') return '[^/]+';
      if (segment === '{**}') return '.*';
      return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('/');
  return new RegExp(`^${source}$`).test(path);
}
