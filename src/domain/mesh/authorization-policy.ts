/** AuthorizationPolicies and PeerAuthentications of one target. Source: Istio API security.istio.io/v1. */

import { allowRules, type CallGrants } from './grants.ts';
import type { MeshObject } from './model.ts';
import { LABEL_IDENTITY } from './names.ts';

type Spec = MeshObject['spec'];

/** Annotation: Istio only records what an AuthorizationPolicy with it would decide. */
export const ANNOTATION_DRY_RUN = 'istio.io/dry-run';

/** A principal as Istio compares it: exact, without `spiffe://`. */
export function principalOf(
  trustDomain: string,
  { namespace, serviceAccountName }: { readonly namespace: string; readonly serviceAccountName: string },
): string {
  return `${trustDomain}/ns/${namespace}/sa/${serviceAccountName}`;
}

/** A principal that nobody has: `-` is no name of a namespace. */
export function nobody(trustDomain: string): string {
  return principalOf(trustDomain, { namespace: '-', serviceAccountName: '-' });
}

/** The pods of one ServiceAccount. */
function selectorOf(serviceAccountName: string): Spec {
  return { selector: { matchLabels: { [LABEL_IDENTITY]: serviceAccountName } } };
}

/** What may be called. Without grants there are no rules, and nothing may. */
export function allowSpec(serviceAccountName: string, grants: CallGrants): Spec {
  const rules = allowRules(grants);
  return {
    ...selectorOf(serviceAccountName),
    action: 'ALLOW',
    ...(rules.length === 0 ? {} : { rules }),
  };
}

/** Denies everybody but these, whatever other policies allow. Never without rules: Istio refuses that. */
export function fenceSpec(
  serviceAccountName: string,
  trustDomain: string,
  principals: Iterable<string>,
): Spec {
  const known = [...new Set(principals)].sort();
  const notPrincipals = known.length === 0 ? [nobody(trustDomain)] : known;
  return {
    ...selectorOf(serviceAccountName),
    action: 'DENY',
    rules: [{ from: [{ source: { notPrincipals } }] }],
  };
}

/** Asks the authorizer about every request to these ports, but for these exact paths. */
export function verifySpec(
  serviceAccountName: string,
  provider: string,
  { ports, notPaths }: { readonly ports: Iterable<string>; readonly notPaths: Iterable<string> },
): Spec {
  const exempt = [...new Set(notPaths)].sort();
  const operation = {
    ports: [...new Set(ports)].sort(),
    ...(exempt.length === 0 ? {} : { notPaths: exempt }),
  };
  return {
    ...selectorOf(serviceAccountName),
    action: 'CUSTOM',
    provider: { name: provider },
    rules: [{ to: [{ operation }] }],
  };
}

/** Mutual TLS of the mesh. */
export function mtlsSpec(serviceAccountName: string, mode: 'STRICT' | 'PERMISSIVE'): Spec {
  return { ...selectorOf(serviceAccountName), mtls: { mode } };
}
