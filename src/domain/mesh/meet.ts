/**
 * What two objects of one role have in common: an object that lets in only what both let in. And the form of an object
 * that lets nobody in, whatever it said before.
 */

import { isDeepStrictEqual } from 'node:util';
import {
  ANNOTATION_DRY_RUN,
  allowSpec,
  fenceSpec,
  mtlsSpec,
  nobody,
  verifySpec,
} from './authorization-policy.ts';
import { commonGrants, readAllowRules } from './grants.ts';
import { lintMeshObject } from './lint.ts';
import type { MeshObject, MeshRole } from './model.ts';
import { LABEL_IDENTITY } from './names.ts';
import { commonNetworkPolicySpec } from './network-policy.ts';

type Spec = MeshObject['spec'];

/** Roles that decide about calls. */
export type EnforcingRole = Exclude<MeshRole, 'dryallow' | 'dryfence'>;

/**
 * The meet, with the metadata of `wanted`.
 *
 * @returns undefined when `observed` says something that rendered objects never say: its meaning is not known then.
 */
export function meetOf(
  role: EnforcingRole,
  observed: MeshObject,
  wanted: MeshObject,
): MeshObject | undefined {
  const account = accountOf(wanted.spec);
  if (account === undefined) return undefined;
  if (observed.metadata.annotations[ANNOTATION_DRY_RUN] !== undefined) return undefined;
  const spec = MEETS[role](account, observed.spec, wanted.spec);
  const meet = spec && { ...wanted, spec };
  // What Istio refuses would stop all writes that follow.
  return meet && lintMeshObject(meet).length === 0 ? meet : undefined;
}

/**
 * An ALLOW policy that lets nobody in.
 *
 * @param like Whose metadata and pods.
 * @param name Of another object, to write it over that one.
 */
export function closedAllow(like: MeshObject, name: string = like.metadata.name): MeshObject {
  const metadata = { ...like.metadata, name };
  return { ...like, metadata, spec: allowSpec(accountOf(like.spec) ?? '', new Map()) };
}

/** Whether an object decides about calls as an ALLOW policy, whatever its role. */
export function isAllow({ kind, metadata, spec }: MeshObject): boolean {
  const { action = 'ALLOW' } = spec;
  return kind === 'AuthorizationPolicy' && action === 'ALLOW' && isEnforced(metadata);
}

/** Whether an object decides anything: with that annotation Istio only records. */
export function isEnforced({ annotations }: MeshObject['metadata']): boolean {
  return annotations[ANNOTATION_DRY_RUN] !== 'true';
}

const MEETS: Readonly<Record<EnforcingRole, (account: string, a: Spec, b: Spec) => Spec | undefined>> = {
  allow: meetAllow,
  fence: meetFence,
  verify: meetVerify,
  mtls: meetMtls,
  net: commonNetworkPolicySpec,
};

function meetAllow(account: string, a: Spec, b: Spec): Spec | undefined {
  const [left, right] = [readAllow(a), readAllow(b)];
  return left && right && allowSpec(account, commonGrants(left, right));
}

function readAllow(spec: Spec): ReturnType<typeof readAllowRules> {
  const { action = 'ALLOW', rules } = spec;
  return action === 'ALLOW' && hasOnly(spec, ['selector', 'action', 'rules'])
    ? readAllowRules(rules)
    : undefined;
}

function meetFence(account: string, a: Spec, b: Spec): Spec | undefined {
  const [left, right] = [readFence(a), readFence(b)];
  const [principal = ''] = right ?? [];
  const trustDomain = principal.slice(0, principal.indexOf('/'));
  if (left === undefined || right === undefined) return undefined;
  const none = nobody(trustDomain);
  return fenceSpec(
    account,
    trustDomain,
    left.filter((each) => each !== none && right.includes(each)),
  );
}

/** DISABLE, and modes of single ports, are nothing that is rendered: they decide who has a principal at all. */
function meetMtls(account: string, a: Spec, b: Spec): Spec | undefined {
  const [strict, permissive] = [mtlsSpec(account, 'STRICT'), mtlsSpec(account, 'PERMISSIVE')];
  const isRendered = [a, b].every(
    (spec) => isDeepStrictEqual(spec, strict) || isDeepStrictEqual(spec, permissive),
  );
  if (!isRendered) return undefined;
  return isDeepStrictEqual(a, strict) ? a : b;
}

/** The principals that a fence lets in. */
function readFence(spec: Spec): readonly string[] | undefined {
  const { action, rules } = spec as {
    readonly action?: unknown;
    readonly rules?: readonly {
      readonly from?: readonly { readonly source?: { readonly notPrincipals?: unknown } }[];
    }[];
  };
  const notPrincipals = rules?.[0]?.from?.[0]?.source?.notPrincipals;
  const isOurs = action === 'DENY' && isDeepStrictEqual(rules, [{ from: [{ source: { notPrincipals } }] }]);
  return isOurs ? texts(notPrincipals) : undefined;
}

/**
 * Whatever either asks about is asked about; only what both exempt is exempt. Two providers cannot both be asked. Other
 * fields of an operation only make it ask about less.
 */
function meetVerify(account: string, a: Spec, b: Spec): Spec | undefined {
  const [left, right] = [readVerify(a), readVerify(b)];
  if (left === undefined || right === undefined || left.provider !== right.provider) return undefined;
  return verifySpec(account, left.provider, {
    ports: [...left.ports, ...right.ports],
    notPaths: left.notPaths.filter((path) => right.notPaths.includes(path)),
  });
}

interface Verify {
  readonly provider: string;
  readonly ports: readonly string[];
  readonly notPaths: readonly string[];
}

function readVerify(spec: Spec): Verify | undefined {
  const { action, provider, rules } = spec as {
    readonly action?: unknown;
    readonly provider?: { readonly name?: unknown };
    readonly rules?: readonly {
      readonly to?: readonly {
        readonly operation?: { readonly ports?: unknown; readonly notPaths?: unknown };
      }[];
    }[];
  };
  const operation = rules?.[0]?.to?.[0]?.operation ?? {};
  if (action !== 'CUSTOM' || !isDeepStrictEqual(rules, [{ to: [{ operation }] }])) return undefined;
  const ports = texts(operation.ports);
  const notPaths = operation.notPaths === undefined ? [] : texts(operation.notPaths);
  const name = provider?.name;
  return typeof name === 'string' && ports && notPaths ? { provider: name, ports, notPaths } : undefined;
}

function accountOf(spec: Spec): string | undefined {
  const { selector, podSelector } = spec as {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly podSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  };
  const labels = selector?.matchLabels ?? podSelector?.matchLabels ?? {};
  return Object.keys(labels).length === 1 ? labels[LABEL_IDENTITY] : undefined;
}

function texts(list: unknown): readonly string[] | undefined {
  return Array.isArray(list) && list.length > 0 && list.every((each) => typeof each === 'string')
    ? list
    : undefined;
}

function hasOnly(value: object, keys: readonly string[]): boolean {
  return Object.keys(value).every((key) => keys.includes(key));
}
