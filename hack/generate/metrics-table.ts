/** Reference page of the metrics, from the registry that the controller fills. */

import { Registry } from 'prom-client';
import { kubeMetrics } from '../../src/kube/metrics.ts';
import { delegationMetrics } from '../../src/observe/delegation-metrics.ts';
import { identityMetrics } from '../../src/observe/identity-metrics.ts';
import { meshMetrics } from '../../src/observe/mesh-metrics.ts';

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
    clockSkewSeconds: () => 0,
  });
  meshMetrics(registry, { byReason: () => new Map() });
  delegationMetrics(registry, { policiesByReason: () => new Map(), edges: () => 0 });
  const described = (await registry.getMetricsAsJSON()).map(({ name, help, type }) => {
    const { labelNames = [] } = registry.getSingleMetric(name) as unknown as Described;
    return { name, help, type: String(type), labelNames };
  });
  const rows = described
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map(({ name, help, type, labelNames }) => {
      const labels = labelNames.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${labels} | ${help} |`;
    });
  return new Map([['docs/reference/metrics.md', page(rows)]]);
}

function page(rows: readonly string[]): string {
  return `# Metrics

Generated from \`src/kube/metrics.ts\` and \`src/observe/*-metrics.ts\` by \`npm run generate\`; a test compares it with
what a running controller prints. They are served on \`/metrics\` of the controller's HTTP port (8080), beside
\`/healthz\` (the process works) and \`/readyz\` (its caches are filled). No label carries the name of an object, so the
number of series does not grow with the number of agents. Names of client-go and controller-runtime mean here what they
mean there, so existing dashboards work.

| metric | type | labels | what it is |
|---|---|---|---|
${rows.join('\n')}
`;
}
