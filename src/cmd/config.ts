/** The controller's settings: parsed once from flags, checked, frozen, and handed on in slices. */

import { parseArgs } from 'node:util';
import { isDnsName } from '../domain/certificate/dns-name.ts';
import { parseDuration } from '../domain/certificate/duration.ts';
import { isTrustDomain } from '../domain/certificate/spiffe-id.ts';

/** Every setting. Durations in milliseconds. */
export interface ControllerConfig {
  /** Namespaces that are served, sorted; `*` is all of them. */
  readonly namespaces: readonly string[] | '*';
  /** The operator's own namespace: state, authority, Lease. `undefined` is the one of the credentials. */
  readonly operatorNamespace: string | undefined;
  readonly trustDomain: string;
  readonly clusterDomain: string;
  /** Whether agents of a namespace that no CapabilityBoundary selects hold nothing. */
  readonly boundaryRequired: boolean;
  /** Namespace whose Istio policies hold for the whole mesh, and where Istio's settings are. */
  readonly meshRootNamespace: string;
  /** Name of the ext_authz provider that checks tokens in front of agents; `undefined`: nothing does. */
  readonly authorizerProvider: string | undefined;
  readonly workers: number;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
  /** 0 takes a free port. */
  readonly httpPort: number;
  /** Address to listen on; `undefined` is every one, IPv6 and IPv4. */
  readonly httpHost: string | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Folder with token, ca.crt and namespace, as a pod gets it; `undefined` is where a pod gets it. */
  readonly serviceAccountDirectory: string | undefined;
}

/** A configuration, the text that `--help` asks for, or every mistake in the flags. */
export type ParsedConfig =
  | { readonly kind: 'config'; readonly config: ControllerConfig }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

interface Flag {
  readonly value: string;
  readonly default: string;
  readonly says: string;
}

const FLAGS = {
  namespaces: { value: 'A,B', default: '', says: 'namespaces whose agents are served; * is all of them' },
  'operator-namespace': {
    value: 'NAME',
    default: '',
    says: "own namespace; default is the credentials' one",
  },
  'trust-domain': { value: 'DOMAIN', default: 'cluster.local', says: 'trust domain of the SPIFFE IDs' },
  'cluster-domain': { value: 'DOMAIN', default: 'cluster.local', says: 'DNS domain of the Services' },
  'boundary-required': {
    value: 'BOOL',
    default: 'false',
    says: 'agents under no CapabilityBoundary hold nothing',
  },
  'mesh-root-namespace': {
    value: 'NAME',
    default: 'istio-system',
    says: "root namespace of Istio's mesh",
  },
  'mesh-authorizer-provider': {
    value: 'NAME',
    default: '',
    says: 'ext_authz provider in the mesh config that checks tokens; default is none',
  },
  workers: { value: 'N', default: '32', says: 'identities worked on at once, 1 to 64' },
  'lease-duration': {
    value: 'D',
    default: '15s',
    says: 'after this without renewal another replica may lead',
  },
  'renew-deadline': { value: 'D', default: '10s', says: 'after this without renewal the leader gives up' },
  'retry-period': { value: 'D', default: '2s', says: 'time between two tries to lead or to renew' },
  'http-port': {
    value: 'N',
    default: '8080',
    says: 'port of /metrics, /healthz and /readyz; 0 takes a free one',
  },
  'http-host': { value: 'ADDRESS', default: '', says: 'address to listen on; default is every one' },
  'log-level': { value: 'LEVEL', default: 'info', says: 'debug, info, warn or error' },
  kubeconfig: {
    value: 'FILE',
    default: '',
    says: 'kubeconfig; default is $KUBECONFIG, then the pod, then ~/.kube',
  },
  context: { value: 'NAME', default: '', says: 'context of the kubeconfig' },
  'service-account-directory': {
    value: 'DIR',
    default: '',
    says: 'token, ca.crt, namespace; default is the mounted one',
  },
} as const satisfies Record<string, Flag>;

type FlagName = keyof typeof FLAGS;
type Values = Readonly<Record<FlagName, string>>;

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];

