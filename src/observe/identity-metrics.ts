/** What happens to identities, as metrics. Labels are few and bounded, but for the end of each certificate. */

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Counters of what was done, and gauges read when metrics are collected. */
export interface IdentityMetrics {
  issued(reason: string, seconds: number): void;
  repaired(what: string): void;
  failed(): void;
  wiped(): void;
  /** Signing keys were made. */
  made(reason: string, count: number): void;
}

/** When the certificate of an identity ends, seconds since the Unix epoch. */
export interface CertificateEnd {
  readonly namespace: string;
  readonly name: string;
  readonly notAfterSeconds: number;
}

/** From an idle API server to one that is nearly lost. */
const BUCKETS_SECONDS = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 20];

/** What the gauges are read from. */
export interface IdentityGauges {
  /** Number of identities by reason of Ready. */
  byReason(): ReadonlyMap<string, number>;
  /** Latest instant at which the signing generation is valid, seconds since the Unix epoch; undefined without one. */
  authorityNotAfterSeconds(): number | undefined;
  /** The certificate of each identity that has one. */
  certificates(): Iterable<CertificateEnd>;
  /** Machine's clock minus the API server's, seconds. */
  clockSkewSeconds(): number;
}

/** Registers `agent_trust_*` metrics. Call once for a registry. */
export function identityMetrics(registry: Registry, gauges: IdentityGauges): IdentityMetrics {
  const registers = [registry];
  const issued = new Counter({
    name: 'agent_trust_certificates_issued_total',
    help: 'Leaves written into Secrets, by the reason they were issued for.',
    labelNames: ['reason'],
    registers,
  });
  const duration = new Histogram({
    name: 'agent_trust_issue_seconds',
    help: 'Time from the decision to issue a leaf until its Secret was written, for leaves that were.',
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const repaired = new Counter({
    name: 'agent_trust_repairs_total',
    help: 'Things mended in Secrets without a new leaf or key, by what was wrong.',
    labelNames: ['what'],
    registers,
  });
  const failed = new Counter({
    name: 'agent_trust_issue_failures_total',
    help: 'Tries to issue or to write that the API server refused.',
    registers,
  });
  const wiped = new Counter({
    name: 'agent_trust_secrets_wiped_total',
    help: 'Secrets emptied and deleted because their key may not live on.',
    registers,
  });
  const made = new Counter({
    name: 'agent_trust_signing_keys_made_total',
    help: 'Signing keys made, by the reason they were made for.',
    labelNames: ['reason'],
    registers,
  });
  registerGauges(registers, gauges);
  return {
    issued(reason, seconds) {
      issued.inc({ reason });
      duration.observe(seconds);
    },
    repaired: (what) => repaired.inc({ what }),
    failed: () => failed.inc(),
    wiped: () => wiped.inc(),
    made: (reason, count) => made.inc({ reason }, count),
  };
}

function registerGauges(registers: Registry[], gauges: IdentityGauges): void {
  new Gauge({
    name: 'agent_trust_certificate_not_after_timestamp_seconds',
    help: 'End of the certificate of each AgentIdentity that has one, seconds since the Unix epoch.',
    labelNames: ['namespace', 'name'],
    registers,
    collect() {
      this.reset();
      for (const { namespace, name, notAfterSeconds } of gauges.certificates())
        this.set({ namespace, name }, notAfterSeconds);
    },
  });
  new Gauge({
    name: 'agent_trust_identities',
    help: 'AgentIdentities by the reason of their condition Ready.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of gauges.byReason()) this.set({ reason }, count);
    },
  });
  new Gauge({
    name: 'agent_trust_authority_not_after_timestamp_seconds',
    help: 'End of the generation that signs, seconds since the Unix epoch.',
    registers,
    collect() {
      const seconds = gauges.authorityNotAfterSeconds();
      if (seconds === undefined) this.reset();
      else this.set(seconds);
    },
  });
  new Gauge({
    name: 'agent_trust_clock_skew_seconds',
    help: "This machine's clock minus the API server's.",
    registers,
    collect() {
      this.set(gauges.clockSkewSeconds());
    },
  });
}
