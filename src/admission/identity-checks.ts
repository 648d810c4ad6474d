/** What keeps an agent from being served and can be known at admission. Each check looks at what the edit adds. */

import type { AgentIdentity } from '../api/agent-identity.ts';
import { listersOfService, takenDnsNames } from '../cluster/dns-claims.ts';
import {
  BY_SECRET,
  BY_SERVICE_ACCOUNT,
  type IdentityView,
  isAgentAccount,
} from '../cluster/identity-view.ts';
import { addedInvalidFields } from '../domain/admission/invalid-fields.ts';
import type { Violation } from '../domain/admission/violation.ts';
import { resolveAgent } from '../domain/delegation/resolve-agent.ts';
import { serviceAccountTaken } from '../domain/identity/eligibility.ts';
import { resolveAgentIdentity } from '../domain/identity/resolve.ts';
import { takenDnsNameText } from '../domain/identity/taken-dns-name.ts';
import { resolveServer } from '../domain/mesh/resolve-server.ts';
import type { WishEdit } from './review-wish.ts';

type Edit = WishEdit<AgentIdentity>;
type Check = (view: IdentityView, edit: Edit) => readonly Violation[];

const CHECKS: readonly Check[] = [serviceAccountFree, secretsFree, dnsNamesFree, ownNamesFree, fieldsValid];

/** All violations, in the order of the checks. */
export function identityViolations(view: IdentityView, edit: Edit): readonly Violation[] {
  return CHECKS.flatMap((check) => check(view, edit));
}

/** It cannot change, so only a new identity can come too late. */
function serviceAccountFree(view: IdentityView, { namespace, before, after }: Edit): readonly Violation[] {
  if (before !== undefined) return [];
  const { serviceAccountName } = resolved(after);
  const olderClaimant = claimants(view, BY_SERVICE_ACCOUNT, `${namespace}/${serviceAccountName}`, after)[0];
  if (olderClaimant === undefined) return [];
  const message = serviceAccountTaken({ namespace, serviceAccountName, olderClaimant });
  return [{ says: `spec.serviceAccountName: ${message.slice(0, -1)}` }];
}

function secretsFree(view: IdentityView, { namespace, before, after }: Edit): readonly Violation[] {
  const kept = before === undefined ? [] : Object.values(secretNames(before));
  return Object.entries(secretNames(after)).flatMap(([field, secretName]) => {
    const other = claimants(view, BY_SECRET, `${namespace}/${secretName}`, after)[0];
    if (other === undefined || kept.includes(secretName)) return [];
    const says = `${field}: Secret ${namespace}/${secretName} is the one of AgentIdentity ${other}`;
    return [{ says, wayOut: 'Name a Secret for this agent alone' }];
  });
}

function dnsNamesFree(view: IdentityView, { before, after }: Edit): readonly Violation[] {
  const kept = before?.spec.certificate?.dnsNames ?? [];
  return takenDnsNames(view, after, 'any')
    .filter(({ dnsName }) => !kept.includes(dnsName))
    .map((taken) => ({
      says: `spec.certificate.dnsNames: ${takenDnsNameText(taken)}`,
      wayOut: 'One name belongs to one agent: take it out of one of the two',
    }));
}

/** An identity cannot be renamed, so only a new one can come too late. */
function ownNamesFree(view: IdentityView, { before, after }: Edit): readonly Violation[] {
  if (before !== undefined) return [];
  const [lister] = listersOfService(view, after.metadata);
  if (lister === undefined) return [];
  const says = `metadata.name: a name of Service ${after.metadata.name} stands in the dnsNames of AgentIdentity ${lister}`;
  return [{ says, wayOut: 'Take it out there, or choose another name' }];
}

/** By field. */
function secretNames(identity: AgentIdentity): Readonly<Record<string, string>> {
  const { secretName, signing } = resolved(identity);
  return { 'spec.certificate.secretName': secretName, 'spec.signingKey.secretName': signing.secretName };
}

function fieldsValid(view: IdentityView, { before, after }: Edit): readonly Violation[] {
  const own = after.metadata.namespace;
  const { serviceAccountName } = resolved(after);
  const invalidFields = ({ metadata: { namespace, name }, spec }: AgentIdentity): readonly string[] => [
    ...resolveAgentIdentity(name, spec).invalidFields,
    ...resolveAgent({ namespace, name }, spec).invalidFields,
    ...resolveServer(
      spec,
      (account) =>
        isAgentAccount(view, account) ||
        (account.namespace === own && account.serviceAccountName === serviceAccountName),
    ).invalidFields,
  ];
  return addedInvalidFields(before === undefined ? [] : invalidFields(before), invalidFields(after));
}

/** Names of the other identities that are found under a value of an index. */
function claimants(
  view: IdentityView,
  index: string,
  value: string,
  { metadata: { namespace, name } }: AgentIdentity,
): readonly string[] {
  return view.identities
    .byIndex(index, value)
    .filter((key) => key !== `${namespace}/${name}`)
    .map((key) => key.slice(key.indexOf('/') + 1))
    .sort();
}

function resolved({ metadata, spec }: AgentIdentity): ReturnType<typeof resolveAgentIdentity> {
  return resolveAgentIdentity(metadata.name, spec);
}
