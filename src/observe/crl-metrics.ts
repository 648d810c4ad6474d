/** Revoked certificates as metrics. */

import { Gauge, type Registry } from 'prom-client';

/** Where the numbers come from. */
export interface CrlSources {
  readonly counts: () => { readonly listed: number; readonly leftOut: number };
}

/** Registers `agent_trust_revoked_certificates*` metrics. Call once for a registry. */
export function crlMetrics(registry: Registry, { counts }: CrlSources): void {
  const registers = [registry];
  new Gauge({
    name: 'agent_trust_revoked_certificates',
    help: 'Certificates on the newest revocation lists.',
    registers,
    collect() {
      this.set(counts().listed);
    },
  });
  new Gauge({
    name: 'agent_trust_revoked_certificates_left_out',
    help: 'Revoked certificates for which the revocation lists have no room: more than 5,000 are revoked.',
    registers,
    collect() {
      this.set(counts().leftOut);
    },
  });
}
