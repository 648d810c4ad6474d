/**
 * What Istio's validating webhook refuses, checked on our own output because that webhook may be absent: then an invalid
 * rule is skipped in silence, which opens a DENY and closes a namespace for an ALLOW. And what it lets through and no
 * rendered object may say, because it would never match or match too much.
 *
 * Source: Istio, pkg/config/validation/validation.go and pkg/config/security/security.go, 1.29.
 */

import { ANNOTATION_DRY_RUN } from './authorization-policy.ts';
import { KILL_POLICY_NAME } from './kill.ts';
import type { MeshObject } from './model.ts';
import { istioPath } from './path.ts';

/** Something that is wrong, and where. */
export interface LintFinding {
  /** As people find it: `spec.rules[0].from[0].source.principals[0]`. */
  readonly path: string;
  readonly rule: string;
}

type Fields = Readonly<Record<string, unknown>>;
type Check = (fields: Fields, at: string) => readonly LintFinding[];

const MAX_RULES = 512;
const PRINCIPAL = /^[a-z0-9._-]+\/ns\/[^/*]+\/sa\/[^/*]+$/;
const METHOD = /^[A-Z]+$/;
const SOURCE_FIELDS = ['principals', 'notPrincipals'];
const OPERATION_FIELDS = ['ports', 'methods', 'paths', 'notPaths'];
const POLICY_FIELDS = ['selector', 'action', 'provider', 'rules'];

/** Everything that is wrong with an object; empty for one that may be written. Errors: none. */
export function lintMeshObject({ kind, metadata, spec }: MeshObject): readonly LintFinding[] {
  if (kind === 'NetworkPolicy') return [];
  const isForAll = metadata.name === KILL_POLICY_NAME && spec['selector'] === undefined;
  const selector = isForAll ? [] : lintSelector(spec['selector']);
  if (kind === 'PeerAuthentication') return [...selector, ...lintPeers(spec)];
  const unknown = lintUnknown(spec, POLICY_FIELDS, 'spec');
  return [...unknown, ...selector, ...lintAction(spec, metadata.annotations), ...lintRules(spec)];
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function finding(path: string, rule: string): LintFinding {
  return { path, rule };
}

function lintSelector(selector: unknown): readonly LintFinding[] {
  if (!isObject(selector)) return [finding('spec.selector', 'must select the pods of one agent')];
  const { matchLabels = {}, ...others } = selector;
  const unknown = lintUnknown(others, [], 'spec.selector');
  const pairs = isObject(matchLabels) ? Object.entries(matchLabels) : [];
  if (pairs.length === 0)
    return [...unknown, finding('spec.selector.matchLabels', 'must not be empty: it would select every pod')];
  const wrong = pairs.flatMap(([key, value]) =>
    key === '' || typeof value !== 'string' || `${key}${value}`.includes('*')
      ? [finding(`spec.selector.matchLabels.${key}`, 'must have no empty key, only texts and no *')]
      : [],
  );
  return [...unknown, ...wrong];
}

function lintPeers(spec: Fields): readonly LintFinding[] {
  const mtls = isObject(spec['mtls']) ? spec['mtls'] : {};
  const isKnown = ['STRICT', 'PERMISSIVE'].includes(String(mtls['mode']));
  return [
    ...lintUnknown(spec, ['selector', 'mtls'], 'spec'),
    ...lintUnknown(mtls, ['mode'], 'spec.mtls'),
    ...(isKnown ? [] : [finding('spec.mtls.mode', 'must be STRICT or PERMISSIVE')]),
  ];
}

function lintAction({ action, rules, provider }: Fields, annotations: Fields): readonly LintFinding[] {
  const known = ['ALLOW', 'DENY', 'CUSTOM'].includes(String(action));
  const { name, ...others } = isObject(provider) ? provider : {};
  const isDry = annotations[ANNOTATION_DRY_RUN];
  return [
    ...(known ? [] : [finding('spec.action', 'must be ALLOW, DENY or CUSTOM')]),
    ...(action !== 'ALLOW' && rules === undefined
      ? [finding('spec.rules', `${String(action)} must have rules`)]
      : []),
    ...(action === 'CUSTOM' && (typeof name !== 'string' || !/^[a-z0-9-]{1,63}$/.test(name))
      ? [finding('spec.provider.name', 'CUSTOM must name a provider: lower-case letters, digits and -')]
      : []),
    ...lintUnknown(others, [], 'spec.provider'),
    ...(action !== 'CUSTOM' && provider !== undefined
      ? [finding('spec.provider', 'only CUSTOM has a provider')]
      : []),
    ...(isDry !== undefined && (action === 'CUSTOM' || !['true', 'false'].includes(String(isDry)))
      ? [finding(`metadata.annotations.${ANNOTATION_DRY_RUN}`, 'must be true or false, on ALLOW or DENY')]
      : []),
  ];
}

function lintRules({ action, rules }: Fields): readonly LintFinding[] {
  if (rules === undefined) return [];
  if (!Array.isArray(rules)) return [finding('spec.rules', 'must be a list')];
  const findings = rules.flatMap((rule: unknown, index) =>
    lintRule(rule, `spec.rules[${index}]`, String(action)),
  );
  const isNone = rules.length === 0 ? [finding('spec.rules', 'must not be empty: leave it out')] : [];
  const isMany =
    rules.length > MAX_RULES ? [finding('spec.rules', `must have at most ${MAX_RULES} entries`)] : [];
  return [...isNone, ...isMany, ...findings];
}

function lintRule(rule: unknown, at: string, action: string): readonly LintFinding[] {
  if (typeof rule !== 'object' || rule === null) return [finding(at, 'must not be null')];
  const { from, to, ...others } = rule as Fields;
  const unknown = Object.keys(others).map((key) => finding(`${at}.${key}`, 'is not rendered'));
  const who = from === undefined ? [] : lintList(from, `${at}.from`, 'source', lintSource);
  const what = to === undefined ? [] : lintList(to, `${at}.to`, 'operation', lintOperation);
  const shape = {
    CUSTOM:
      from === undefined
        ? []
        : [finding(`${at}.from`, 'CUSTOM may not look at who calls: it runs before that is checked')],
    ALLOW:
      from !== undefined && to !== undefined ? [] : [finding(at, 'ALLOW must say who may call and what')],
    DENY: [
      ...(from === undefined ? [finding(`${at}.from`, 'DENY must say whom it means')] : []),
      ...(to === undefined
        ? []
        : [
            finding(
              `${at}.to`,
              'DENY must mean every request: in ztunnel one of methods or paths has no effect',
            ),
          ]),
    ],
  }[action];
  return [...unknown, ...who, ...what, ...(shape ?? [])];
}

function lintList(list: unknown, at: string, field: string, check: Check): readonly LintFinding[] {
  if (!Array.isArray(list) || list.length === 0) return [finding(at, 'must not be empty')];
  return list.flatMap((entry: unknown, index) => {
    const fields = isObject(entry) ? entry[field] : undefined;
    const path = `${at}[${index}].${field}`;
    if (!isObject(entry) || !isObject(fields) || Object.keys(fields).length === 0) {
      return [finding(path, 'must not be empty')];
    }
    const unknown = lintUnknown(entry, [field], `${at}[${index}]`);
    return [...unknown, ...lintTexts(fields, path), ...check(fields, path)];
  });
}

/** Every field of a source or an operation is a list of texts. */
function lintTexts(fields: Fields, at: string): readonly LintFinding[] {
  return Object.entries(fields).flatMap(([name, list]) =>
    Array.isArray(list) && list.length > 0 && list.every((text) => typeof text === 'string' && text !== '')
      ? []
      : [finding(`${at}.${name}`, 'must be a list of texts, none of them empty')],
  );
}

function lintSource(source: Fields, at: string): readonly LintFinding[] {
  return [
    ...lintUnknown(source, SOURCE_FIELDS, at),
    ...SOURCE_FIELDS.flatMap((name) =>
      lintEach(source[name], `${at}.${name}`, (principal) =>
        PRINCIPAL.test(principal)
          ? undefined
          : 'must be <trustDomain>/ns/<namespace>/sa/<account>, without spiffe:// and without *',
      ),
    ),
  ];
}

function lintOperation(operation: Fields, at: string): readonly LintFinding[] {
  return [
    ...lintUnknown(operation, OPERATION_FIELDS, at),
    ...(operation['ports'] === undefined
      ? [finding(`${at}.ports`, 'must be there: a rule counts on TCP ports too')]
      : []),
    ...lintEach(operation['ports'], `${at}.ports`, (port) =>
      /^[0-9]{1,5}$/.test(port) && Number(port) <= 65_535 ? undefined : 'must be 0 to 65535',
    ),
    ...lintEach(operation['methods'], `${at}.methods`, (method) =>
      METHOD.test(method) ? undefined : 'must be in capitals: methods are compared exactly',
    ),
    ...['paths', 'notPaths'].flatMap((name) =>
      lintEach(operation[name], `${at}.${name}`, (path) =>
        istioPath(path) === path
          ? undefined
          : 'must be exact, or a template with {*} or a last {**} as whole segments',
      ),
    ),
  ];
}

function lintUnknown(fields: Fields, known: readonly string[], at: string): readonly LintFinding[] {
  return Object.keys(fields)
    .filter((name) => !known.includes(name))
    .map((name) => finding(`${at}.${name}`, 'is not rendered'));
}

function lintEach(
  list: unknown,
  at: string,
  problemOf: (text: string) => string | undefined,
): readonly LintFinding[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((text: unknown, index) => {
    const problem = typeof text === 'string' ? problemOf(text) : undefined;
    return problem === undefined ? [] : [finding(`${at}[${index}]`, problem)];
  });
}
