/**
 * The bundles of many namespaces, of a hundred agents each: all of them put together, and those that a change of one policy
 * concerns, up to the digests that are signed.
 */

import { digestsOf, type FileDigests } from '../../src/controllers/bundle/bundle-record.ts';
import { NamedAgents } from '../../src/controllers/bundle/named-agents.ts';
import { concernedBundles } from '../../src/controllers/bundle/triggers.ts';
import { type BundleAgent, type BundleSources, bundleContents } from '../../src/domain/bundle/contents.ts';
import { bundleFiles, type FileTexts } from '../../src/domain/bundle/files.ts';
import { serverPolicyOf } from '../../src/domain/bundle/resolve-server.ts';
import { resolveTokenSettings } from '../../src/domain/bundle/token-settings.ts';
import type { AgentId, PolicyFacts } from '../../src/domain/delegation/facts.ts';
import { DelegationGraph } from '../../src/domain/delegation/graph.ts';
import type { PublishedKey } from '../../src/domain/token/state/jwks-file.ts';
import { type BenchRow, percentile } from './row.ts';

const PER_NAMESPACE = 100;
const TARGETS = 10;
const CHANGES = 50;
const CLUSTER_DOMAIN = 'cluster.local';
const TOKENS = { maxTtlSeconds: 300, maxUses: 5 };
const CAPABILITIES = ['read', 'write', 'deploy'].map((name) => ({ name, resources: [`data/${name}/*`] }));
const TEXT = 'A'.repeat(43);
const KEY: PublishedKey = {
  kty: 'EC',
  crv: 'P-256',
  x: TEXT,
  y: TEXT,
  kid: TEXT,
  use: 'sig',
  alg: 'ES256',
  since: 1,
};

/** A cluster whose every other agent delegates to ten others, one of them in the next namespace. */
class Cluster {
  readonly graph = new DelegationGraph();
  readonly named = new NamedAgents();
  readonly namespaces: readonly string[];
  readonly #agents = new Map<AgentId, BundleAgent>();
  readonly #sources: BundleSources;

  constructor(count: number) {
    this.namespaces = Array.from({ length: count }, (_, at) => `ns-${at}`);
    for (const at of this.namespaces.keys()) this.#addNamespace(at);
    for (const at of this.namespaces.keys()) this.graph.putPolicy(this.policy(at, 120));
    this.#sources = {
      clusterDomain: CLUSTER_DOMAIN,
      graph: this.graph,
      agent: (id) => this.#agents.get(id),
      agentsIn: (namespace) =>
        Array.from({ length: PER_NAMESPACE }, (_, at): AgentId => `${namespace}/agent-${at}`),
      keys: () => [KEY, KEY],
      server: (id) => {
        const [namespace = '', name = ''] = id.split('/');
        const agent = { namespace, name, clusterDomain: CLUSTER_DOMAIN, hasSeveralPods: false };
        return serverPolicyOf(agent, {}, () => false);
      },
      revocations: [],
      notBefore: () => undefined,
    };
  }

  #addNamespace(at: number): void {
    const namespace = `ns-${at}`;
    const before = `ns-${(at + this.namespaces.length - 1) % this.namespaces.length}`;
    for (let each = 0; each < PER_NAMESPACE; each++) {
      const name = `agent-${each}`;
      const facts = { namespace, name, isServed: true, capabilities: CAPABILITIES, tokens: TOKENS };
      this.graph.putAgent({ ...facts, acceptFrom: [{ namespace: before }] });
      const spiffeId = `spiffe://${CLUSTER_DOMAIN}/ns/${namespace}/sa/${name}`;
      const settings = resolveTokenSettings({}, []);
      this.#agents.set(`${namespace}/${name}`, {
        namespace,
        name,
        spiffeId,
        settings,
        isMeshed: false,
        state: 'served',
      });
    }
  }

  /** The policy of a namespace; its last rule has this life of tokens. */
  policy(at: number, maxTtlSeconds: number): PolicyFacts {
    const half = PER_NAMESPACE / 2;
    const next = `ns-${(at + 1) % this.namespaces.length}`;
    const rules = Array.from({ length: half }, (_, each) => ({
      from: `agent-${each}`,
      to: [
        ...Array.from(
          { length: TARGETS - 1 },
          (_, to): AgentId => `ns-${at}/agent-${half + ((each + to * 5) % half)}`,
        ),
        `${next}/agent-${each}` as const,
      ],
      capabilities: CAPABILITIES.map(({ name }) => ({ name })),
      tokens: { maxTtlSeconds: each === half - 1 ? maxTtlSeconds : 120, maxUses: 1 },
    }));
    return { namespace: `ns-${at}`, name: 'swarm', maxDepth: 2, rules };
  }

  /** Puts the files of one namespace together. */
  bundle(namespace: string): { readonly texts: FileTexts; readonly digests: FileDigests } {
    const contents = bundleContents(this.#sources, namespace);
    this.named.set(namespace, contents.agents);
    const files = bundleFiles(contents, { caPem: 'roots', crlPem: 'lists' });
    if (files.kind === 'too-large') throw new Error('the bundle is too large');
    const texts = Object.assign({}, ...files.parts) as FileTexts;
    return { texts, digests: digestsOf(texts) };
  }
}

