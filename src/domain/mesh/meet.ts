/**
 * What two objects of one role have in common: an object that lets in only what both let in. An absent object lets
 * everything in, so the other one is the meet.
 */

import { isDeepStrictEqual } from 'node:util';
import { allowSpec, fenceSpec, nobody, verifySpec } from './authorization-policy.ts';
import { commonGrants, readAllowRules } from './grants.ts';
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
  if (account === undefined || account !== accountOf(observed.spec)) return undefined;
  if (!isDeepStrictEqual(observed.metadata.annotations['istio.io/dry-run'], undefined)) return undefined;
  const spec = MEETS[role](account, observed.spec, wanted.spec);
  return spec && { ...wanted, spec };
}

/** The form of an ALLOW policy that lets nobody in. */
export function closedAllow(wanted: MeshObject): MeshObject {
  return { ...wanted, spec: allowSpec(accountOf(wanted.spec) ?? '', new Map()) };
}

const MEETS: Readonly<Record<EnforcingRole, (account: string, a: Spec, b: Spec) => Spec | undefined>> = {
  allow: meetAllow,
  fence: meetFence,
  verify: meetVerify,
  mtls: (_account, a, b) => (modeOf(a) === 'STRICT' ? a : b),
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

/** Whatever either asks about is asked about; only what both exempt is exempt. Two providers cannot both be asked. */
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
  if (!hasOnly(operation, ['ports', 'notPaths'])) return undefined;
  const ports = texts(operation.ports);
  const notPaths = operation.notPaths === undefined ? [] : texts(operation.notPaths);
  const name = provider?.name;
  return typeof name === 'string' && ports && notPaths ? { provider: name, ports, notPaths } : undefined;
}

function modeOf({ mtls }: Spec): unknown {
  return (mtls as { readonly mode?: unknown } | undefined)?.mode;
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
