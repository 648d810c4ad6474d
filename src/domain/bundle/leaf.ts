/** The certificate that signs bundles: what it says, so that no agent can have it and no TLS stack takes it. */

import type { LeafProfile } from '../certificate/profile.ts';

/** How long it lives; it is replaced when half of that is over. */
const LIFE_MS = 24 * 3_600_000;

/** Its only name. Those of agents begin with `/ns/`. */
export function bundleSpiffeId(trustDomain: string): string {
  return `spiffe://${trustDomain}/agent-trust/bundle`;
}

/** What it says. Source: SPIFFE X509-SVID section 4; RFC 9336 for what it may be used for. */
export function bundleLeafProfile(trustDomain: string): LeafProfile {
  return {
    spiffeId: bundleSpiffeId(trustDomain),
    dnsNames: [],
    commonName: undefined,
    organization: undefined,
    extendedKeyUsages: ['documentSigning'],
    key: { algorithm: 'ECDSA', size: 256 },
    durationMs: LIFE_MS,
  };
}
