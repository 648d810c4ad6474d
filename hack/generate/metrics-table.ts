/** Reference page of the metrics, from the registries that the processes fill. */

import { Registry } from 'prom-client';
import { kubeMetrics } from '../../src/kube/metrics.ts';
import { admissionMetrics } from '../../src/observe/admission-metrics.ts';
import { authorityMetrics } from '../../src/observe/authority-metrics.ts';
import { bundleMetrics } from '../../src/observe/bundle-metrics.ts';
import { crlMetrics } from '../../src/observe/crl-metrics.ts';
import { delegationMetrics } from '../../src/observe/delegation-metrics.ts';
import { identityMetrics } from '../../src/observe/identity-metrics.ts';
import { meshMetrics } from '../../src/observe/mesh-metrics.ts';
import { podMetrics } from '../../src/observe/pod-metrics.ts';

/** What prom-client knows of a metric and does not declare. */
interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames?: readonly string[];
}

/** docs/reference/metrics.md. */
export async function metricsTable(): Promise<ReadonlyMap<string, string>> {
  const registry = new Registry();
  kubeMetrics(registry);
  identityMetrics(registry, {
    byReason: () => new Map(),
    authorityNotAfterSeconds: () => undefined,
    certificates: () => [],
    clockSkewSeconds: () => 0,
  });
  authorityMetrics(registry);
  bundleMetrics(registry);
  crlMetrics(registry, { counts: () => ({ listed: 0, leftOut: 0 }) });
  meshMetrics(registry, { byReason: () => new Map() });
  podMetrics(registry, { withoutFiles: () => 0 });
  delegationMetrics(registry, { policiesByReason: () => new Map(), edges: () => 0 });
  const webhook = new Registry();
  admissionMetrics(webhook, { certificateNotAfterSeconds: () => undefined });
  const text = page(await rowsOf(registry), await rowsOf(webhook));
  return new Map([['docs/reference/metrics.md', text]]);
}

async function rowsOf(registry: Registry): Promise<string> {
  const described = (await registry.getMetricsAsJSON()).map(({ name, help, type }) => {
    const { labelNames = [] } = registry.getSingleMetric(name) as unknown as Described;
    return { name, help, type: String(type), labelNames };
  });
  return described
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map(({ name, help, type, labelNames }) => {
      const labels = labelNames.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${labels} | ${help} |`;
    })
    .join('\n');
}

function page(controller: string, webhook: string): string {
  return `# Metrics

Generated from \`src/kube/metrics.ts\` and \`src/observe/*-metrics.ts\` by \`npm run generate\`; tests compare it with
what running processes print. They are served on \`/metrics\` of the HTTP port (8080) of each process, beside
\`/healthz\` (the process works) and \`/readyz\` (its caches are filled; of the webhook, also that the API server trusts its
certificate). No label carries the name of an object, so the
number of series does not grow with the number of agents; but for \`agent_trust_certificate_not_after_timestamp_seconds\`, which
has one for each agent: drop it in the scrape if that is too many. Names of client-go and controller-runtime mean here what they
mean there, so existing dashboards work.

## The controller

| metric | type | labels | what it is |
|---|---|---|---|
${controller}

## The webhook

Beside these it has the \`controller_runtime_*\`, \`rest_client_*\` and \`workqueue_*\` above: its own certificate is kept by a
controller called \`serving-certificate\`.

| metric | type | labels | what it is |
|---|---|---|---|
${webhook}
`;
}
