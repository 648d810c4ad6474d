/** What happens to identities, as metrics. Labels are few and bounded; no name of an object is one. */

import { Counter, Gauge, type Registry } from 'prom-client';

/** Counters of what was done, and gauges read when metrics are collected. */
export interface IdentityMetrics {
  issued(reason: string): void;
  repaired(what: string): void;
  failed(): void;
  wiped(): void;
  /** Signing keys were made. */
  made(reason: string, count: number): void;
}

/** What the gauges are read from. */
export interface IdentityGauges {
  /** Number of identities by reason of Ready. */
  byReason(): ReadonlyMap<string, number>;
  /** Latest instant at which the signing generation is valid, seconds since the Unix epoch; undefined without one. */
  authorityNotAfterSeconds(): number | undefined;
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
    issued: (reason) => issued.inc({ reason }),
    repaired: (what) => repaired.inc({ what }),
    failed: () => failed.inc(),
    wiped: () => wiped.inc(),
    made: (reason, count) => made.inc({ reason }, count),
  };
}

function registerGauges(registers: Registry[], gauges: IdentityGauges): void {
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
