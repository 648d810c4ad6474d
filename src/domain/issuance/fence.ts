/**
 * Whether the API server keeps everybody but the operator from asking an issuer. With cert-manager's automatic approval
 * anybody who may create a CertificateRequest could otherwise be any agent. The texts are those of the chart, which a test
 * compares.
 */

import { isDeepStrictEqual } from 'node:util';
import { type IssuerRef, withDefaults } from './issuer.ts';

/** A ValidatingAdmissionPolicy, as far as it is looked at. */
export interface FencePolicy {
  readonly failurePolicy?: string;
  readonly paramKind?: unknown;
  readonly matchConstraints?: {
    readonly resourceRules?: readonly object[];
    readonly excludeResourceRules?: readonly object[];
    readonly namespaceSelector?: object;
    readonly objectSelector?: object;
    readonly matchPolicy?: string;
  };
  readonly matchConditions?: readonly { readonly expression: string }[];
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly validations?: readonly { readonly expression: string }[];
}

/** Its binding, as far as it is looked at. */
export interface FenceBinding {
  readonly policyName?: string;
  readonly paramRef?: unknown;
  readonly matchResources?: Readonly<Record<string, unknown>>;
  readonly validationActions?: readonly string[];
}

/** What stands on the server; undefined: nothing of this name. */
export interface Fence {
  readonly policy: FencePolicy | undefined;
  readonly binding: FenceBinding | undefined;
}

/** Name of both. */
export const FENCE_NAME = 'agent-trust-issuers';

const RULE = {
  apiGroups: ['cert-manager.io'],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['certificaterequests'],
  scope: '*',
};
const ASKS_ANEW = 'oldObject == null || object.spec != oldObject.spec';
const VARIABLES = {
  kind: "object.spec.issuerRef.?kind.orValue('') == '' ? 'Issuer' : object.spec.issuerRef.kind",
  group: "object.spec.issuerRef.?group.orValue('') == '' ? 'cert-manager.io' : object.spec.issuerRef.group",
} as const;

/**
 * Decides whether an issuer is fenced.
 *
 * @param user The operator's own name for the API server.
 * @param operatorNamespace Where an issuer of kind Issuer is.
 * @returns True when policy and binding are exactly those of the chart and name the issuer; whatever else they say could
 *   let somebody through.
 */
export function isFenced(
  issuer: IssuerRef,
  { policy, binding }: Fence,
  { user, operatorNamespace }: { readonly user: string; readonly operatorNamespace: string },
): boolean {
  if (policy === undefined || binding === undefined) return false;
  const conditions = (policy.matchConditions ?? []).map(({ expression }) => plain(expression));
  const expressions = (policy.validations ?? []).map(({ expression }) => plain(expression));
  return (
    policy.failurePolicy === 'Fail' &&
    policy.paramKind === undefined &&
    matchesAll(policy.matchConstraints) &&
    isDeepStrictEqual(conditions, [`request.userInfo.username != '${user}'`, ASKS_ANEW]) &&
    isDeepStrictEqual(variablesOf(policy), VARIABLES) &&
    expressions.includes(refusalOf(withDefaults(issuer), operatorNamespace)) &&
    isBound(binding)
  );
}

function matchesAll(constraints: FencePolicy['matchConstraints'] = {}): boolean {
  const {
    resourceRules,
    excludeResourceRules = [],
    namespaceSelector = {},
    objectSelector = {},
    matchPolicy = 'Equivalent',
  } = constraints;
  return (
    isDeepStrictEqual(resourceRules, [RULE]) &&
    excludeResourceRules.length === 0 &&
    isEmpty(namespaceSelector) &&
    isEmpty(objectSelector) &&
    matchPolicy === 'Equivalent'
  );
}

function isBound({
  policyName,
  paramRef,
  matchResources = {},
  validationActions = [],
}: FenceBinding): boolean {
  const narrowing = Object.entries(matchResources).filter(([name]) => name !== 'matchPolicy');
  return (
    policyName === FENCE_NAME &&
    paramRef === undefined &&
    narrowing.every(([, each]) => typeof each === 'object' && each !== null && isEmpty(each)) &&
    validationActions.includes('Deny')
  );
}

/** What is true of every request for another issuer. */
function refusalOf({ name, kind, group }: IssuerRef, operatorNamespace: string): string {
  const other = `object.spec.issuerRef.name != '${name}' || variables.kind != '${kind}' || variables.group != '${group}'`;
  return kind === 'Issuer' ? `${other} || object.metadata.namespace != '${operatorNamespace}'` : other;
}

function variablesOf({ variables = [] }: FencePolicy): Readonly<Record<string, string>> {
  return Object.fromEntries(variables.map(({ name, expression }) => [name, plain(expression)]));
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

/** Line ends and indentation of YAML mean nothing. */
function plain(expression: string): string {
  return expression.replace(/\s+/g, ' ').trim();
}