/**
 * Measures the bundles of `count` agents, rounded up to whole namespaces of a hundred, with a depth of two.
 *
 * - `bundles-all`: the contents of all namespaces. Floor: reading their JSON, writing it again and its digests.
 * - `bundles-policy-changed`: median of `putPolicy` with one rule that differs, and of the contents of all namespaces that
 *   it concerns. Floor as above, for these namespaces.
 */
export async function benchBundles({ count }: { readonly count: number }): Promise<readonly BenchRow[]> {
  const cluster = new Cluster(Math.max(2, Math.ceil(count / PER_NAMESPACE)));
  const startedMs = performance.now();
  const bundles = new Map(
    cluster.namespaces.map((namespace) => [namespace, cluster.bundle(namespace).texts]),
  );
  const allMs = performance.now() - startedMs;
  const allFloorMs = floorMs([...bundles.values()]);
  const changes = Array.from({ length: CHANGES }, (_, at) => measureChange(cluster, at));
  const totalMs = percentile(
    changes.map((change) => change.totalMs),
    0.5,
  );
  const leastMs = percentile(
    changes.map((change) => change.floorMs),
    0.5,
  );
  const bytes = [...bundles.values()].reduce((sum, texts) => sum + Object.values(texts).join('').length, 0);
  console.log(
    `${cluster.namespaces.length} namespaces, ${cluster.graph.edgeCount} edges, bundles of ${Math.round(bytes / bundles.size / 1024)} KiB; one policy concerns ${Math.max(...changes.map(({ bundleCount }) => bundleCount))}`,
  );
  const row = (name: string, value: number, floor: number, goal: string): BenchRow => ({
    name,
    value,
    unit: 'ms',
    floor,
    ratio: value / floor,
    goal,
  });
  return [
    row('bundles-all', allMs, allFloorMs, 'a few seconds for 100 namespaces'),
    row('bundles-policy-changed', totalMs, leastMs, 'at most 200 ms'),
  ];
}

function measureChange(
  cluster: Cluster,
  at: number,
): { readonly totalMs: number; readonly floorMs: number; readonly bundleCount: number } {
  const policy = cluster.policy(at % cluster.namespaces.length, 60 + (at % 50));
  const startedMs = performance.now();
  const { edges } = cluster.graph.putPolicy(policy);
  const concerned = [...new Set(concernedBundles(cluster.named, edges))];
  const texts = concerned.map((namespace) => cluster.bundle(namespace).texts);
  return {
    totalMs: performance.now() - startedMs,
    floorMs: floorMs(texts),
    bundleCount: concerned.length,
  };
}

function floorMs(bundles: readonly FileTexts[]): number {
  const startedMs = performance.now();
  for (const texts of bundles) {
    const written = Object.entries(texts).map(([name, text]): readonly [string, string] => [
      name,
      name.endsWith('.json') ? JSON.stringify(JSON.parse(text)) : text,
    ]);
    digestsOf(Object.fromEntries(written));
  }
  return performance.now() - startedMs;
}
