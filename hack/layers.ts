/**
 * The folders of src/, from top to bottom, and which folders each may import. hack/check-layers.ts enforces it;
 * docs/architecture.md shows it.
 */

/** A folder of src/. */
export interface Layer {
  readonly folder: string;
  /** What lives there, one line. */
  readonly holds: string;
  readonly mayImport: readonly string[];
}

/** All folders of src/. Whoever stands in `mayImport` stands above, but for `observe`, which imports nothing. */
export const LAYERS: readonly Layer[] = [
  {
    folder: 'api',
    holds: 'the kinds: generated types, group, labels, condition types and reasons',
    mayImport: [],
  },
  {
    folder: 'domain',
    holds: 'the rules, pure: no Kubernetes, HTTP, clock, randomness or logging',
    mayImport: [],
  },
  {
    folder: 'crypto',
    holds: 'X.509, keys and signatures, JOSE',
    mayImport: ['domain'],
  },
  {
    folder: 'kube',
    holds: 'transport, cache, queue, controller loop, leader, events: knows objects, never our kinds',
    mayImport: ['observe'],
  },
  {
    folder: 'cluster',
    holds: 'what is known of the cluster: caches of our kinds, and the delegation graph kept from them',
    mayImport: ['api', 'domain', 'kube', 'observe'],
  },
  {
    folder: 'controllers',
    holds: 'one folder per thing kept true: gather, plan, act, report',
    mayImport: ['api', 'domain', 'crypto', 'kube', 'cluster', 'observe'],
  },
  {
    folder: 'admission',
    holds: 'one validator per kind, and the injection into pods',
    mayImport: ['api', 'domain', 'crypto', 'kube', 'cluster', 'observe'],
  },
  {
    folder: 'tokens',
    holds:
      'the use-cases of the token service: authenticate, decide, mint, introspect, revoke; replay stores',
    mayImport: ['api', 'domain', 'crypto', 'kube', 'observe'],
  },
  {
    folder: 'authorizer',
    holds: 'ext_authz: checks calls in front of agents, without any right on the Kubernetes API',
    mayImport: ['api', 'domain', 'crypto', 'tokens', 'observe'],
  },
  {
    folder: 'servers',
    holds: 'HTTP framing only: admission, token endpoints, health, metrics',
    mayImport: ['api', 'domain', 'crypto', 'admission', 'tokens', 'authorizer', 'observe'],
  },
  {
    folder: 'sdk',
    holds: 'the library for agents, published as agent-trust/sdk',
    mayImport: ['domain', 'crypto'],
  },
  {
    folder: 'plugin',
    holds: 'kubectl agent-trust: one file per verb',
    mayImport: ['api', 'domain', 'crypto', 'kube', 'observe'],
  },
  {
    folder: 'dev',
    holds:
      'agent-trust dev: a swarm on one machine, from the same manifests and by the same rules, without a cluster',
    mayImport: ['api', 'domain', 'crypto', 'kube', 'cluster', 'controllers', 'admission'],
  },
  {
    folder: 'cmd',
    holds: 'configuration and one entry file per process; the only place that constructs things',
    mayImport: [
      'api',
      'domain',
      'crypto',
      'kube',
      'cluster',
      'controllers',
      'admission',
      'tokens',
      'authorizer',
      'servers',
      'sdk',
      'plugin',
      'dev',
      'observe',
    ],
  },
  {
    folder: 'observe',
    holds: 'audit, metrics, logs',
    mayImport: [],
  },
];

/** More lines than this in a file of src/ are refused. */
export const MAX_LINES = 300;

/** Folders whose files are written by a program and may be of any length; relative to src/. */
export const GENERATED: readonly string[] = ['api/generated'];

/** The layers as a Markdown table, without line end at its end. */
export function layersTable(): string {
  const rows = LAYERS.map(({ folder, holds, mayImport }) => {
    const imports =
      mayImport.length === 0 ? 'nothing of ours' : mayImport.map((name) => `\`${name}\``).join(', ');
    return `| \`${folder}\` | ${holds} | ${imports} |`;
  });
  return ['| folder of src/ | what lives there | may import |', '|---|---|---|', ...rows].join('\n');
}