/** Reads the flags. All mistakes are reported at once, each with flag, rule and an example. */
export function parseConfig(args: readonly string[]): ParsedConfig {
  let values: Values;
  try {
    const options = Object.fromEntries(Object.keys(FLAGS).map((name) => [name, { type: 'string' as const }]));
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
    const given = new Map<string, unknown>(Object.entries(parsed.values));
    if (given.get('help') === true) return { kind: 'help', text: helpText() };
    values = Object.fromEntries(
      Object.entries(FLAGS).map(([name, flag]) => [name, String(given.get(name) ?? flag.default)]),
    ) as Values;
  } catch (error) {
    return { kind: 'invalid', problems: [error instanceof Error ? error.message : String(error)] };
  }
  const problems = problemsOf(values);
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'config', config: configOf(values) };
}

function problemsOf(values: Values): readonly string[] {
  const namespaces = listOf(values.namespaces);
  const [lease, deadline, retry] = [
    values['lease-duration'],
    values['renew-deadline'],
    values['retry-period'],
  ].map(parseDuration);
  const rules: readonly (readonly [boolean, string])[] = [
    [
      values.namespaces === '*' || namespaces.every((name) => NAMESPACE.test(name)),
      '--namespaces must be names separated by commas, for example ai-agents,ai-data, or *',
    ],
    [
      !namespaces.some((name) => name.startsWith('kube-')),
      '--namespaces must not name a kube- namespace: no agents live there',
    ],
    [
      values['operator-namespace'] === '' || NAMESPACE.test(values['operator-namespace']),
      '--operator-namespace must be the name of a namespace',
    ],
    [
      isTrustDomain(values['trust-domain']),
      '--trust-domain must be a SPIFFE trust domain, for example cluster.local',
    ],
    [isDnsName(values['cluster-domain']), '--cluster-domain must be a DNS name, for example cluster.local'],
    [['true', 'false'].includes(values['boundary-required']), '--boundary-required must be true or false'],
    [
      NAMESPACE.test(values['mesh-root-namespace']),
      '--mesh-root-namespace must be the name of a namespace, for example istio-system',
    ],
    [
      values['mesh-authorizer-provider'] === '' || NAMESPACE.test(values['mesh-authorizer-provider']),
      '--mesh-authorizer-provider must be 1 to 63 lower-case letters, digits or hyphens',
    ],
    [isWhole(values.workers, 1, 64), '--workers must be 1 to 64'],
    [isWhole(values['http-port'], 0, 65_535), '--http-port must be 0 to 65535'],
    [LOG_LEVELS.includes(values['log-level']), '--log-level must be debug, info, warn or error'],
    [
      lease !== undefined &&
        deadline !== undefined &&
        retry !== undefined &&
        lease > deadline &&
        deadline > 1.2 * retry,
      '--lease-duration must be longer than --renew-deadline, and that longer than 1.2 times --retry-period, for example 15s, 10s, 2s',
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, rule]) => rule);
}

function configOf(values: Values): ControllerConfig {
  return Object.freeze({
    namespaces: values.namespaces === '*' ? ('*' as const) : [...new Set(listOf(values.namespaces))].sort(),
    operatorNamespace: values['operator-namespace'] || undefined,
    trustDomain: values['trust-domain'],
    clusterDomain: values['cluster-domain'],
    boundaryRequired: values['boundary-required'] === 'true',
    meshRootNamespace: values['mesh-root-namespace'],
    authorizerProvider: values['mesh-authorizer-provider'] || undefined,
    workers: Number(values.workers),
    leaseDurationMs: parseDuration(values['lease-duration']) ?? 0,
    renewDeadlineMs: parseDuration(values['renew-deadline']) ?? 0,
    retryPeriodMs: parseDuration(values['retry-period']) ?? 0,
    httpPort: Number(values['http-port']),
    httpHost: values['http-host'] || undefined,
    logLevel: values['log-level'] as ControllerConfig['logLevel'],
    kubeconfig: values.kubeconfig || undefined,
    context: values.context || undefined,
    serviceAccountDirectory: values['service-account-directory'] || undefined,
  });
}

function helpText(): string {
  const rows = Object.entries<Flag>(FLAGS).map(([name, flag]) => {
    const left = `  --${name}=${flag.value}`.padEnd(36);
    return `${left}${flag.says}${flag.default === '' ? '' : ` (${flag.default})`}`;
  });
  return `agent-trust controller: gives every AgentIdentity its certificate.\n\nFlags:\n${rows.join('\n')}\n`;
}

function listOf(text: string): readonly string[] {
  return text === '' || text === '*' ? [] : text.split(',').map((name) => name.trim());
}

function isWhole(text: string, min: number, max: number): boolean {
  return /^[0-9]{1,6}$/.test(text) && Number(text) >= min && Number(text) <= max;
}
