/** Reference pages of condition reasons and event reasons, from the tables in src/api. */

import { DELEGATION_REASONS, READY_REASONS } from '../../src/api/conditions.ts';
import { EVENT_REASONS } from '../../src/api/event-reasons.ts';
import { MESH_FINDINGS } from '../../src/api/mesh-findings.ts';
import type { ReasonText } from '../../src/api/reason-text.ts';
import { REVOCATION_REASONS } from '../../src/api/revocation-reasons.ts';

/** docs/reference/conditions.md and docs/reference/events.md. */
export async function reasonsTable(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/reference/conditions.md', conditionsPage()],
    ['docs/reference/events.md', eventsPage()],
  ]);
}

function conditionsPage(): string {
  return `# Conditions

Generated from \`src/api/conditions.ts\` by \`npm run generate\`.

Every condition carries \`observedGeneration\`. \`Ready\` sums up; \`CertificateReady\` is about the certificate Secret and
\`SigningKeyReady\` about the Secret with the signing keys, with the same reasons; neither waits for the other. \`Quarantined\` is True (reason Suspended) while \`spec.suspended\` is true, else False (reason
NotQuarantined), or Unknown (NotWiped) when it is suspended and the operator may not write where its Secret is. \`Reconciling\` and \`Stalled\` exist only while they are True, as kstatus and Argo CD read them:
Reconciling while the operator keeps trying, Stalled when only an edit can help.

## AgentIdentity: reasons of Ready

${reasonRows(READY_REASONS)}

## AgentIdentity: MeshReady and Enforced

\`MeshReady\` speaks of running pods and does not lower Ready: True (Covered) when every pod that runs as the agent is behind
its wall; False (Degraded), with what is not, which pods, why and what to do; False (NotInstalled) where Istio is not, and
the NetworkPolicy is all there is; Unknown (Pending) while that is not known. \`Enforced\` is False (DryRun) with
\`spec.enforcement: DryRun\`, else True (Enforce). The message of MeshReady begins with the worst of these:

| finding | means | way out |
|---|---|---|
${findingRows()}

## AgentIdentity: FilesMounted

There while a pod runs as the agent; it does not lower Ready. True (Mounted) when every such pod has the label
\`agenttrust.dev/identity\` and a volume with the certificate and with the signing keys; False (NotMounted), with at most three pods that do
not and the command that restarts them: they came past the webhook, or were there before the AgentIdentity or this version.

## DelegationPolicy and CapabilityBoundary: reasons of Ready

\`Accepted\` of a DelegationPolicy has the same ones. A policy that is not accepted grants nothing. \`ResolvedRefs\` is True
(ResolvedRefs) when every agent that a rule names is there and accepts, else False: NotFound, or NotAccepted when
\`spec.acceptFrom\` of an agent of another namespace does not name the delegating one; Unknown (Pending) while the policy is not looked at. It does not lower Ready: a
reference that does not resolve grants nothing, and what is missing counts as soon as it is there.

${reasonRows(DELEGATION_REASONS)}

## TokenRevocation: reasons of Ready

\`Expired\` is True (Expired) once the last token that it can touch is dead by itself, else False (NotExpired).

${reasonRows(REVOCATION_REASONS)}
`;
}

function findingRows(): string {
  const rows = Object.entries(MESH_FINDINGS).map(
    ([finding, { means, wayOut }]) => `| ${finding} | ${means} | ${wayOut} |`,
  );
  return rows.join('\n');
}

function reasonRows(reasons: Readonly<Record<string, ReasonText>>): string {
  const rows = Object.entries(reasons).map(
    ([reason, text]) => `| ${reason} | ${text.ready} | ${text.means} | ${text.wayOut} | ${text.retried} |`,
  );
  return ['| reason | Ready | means | way out | tried again |', '|---|---|---|---|---|', ...rows].join('\n');
}

function eventsPage(): string {
  const rows = Object.entries(EVENT_REASONS).map(([reason, means]) => `| ${reason} | ${means} |`);
  return `# Events

Generated from \`src/api/event-reasons.ts\` by \`npm run generate\`. Events are \`events.k8s.io/v1\`, reported by
\`agenttrust.dev/controller\`; repeats within ten minutes are counted in one series.

| reason | means |
|---|---|
${rows.join('\n')}
`;
}
