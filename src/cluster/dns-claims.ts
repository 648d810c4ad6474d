/** Which DNS names of a namespace are taken, and by which of its agents. */

import type { AgentIdentity } from '../api/agent-identity.ts';
import { hostInNamespace, serviceOfHost } from '../domain/certificate/dns-name.ts';
import type { TakenDnsName } from '../domain/identity/taken-dns-name.ts';
import { keyOf } from '../kube/object.ts';
import { BY_DNS_HOST, type IdentityView, isOlder } from './identity-view.ts';

/**
 * Those of the names in `dnsNames` that another identity of the namespace has: the one whose Service it is, and of those
 * that list it the oldest.
 *
 * @param whose `older`: those that list it and came later do not count; `any`: everybody who lists it does.
 */
export function takenDnsNames(
  view: IdentityView,
  identity: AgentIdentity,
  whose: 'older' | 'any',
): readonly TakenDnsName[] {
  const { namespace, name } = identity.metadata;
  return (identity.spec.certificate?.dnsNames ?? []).flatMap((dnsName): readonly TakenDnsName[] => {
    const host = hostInNamespace(dnsName, namespace);
    if (host === undefined) return [];
    const service = serviceOfHost(host);
    if (service === name) return [];
    if (view.identities.get(keyOf({ namespace, name: service })) !== undefined)
      return [{ dnsName, by: service, as: 'service' }];
    const lister = listersOf(view, namespace, host).find(
      ({ metadata }) => metadata.name !== name && (whose === 'any' || isOlder(metadata, identity.metadata)),
    );
    return lister === undefined ? [] : [{ dnsName, by: lister.metadata.name, as: 'listed' }];
  });
}

/** Names of the other identities that list a name of this one's Service: they could keep it no longer. */
export function listersOfService(
  view: IdentityView,
  { namespace, name }: Pick<AgentIdentity['metadata'], 'namespace' | 'name'>,
): readonly string[] {
  return view.identities
    .byIndex(BY_DNS_HOST, keyOf({ namespace, name }))
    .map((key) => view.identities.get(key)?.metadata.name)
    .filter((other) => other !== undefined)
    .filter((other) => other !== name)
    .toSorted();
}

/** The identities that list a name of this host. */
function listersOf(view: IdentityView, namespace: string, host: string): readonly AgentIdentity[] {
  return view.identities
    .byIndex(BY_DNS_HOST, keyOf({ namespace, name: host }))
    .map((key) => view.identities.get(key))
    .filter((other) => other !== undefined)
    .filter(({ spec }) =>
      (spec.certificate?.dnsNames ?? []).some((each) => hostInNamespace(each, namespace) === host),
    );
}
