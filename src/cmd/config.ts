/** The controller's settings: parsed once from flags, checked, frozen, and handed on in slices. */

import { AUTHORITY_SECRET_NAME, WEBHOOK_SECRET_NAME } from '../api/group.ts';
import type { ListedIssuer } from '../controllers/issuance/issuer-state.ts';
import type { AuthoritySettings } from '../domain/authority/periods.ts';
import { isDnsName } from '../domain/certificate/dns-name.ts';
import { parseDuration } from '../domain/certificate/duration.ts';
import { isTrustDomain } from '../domain/certificate/spiffe-id.ts';
import { type Flag, type FlagValues, type Parsed, type Program, parseFlags } from './flags.ts';
import { ISSUERS_FLAG, parseIssuers } from './issuers-flag.ts';
import {
  duration,
  isNamespaceName,
  PROCESS_FLAGS,
  type ProcessConfig,
  processConfig,
  SCOPE_FLAGS,
  wholeNumber,
} from './process-flags.ts';

/** Every setting. Durations in milliseconds. */
export interface ControllerConfig extends ProcessConfig {
  readonly trustDomain: string;
  /** Namespace whose Istio policies hold for the whole mesh, and where Istio's settings are. */
  readonly meshRootNamespace: string;
  /** Name of the ext_authz provider that checks tokens in front of agents; `undefined`: nothing does. */
  readonly authorizerProvider: string | undefined;
  /** Issuers of cert-manager that may sign for agents. */
  readonly issuers: readonly ListedIssuer[];
  readonly workers: number;
  readonly authority: AuthoritySettings;
  /** Secret of the operator's namespace with an authority that somebody gives; undefined: it is made here. */
  readonly authoritySecretName: string | undefined;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

const HOUR_MS = 3_600_000;
/** Bits of the curve by the name that stands in flags and values. */
const AUTHORITY_KEYS = { 'ECDSA-P256': 256, 'ECDSA-P384': 384 } as const;

const FLAGS = {
  ...SCOPE_FLAGS,
  'trust-domain': {
    value: 'DOMAIN',
    default: 'cluster.local',
    says: 'trust domain of the SPIFFE IDs',
    rules: [{ must: 'must be a SPIFFE trust domain, for example cluster.local', holds: isTrustDomain }],
  },
  'mesh-root-namespace': {
    value: 'NAME',
    default: 'istio-system',
    says: "root namespace of Istio's mesh",
    rules: [{ must: 'must be the name of a namespace, for example istio-system', holds: isNamespaceName }],
  },
  'mesh-authorizer-provider': {
    value: 'NAME',
    default: '',
    says: 'ext_authz provider in the mesh config that checks tokens; default is none',
    rules: [
      {
        must: 'must be 1 to 63 lower-case letters, digits or hyphens',
        holds: (value: string) => value === '' || isNamespaceName(value),
      },
    ],
  },
  issuers: ISSUERS_FLAG,
  workers: {
    value: 'N',
    default: '32',
    says: 'identities worked on at once, 1 to 64',
    rules: [wholeNumber(1, 64)],
  },
  'authority-life': {
    value: 'D',
    default: '720h',
    says: 'life of a generation of the authority; the next one is made at half of it',
    rules: [duration('24h to 8760h, for example 720h', 24 * HOUR_MS, 8760 * HOUR_MS)],
  },
  'authority-key': {
    value: 'KIND',
    default: 'ECDSA-P256',
    says: 'key of a generation of the authority made from now on, ECDSA-P256 or ECDSA-P384',
    rules: [{ must: 'must be ECDSA-P256 or ECDSA-P384', holds: isAuthorityKey }],
  },
  'authority-secret': {
    value: 'NAME',
    default: '',
    says: "Secret of type kubernetes.io/tls in the operator's namespace with the authority to use; default is one made by the operator",
    rules: [
      {
        must: 'must be the name of a Secret, and not agent-trust-ca',
        holds: (value: string) =>
          value === '' ||
          (isDnsName(value) && value !== AUTHORITY_SECRET_NAME && value !== WEBHOOK_SECRET_NAME),
      },
    ],
  },
  'authority-acceleration': {
    value: 'N',
    default: '1',
    says: 'divides all periods of the authority, 1 to 10000; for tests and demonstrations only',
    rules: [wholeNumber(1, 10_000)],
  },
  'reissue-rate': {
    value: 'N',
    default: '20',
    says: 'certificates of a tainted generation replaced in a second, 1 to 1000',
    rules: [wholeNumber(1, 1000)],
  },
  'lease-duration': {
    value: 'D',
    default: '15s',
    says: 'after this without renewal another replica may lead',
  },
  'renew-deadline': { value: 'D', default: '10s', says: 'after this without renewal the leader gives up' },
  'retry-period': { value: 'D', default: '2s', says: 'time between two tries to lead or to renew' },
  ...PROCESS_FLAGS,
} as const satisfies Readonly<Record<string, Flag>>;

type Values = FlagValues<typeof FLAGS>;

const CONTROLLER: Program<typeof FLAGS, ControllerConfig> = {
  about: 'agent-trust controller: gives every AgentIdentity its certificate.',
  flags: FLAGS,
  problems: leaseProblems,
  config: configOf,
};

/** Reads the flags. All mistakes are reported at once, each with flag, rule and an example. */
export function parseConfig(args: readonly string[]): Parsed<ControllerConfig> {
  return parseFlags(CONTROLLER, args);
}

function isAuthorityKey(value: string): value is keyof typeof AUTHORITY_KEYS {
  return Object.hasOwn(AUTHORITY_KEYS, value);
}

function leaseProblems(values: Values): readonly string[] {
  const [lease, deadline, retry] = leaseTimes(values);
  const holds =
    lease !== undefined &&
    deadline !== undefined &&
    retry !== undefined &&
    lease > deadline &&
    deadline > 1.2 * retry;
  return holds
    ? []
    : [
        '--lease-duration must be longer than --renew-deadline, and that longer than 1.2 times --retry-period, for example 15s, 10s, 2s',
      ];
}

function leaseTimes(values: Values): readonly (number | undefined)[] {
  return [values['lease-duration'], values['renew-deadline'], values['retry-period']].map(parseDuration);
}

function configOf(values: Values): ControllerConfig {
  const [leaseDurationMs = 0, renewDeadlineMs = 0, retryPeriodMs = 0] = leaseTimes(values);
  return {
    ...processConfig(values),
    trustDomain: values['trust-domain'],
    meshRootNamespace: values['mesh-root-namespace'],
    authorizerProvider: values['mesh-authorizer-provider'] || undefined,
    issuers: parseIssuers(values.issuers) ?? [],
    workers: Number(values.workers),
    authority: {
      lifeMs: parseDuration(values['authority-life']) ?? 0,
      acceleration: Number(values['authority-acceleration']),
      reissuePerSecond: Number(values['reissue-rate']),
      keySize: isAuthorityKey(values['authority-key']) ? AUTHORITY_KEYS[values['authority-key']] : 256,
    },
    authoritySecretName: values['authority-secret'] || undefined,
    leaseDurationMs,
    renewDeadlineMs,
    retryPeriodMs,
  };
}
