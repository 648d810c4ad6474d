/** Reference pages of condition reasons and event reasons, from the tables in src/api. */

import { READY_REASONS } from '../../src/api/conditions.ts';
import { EVENT_REASONS } from '../../src/api/event-reasons.ts';

/** docs/reference/conditions.md and docs/reference/events.md. */
export async function reasonsTable(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/reference/conditions.md', conditionsPage()],
    ['docs/reference/events.md', eventsPage()],
  ]);
}

function conditionsPage(): string {
  const rows = Object.entries(READY_REASONS).map(
    ([reason, text]) => `| ${reason} | ${text.ready} | ${text.means} | ${text.wayOut} | ${text.retried} |`,
  );
  return `# Conditions

Generated from \`src/api/conditions.ts\` by \`npm run generate\`.

Every condition carries \`observedGeneration\`. \`Ready\` sums up; \`CertificateReady\` is about the certificate Secret and
has the same reasons; \`Quarantined\` is True (reason Suspended) while \`spec.suspended\` is true, else False (reason
NotQuarantined), or Unknown (NotWiped) when it is suspended and the operator may not write where its Secret is. \`Reconciling\` and \`Stalled\` exist only while they are True, as kstatus and Argo CD read them:
Reconciling while the operator keeps trying, Stalled when only an edit can help.

## AgentIdentity: reasons of Ready

| reason | Ready | means | way out | tried again |
|---|---|---|---|---|
${rows.join('\n')}
`;
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
