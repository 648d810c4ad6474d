/** Why an authority that somebody gives is not used. docs/reference/authority-input.md is generated from this table. */

/** What a reason means. */
export interface GivenReasonText {
  readonly rule: string;
  /** Ends the message: a sentence without full stop. */
  readonly wayOut: string;
}

/** One reason; UpperCamelCase, as people see it. */
export type GivenReason =
  | 'SecretMissing'
  | 'WrongType'
  | 'CertificateMissing'
  | 'CertificateTooLarge'
  | 'CertificateUnreadable'
  | 'ChainTooLong'
  | 'ChainBroken'
  | 'ChainIncomplete'
  | 'NameOfOurs'
  | 'UnknownCriticalExtension'
  | 'NotAnAuthority'
  | 'MayNotSignCertificates'
  | 'MayNotSignRevocationLists'
  | 'PathLengthTooShort'
  | 'UnsupportedAlgorithm'
  | 'WeakSignature'
  | 'ProfileViolation'
  | 'UsageRestricted'
  | 'KeyMissing'
  | 'KeyUnreadable'
  | 'KeyMismatch'
  | 'KeyInUse'
  | 'KeyRevoked'
  | 'NamesForbidden'
  | 'ForeignTrustDomain'
  | 'NotYetValid'
  | 'Expired'
  | 'LifeTooShort';

/** A refusal; `message` is two sentences without the last full stop, and names no content of a key. */
export interface GivenRefusal {
  readonly kind: 'refuse';
  readonly reason: GivenReason;
  readonly message: string;
}

/** In the order in which they are looked for: the first that is found is the one reported. */
export const GIVEN_REASONS: Readonly<Record<GivenReason, GivenReasonText>> = {
  SecretMissing: {
    rule: 'The Secret is there.',
    wayOut: 'Create it, or take authority.secretName out of the values of the chart',
  },
  WrongType: {
    rule: 'Its type is kubernetes.io/tls.',
    wayOut: 'Delete it and create it with kubectl create secret tls',
  },
  CertificateMissing: {
    rule: 'tls.crt holds the certificate that is to sign.',
    wayOut: 'Put the PEM of the certificate there, then that of each authority above it',
  },
  CertificateTooLarge: {
    rule: 'tls.crt and ca.crt have at most 95,000 bytes, and each certificate at most 8,192 in DER: it goes into every tls.crt.',
    wayOut: 'Leave out what is not needed to get from the certificate to its root',
  },
  CertificateUnreadable: {
    rule: 'tls.crt and ca.crt hold PEM blocks of X.509 certificates of version 3 and nothing else.',
    wayOut: 'Write each with openssl x509 -in FILE, which leaves out all text around it',
  },
  ChainTooLong: {
    rule: 'From the certificate to its root there are at most four certificates.',
    wayOut: 'Have an authority nearer to the root sign it',
  },
  ChainBroken: {
    rule: 'Each certificate in tls.crt is signed by the one that follows it, and nothing follows a root.',
    wayOut: 'Put them in order, the one that is to sign first, and leave out all others',
  },
  ChainIncomplete: {
    rule: 'The chain ends at a self-signed root, the last in tls.crt or one in ca.crt.',
    wayOut: 'Add the root to tls.crt or put it into ca.crt: it is what agents trust',
  },
  NameOfOurs: {
    rule: 'No certificate bears the name of the built-in authority, whose generations are told apart by it.',
    wayOut: 'Give an authority of your own',
  },
  UnknownCriticalExtension: {
    rule: 'All critical extensions are among basicConstraints, keyUsage, extKeyUsage, nameConstraints, subjectAltName.',
    wayOut: 'Have it signed again without that extension, or with it not critical',
  },
  NotAnAuthority: {
    rule: 'Every certificate says CA:true.',
    wayOut: 'Give an authority: a leaf signs nothing that anybody accepts',
  },
  MayNotSignCertificates: {
    rule: 'Every certificate has keyUsage keyCertSign.',
    wayOut: 'Have it signed again with keyUsage keyCertSign and cRLSign',
  },
  MayNotSignRevocationLists: {
    rule: 'The certificate that is to sign has keyUsage cRLSign: it signs the revocation list of its leaves.',
    wayOut: 'Have it signed again with keyUsage keyCertSign and cRLSign',
  },
  PathLengthTooShort: {
    rule: 'The pathLenConstraint of each authority allows for those below it.',
    wayOut:
      'Give an authority that this one may have below it, or have this one signed again with a longer path',
  },
  UnsupportedAlgorithm: {
    rule: 'The key that signs is ECDSA P-256 or P-384, or RSA of 2048, 3072 or 4096 bits; those above may be RSA of up to 8192.',
    wayOut: 'Make an authority with such a key',
  },
  WeakSignature: {
    rule: 'Everything below the root is signed with ECDSA or RSA PKCS#1 and SHA-256, SHA-384 or SHA-512.',
    wayOut: 'Have it signed again with SHA-256',
  },
  ProfileViolation: {
    rule: 'What openssl verify -x509_strict wants, and Python since 3.13: critical basicConstraints, key identifiers, a subject.',
    wayOut: 'Have it signed again as RFC 5280 section 4.2 says',
  },
  UsageRestricted: {
    rule: 'extKeyUsage is absent, or has clientAuth and serverAuth: TLS stacks hold leaves to that of the authorities above.',
    wayOut: 'Have it signed again without extKeyUsage, or with both',
  },
  KeyMissing: { rule: 'tls.key holds the private key.', wayOut: 'Put the PEM of the key there' },
  KeyUnreadable: {
    rule: 'tls.key holds one unencrypted private key as PKCS#8, PKCS#1 or SEC 1 in PEM, at most 13,000 bytes.',
    wayOut: 'Write it with openssl pkcs8 -topk8 -nocrypt',
  },
  KeyMismatch: {
    rule: 'tls.key is the key of the first certificate in tls.crt.',
    wayOut: 'Give both of one pair, the certificate that is to sign first',
  },
  KeyInUse: {
    rule: 'Its key is new: it is not that of a generation that was replaced or has another certificate, as long as that is trusted.',
    wayOut: 'Make a new key: with the same one nothing is rotated',
  },
  KeyRevoked: {
    rule: 'Its key is not that of an authority that was given before, and then tainted or revoked, whatever is asked for now.',
    wayOut: 'Make a new key, and an authority with it',
  },
  NamesForbidden: {
    rule: 'nameConstraints are absent, or let URIs of the trust domain and DNS names below svc and svc.<cluster domain> through.',
    wayOut:
      'Have it signed again with permitted URI:<trust domain>, DNS:svc and DNS:svc.<cluster domain>, or without',
  },
  ForeignTrustDomain: {
    rule: 'A certificate with a SPIFFE ID has that of the trust domain, without path.',
    wayOut: 'Give an authority of this trust domain, or set trustDomain when installing',
  },
  NotYetValid: { rule: 'Every certificate is valid now.', wayOut: 'Wait, or see that clocks are right' },
  Expired: { rule: 'No certificate has ended.', wayOut: 'Give one that is valid' },
  LifeTooShort: {
    rule: 'Every certificate is valid for at least 168 h more, which is the life of the longest leaf.',
    wayOut: 'Give one that is valid for longer',
  },
};

/**
 * Makes a refusal.
 *
 * @param place Where it is wrong: `tls.crt`.
 * @param what What is wrong there; continues the sentence.
 */
export function refuseGiven(reason: GivenReason, place: string, what: string): GivenRefusal {
  return { kind: 'refuse', reason, message: `${place}: ${what}. ${GIVEN_REASONS[reason].wayOut}` };
}
