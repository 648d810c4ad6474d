/** Flags that both processes take, and what their values mean. */

import { isDnsName } from '../domain/certificate/dns-name.ts';
import { parseDuration } from '../domain/certificate/duration.ts';
import type { Flag, FlagRule, FlagValues } from './flags.ts';

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What is served, and where the operator itself lives. */
export const SCOPE_FLAGS: Readonly<
  Record<'namespaces' | 'operator-namespace' | 'cluster-domain' | 'boundary-required', Flag>
> = {
  namespaces: {
    value: 'A,B',
    default: '',
    says: 'namespaces whose agents are served; * is all of them',
    rules: [
      {
        must: 'must be names separated by commas, for example ai-agents,ai-data, or *',
        holds: (value) => value === '*' || namesOf(value).every((name) => NAMESPACE.test(name)),
      },
      {
        must: 'must not name a kube- namespace: no agents live there',
        holds: (value) => !namesOf(value).some((name) => name.startsWith('kube-')),
      },
    ],
  },
  'operator-namespace': {
    value: 'NAME',
    default: '',
    says: "own namespace; default is the credentials' one",
    rules: [
      {
        must: 'must be the name of a namespace',
        holds: (value) => value === '' || NAMESPACE.test(value),
      },
    ],
  },
  'cluster-domain': {
    value: 'DOMAIN',
    default: 'cluster.local',
    says: 'DNS domain of the Services',
    rules: [{ must: 'must be a DNS name, for example cluster.local', holds: isDnsName }],
  },
  'boundary-required': {
    value: 'BOOL',
    default: 'false',
    says: 'agents under no CapabilityBoundary hold nothing',
    rules: [{ must: 'must be true or false', holds: (value) => ['true', 'false'].includes(value) }],
  },
};

/** How it is reached and how it reaches the API server. */
export const PROCESS_FLAGS: Readonly<
  Record<
    'http-port' | 'http-host' | 'log-level' | 'kubeconfig' | 'context' | 'service-account-directory',
    Flag
  >
> = {
  'http-port': {
    value: 'N',
    default: '8080',
    says: 'port of /metrics, /healthz and /readyz; 0 takes a free one',
    rules: [wholeNumber(0, 65_535)],
  },
  'http-host': { value: 'ADDRESS', default: '', says: 'address to listen on; default is every one' },
  'log-level': {
    value: 'LEVEL',
    default: 'info',
    says: 'debug, info, warn or error',
    rules: [
      {
        must: 'must be debug, info, warn or error',
        holds: (value) => LOG_LEVELS.some((level) => level === value),
      },
    ],
  },
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
};

/** What both processes are told. */
export interface ProcessConfig {
  /** Namespaces that are served, sorted; `*` is all of them. */
  readonly namespaces: readonly string[] | '*';
  /** The operator's own namespace: state, authority, Lease. `undefined` is the one of the credentials. */
  readonly operatorNamespace: string | undefined;
  readonly clusterDomain: string;
  /** Whether agents of a namespace that no CapabilityBoundary selects hold nothing. */
  readonly boundaryRequired: boolean;
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

/** The values of the flags that both processes take. */
export function processConfig(values: FlagValues<typeof SCOPE_FLAGS & typeof PROCESS_FLAGS>): ProcessConfig {
  return {
    namespaces: values.namespaces === '*' ? '*' : [...new Set(namesOf(values.namespaces))].sort(),
    operatorNamespace: values['operator-namespace'] || undefined,
    clusterDomain: values['cluster-domain'],
    boundaryRequired: values['boundary-required'] === 'true',
    httpPort: Number(values['http-port']),
    httpHost: values['http-host'] || undefined,
    logLevel: LOG_LEVELS.find((level) => level === values['log-level']) ?? 'info',
    kubeconfig: values.kubeconfig || undefined,
    context: values.context || undefined,
    serviceAccountDirectory: values['service-account-directory'] || undefined,
  };
}

/** A whole number in a range, both ends included. */
export function wholeNumber(min: number, max: number): FlagRule {
  return {
    must: `must be ${min} to ${max}`,
    holds: (value) => /^[0-9]{1,6}$/.test(value) && Number(value) >= min && Number(value) <= max,
  };
}

/** A duration in a range, both ends included; `range` says so in words, with an example. */
export function duration(range: string, minMs: number, maxMs: number): FlagRule {
  return {
    must: `must be ${range}`,
    holds: (value) => {
      const milliseconds = parseDuration(value);
      return milliseconds !== undefined && milliseconds >= minMs && milliseconds <= maxMs;
    },
  };
}

/** Whether text is the name of a namespace, or of anything else that is a DNS label. */
export function isNamespaceName(value: string): boolean {
  return NAMESPACE.test(value);
}

function namesOf(text: string): readonly string[] {
  return text === '' || text === '*' ? [] : text.split(',').map((name) => name.trim());
}
