/** Whether the pods of an agent are behind its wall, as far as that can be seen: what MeshReady says. */

import { selects } from '../delegation/label-selector.ts';
import { LABEL_IDENTITY } from './names.ts';
import type { CoverageFacts, Finding, ForeignObject } from './ready-facts.ts';
import { effectivePeer } from './ready-peers.ts';
import { POD_CHECKS } from './ready-pods.ts';

/** What MeshReady says. */
export interface Coverage {
  readonly reason: 'Covered' | 'Degraded' | 'NotInstalled';
  readonly message: string;
}

const SHOWN_OBJECTS = 3;

/** Decides it. The worst finding is told in full, the others by name. */
export function judgeCoverage(facts: CoverageFacts): Coverage {
  const findings = findingsOf(facts);
  if (!facts.servesIstio) {
    const message =
      'This cluster serves no AuthorizationPolicy and PeerAuthentication of security.istio.io/v1: the NetworkPolicy is the only wall, and it holds only if the network plugin enforces it.';
    return { reason: 'NotInstalled', message: [message, ...told(findings)].join(' ') };
  }
  if (findings.length > 0) return { reason: 'Degraded', message: told(findings).join(' ') };
  const count = facts.pods.length;
  const message =
    count === 0 ? 'No pod runs as this agent.' : `Every pod that runs as this agent is covered (${count}).`;
  return { reason: 'Covered', message };
}

function findingsOf(facts: CoverageFacts): readonly Finding[] {
  return [
    ...POD_CHECKS.map((check) => check(facts)),
    namespaceNotMeshed(facts),
    permissivePeer(facts),
    foreignNetworkPolicy(facts),
    ...facts.notes,
    foreignAllow(facts),
  ].filter((finding) => finding !== undefined);
}

function told(findings: readonly Finding[]): readonly string[] {
  const [worst, ...others] = findings;
  if (worst === undefined) return [];
  const also = others.length === 0 ? [] : [`Also: ${others.map(({ reason }) => reason).join(', ')}.`];
  return [`${worst.reason}: ${worst.message}`, ...also];
}

function namespaceNotMeshed(facts: CoverageFacts): Finding | undefined {
  if (!facts.servesIstio || facts.dataPlane !== 'none') return undefined;
  const open = facts.pods.filter(({ isMeshed }) => !isMeshed);
  if (open.length === 0 && facts.pods.length > 0) return undefined;
  return {
    reason: 'NamespaceNotMeshed',
    message: `Istio is there, but namespace ${facts.namespace} is not in the mesh. kubectl label namespace ${facts.namespace} istio-injection=enabled, or istio.io/dataplane-mode=ambient, and restart the pods.`,
  };
}

function permissivePeer(facts: CoverageFacts): Finding | undefined {
  if (facts.isDryRun || !facts.servesIstio || facts.dataPlane === 'none') return undefined;
  // Those without the label are told of already; ours cannot select them.
  const selected = facts.pods.filter(({ labels }) => labels[LABEL_IDENTITY] === facts.serviceAccountName);
  for (const { labels } of selected) {
    const { mode, by } = effectivePeer(facts.peers, { ...facts, labels });
    if (mode === 'STRICT') continue;
    const what =
      by === undefined
        ? 'No PeerAuthentication demands mutual TLS yet'
        : `PeerAuthentication ${by.namespace}/${by.name} is older than ours and says ${mode}, and the oldest wins`;
    const wayOut = by === undefined ? '' : ' Delete it, or set it to STRICT.';
    return { reason: 'PermissivePeer', message: `${what}.${wayOut}` };
  }
  return undefined;
}

function foreignNetworkPolicy(facts: CoverageFacts): Finding | undefined {
  const names = selecting(facts.foreignNetworkPolicies, facts);
  if (names.length === 0) return undefined;
  const effect =
    facts.servesIstio && facts.dataPlane !== 'none'
      ? 'the mesh still refuses what it lets in'
      : 'what it lets in, nothing refuses';
  const message = `NetworkPolicies only add up, and others select these pods: ${listed(names)}; ${effect}. Delete them, or let them select other pods.`;
  return { reason: 'ForeignNetworkPolicy', message };
}

function foreignAllow(facts: CoverageFacts): Finding | undefined {
  const names = selecting(facts.foreignAllows, facts);
  if (names.length === 0) return undefined;
  const effect = facts.isDryRun
    ? 'it decides who may call'
    : 'our DENY policy keeps everybody else out, and callers of ours gain what it allows them';
  const message = `AuthorizationPolicies of others with action ALLOW select these pods: ${listed(names)}; ${effect}. Delete them, or let them select other pods.`;
  return { reason: 'ForeignAllow', message };
}

function selecting(objects: readonly ForeignObject[], { pods }: CoverageFacts): readonly string[] {
  return objects
    .filter(({ selector }) => pods.some(({ labels }) => selects(selector, labels)))
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .sort();
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_OBJECTS).join(', ');
  return names.length > SHOWN_OBJECTS ? `${shown} and ${names.length - SHOWN_OBJECTS} more` : shown;
}
