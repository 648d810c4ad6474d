/** The webhook's settings: parsed once from flags, checked, frozen, and handed on in slices. */

import { parseDuration } from '../domain/certificate/duration.ts';
import { type Flag, type FlagValues, type Parsed, type Program, parseFlags } from './flags.ts';
import {
  duration,
  PROCESS_FLAGS,
  type ProcessConfig,
  processConfig,
  SCOPE_FLAGS,
  wholeNumber,
} from './process-flags.ts';

/** Every setting. Durations in milliseconds. */
export interface WebhookConfig extends ProcessConfig {
  /** Where the API server asks; 0 takes a free port. */
  readonly webhookPort: number;
  /** Address to listen on for the API server; `undefined` is every one, IPv6 and IPv4. */
  readonly webhookHost: string | undefined;
  /** Life of a serving certificate; it is renewed after two thirds. */
  readonly servingLifeMs: number;
  /** How long both webhook configurations have trusted a certificate before it is served. */
  readonly servingGraceMs: number;
  /** How long reviews are still taken after the process was told to end. */
  readonly shutdownDelayMs: number;
}

const FLAGS = {
  ...SCOPE_FLAGS,
  'webhook-port': {
    value: 'N',
    default: '8443',
    says: 'port that the API server asks; 0 takes a free one',
    rules: [wholeNumber(0, 65_535)],
  },
  'webhook-host': {
    value: 'ADDRESS',
    default: '',
    says: 'address to listen on for the API server; default is every one',
  },
  'serving-life': {
    value: 'D',
    default: '720h',
    says: 'life of the serving certificate; renewed after two thirds',
    rules: [duration('6s to 8760h, for example 720h', 6_000, 8_760 * 3_600_000)],
  },
  'serving-grace': {
    value: 'D',
    default: '10s',
    says: 'how long the API server has trusted a certificate before it is served',
    rules: [duration('0s to 1h, for example 10s', 0, 3_600_000)],
  },
  'shutdown-delay': {
    value: 'D',
    default: '5s',
    says: 'how long reviews are still taken when told to end',
    rules: [duration('0s to 10s, for example 5s', 0, 10_000)],
  },
  ...PROCESS_FLAGS,
} as const satisfies Readonly<Record<string, Flag>>;

const WEBHOOK: Program<typeof FLAGS, WebhookConfig> = {
  about: 'agent-trust webhook: tells the API server what may be stored.',
  flags: FLAGS,
  problems: lifeProblems,
  config: configOf,
};

/** Reads the flags. All mistakes are reported at once, each with flag, rule and an example. */
export function parseWebhookConfig(args: readonly string[]): Parsed<WebhookConfig> {
  return parseFlags(WEBHOOK, args);
}

/** The last third of a life is there to renew in, and a grace passes twice. */
function lifeProblems(values: FlagValues<typeof FLAGS>): readonly string[] {
  const [lifeMs, graceMs] = [values['serving-life'], values['serving-grace']].map(parseDuration);
  const isTooShort = lifeMs !== undefined && graceMs !== undefined && lifeMs < 6 * graceMs;
  return isTooShort
    ? ['--serving-life must be at least six times --serving-grace, for example 720h and 10s']
    : [];
}

function configOf(values: FlagValues<typeof FLAGS>): WebhookConfig {
  return {
    ...processConfig(values),
    webhookPort: Number(values['webhook-port']),
    webhookHost: values['webhook-host'] || undefined,
    servingLifeMs: parseDuration(values['serving-life']) ?? 0,
    servingGraceMs: parseDuration(values['serving-grace']) ?? 0,
    shutdownDelayMs: parseDuration(values['shutdown-delay']) ?? 0,
  };
}
