/**
 * What is known about the Secret of an identity: facts that can be kept in memory and compared, never the bytes of a
 * key. `crypto/inspect.ts` finds those about its content.
 */

/** The keys of our Secrets, and no others. */
export const SECRET_KEYS = {
  certificate: 'tls.crt',
  privateKey: 'tls.key',
  trustBundle: 'ca.crt',
  combined: 'tls-combined.pem',
} as const;

/** The type of our Secrets. */
export const SECRET_TYPE = 'kubernetes.io/tls';

/** What a leaf says, as found. Instants are milliseconds since the Unix epoch. */
export interface CertificateFacts {
  readonly kind: 'certificate';
  /** Lower-case hexadecimal, no leading zero octet. */
  readonly serialHex: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** Subject alternative names that are neither URI nor DNS name. */
  readonly otherNameCount: number;
  readonly commonName: string | undefined;
  readonly organization: string | undefined;
  /** Subject attributes beside one common name and one organization. */
  readonly otherSubjectAttributeCount: number;
  /** basicConstraints says CA. */
  readonly isAuthority: boolean;
  /** Names of RFC 5280 section 4.2.1.3, in order of their bits. */
  readonly keyUsages: readonly string[];
  /** `clientAuth`, `serverAuth`, any other as its dotted OID; in the order of the certificate. */
  readonly extendedKeyUsages: readonly string[];
  readonly keyAlgorithm: string;
  /** Bits; 0 when not known. */
  readonly keySize: number;
  /** The trusted authority whose key signed it; `undefined` when none of them did. */
  readonly authorityId: string | undefined;
  /** Certificates in `tls.crt`, the leaf included. */
  readonly chainLength: number;
  /** So many of them lead from the leaf to a root; absent is none: a root signed the leaf itself. */
  readonly intermediateCount?: number;
  /** What leads from that authority to its root is not there. */
  readonly lacksIntermediates?: true;
}

/** `tls.crt` holds no certificate that can be read. `problem` continues a sentence: "tls.crt was missing". */
export interface CertificateProblem {
  readonly kind: 'problem';
  readonly problem: string;
}

/** What the data of a Secret say. */
export interface SecretContent {
  readonly certificate: CertificateFacts | CertificateProblem;
  readonly privateKey: { readonly kind: 'readable' } | CertificateProblem;
  /** The private key is that of the certificate. */
  readonly keyMatches: boolean;
  /** Of the bytes of `ca.crt`, lower-case hexadecimal; `undefined` when missing or far too large. */
  readonly trustBundleSha256: string | undefined;
  /** `tls-combined.pem` is exactly `tls.key` followed by `tls.crt`. */
  readonly combinedMatches: boolean;
}

/** An owner reference, the fields that say whose a Secret is. */
export interface OwnerReferenceFacts {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** A Secret as it is on the server, whatever it holds. */
export interface StoredSecretFacts {
  readonly type: string;
  readonly immutable: boolean;
  /** Of the identity, as the Secret's own annotation says. */
  readonly ownerUid: string | undefined;
  readonly ownerReferences: readonly OwnerReferenceFacts[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly dataKeys: readonly string[];
}

/** A Secret with a certificate as it is on the server. */
export interface SecretFacts extends StoredSecretFacts {
  readonly content: SecretContent;
}
