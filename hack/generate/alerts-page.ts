/** Reference page of the alerts, from the rules that the chart renders. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { ensureTools } from '../control-plane/tools.ts';

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

/** docs/reference/alerts.md. */
export async function alertsPage(root: string): Promise<ReadonlyMap<string, string>> {
  const rules = await alertRules(root);
  const rows = rules.map(
    ({ alert, labels, annotations: { summary, description } }) =>
      `| ${alert} | ${labels.severity} | ${summary} | ${description} |`,
  );
  const conditions = rules.map(
    ({ alert, expr, for: holdsFor = 'at once' }) => `| ${alert} | \`${expr}\` | ${holdsFor} |`,
  );
  const page = `# Alerts

Generated from \`helm/agent-trust/templates/prometheusrule.yaml\` by \`npm run generate\`. The chart installs them with
\`alerts.enabled=true\`, as a PrometheusRule; that is a kind of the Prometheus Operator, so they are off by default. Without it,
take the group from \`helm template agent-trust helm/agent-trust --set alerts.enabled=true -s templates/prometheusrule.yaml\`. Tests
ask Prometheus' own code whether it takes the rules, whether they look at [metrics](metrics.md) that there are, and whether each
holds when it should.

| alert | severity | means | what to do |
|---|---|---|---|
${rows.join('\n')}

## When

With the default values. The seconds of AgentTrustAuthorityEnding are the last 24th of \`authority.life\`, at which a generation is
replaced whatever is missing, and a week when you give an authority (\`authority.secretName\`).

| alert | holds while | for |
|---|---|---|
${conditions.join('\n')}
`;
  return new Map([['docs/reference/alerts.md', page]]);
}

async function alertRules(root: string): Promise<readonly AlertRule[]> {
  const { helm } = await ensureTools();
  const chart = join(root, 'helm/agent-trust');
  const args = ['template', 'agent-trust', chart, '--set=alerts.enabled=true'];
  const { stdout } = await promisify(execFile)(helm, [...args, '--show-only=templates/prometheusrule.yaml']);
  const { spec } = parse(stdout) as {
    readonly spec: { readonly groups: readonly { readonly rules: readonly AlertRule[] }[] };
  };
  return spec.groups.flatMap(({ rules }) => rules);
}
