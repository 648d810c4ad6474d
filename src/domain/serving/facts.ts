/** What is known of the certificates that the webhook shows to the API server. */

/** A certificate. Instants in milliseconds since the Unix epoch. */
export interface ServedCertificate {
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly certificatePem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly dnsNames: readonly string[];
}

/** What the Secret holds. A pair that cannot be read, or does not belong together, is undefined. */
export interface ServingFacts {
  /** The one that is served. */
  readonly current: ServedCertificate | undefined;
  /** The one that will be served once the API server trusts it. */
  readonly next: ServedCertificate | undefined;
  /** Those that the API server is to trust, in the order of {@link bundleOrder} if we wrote it. */
  readonly trusted: readonly ServedCertificate[];
}
