/** Everything for which an issuer's answer is refused. docs/reference/issuer-input.md is generated from this table. */

/** A finding: what it is, and what to do about it. */
export interface FindingText {
  readonly means: string;
  readonly wayOut: string;
}

/** A reason to refuse an answer. */
export type IssuerFinding =
  | 'AnswerUnreadable'
  | 'KeyDiffers'
  | 'SpiffeIdDiffers'
  | 'DnsNamesDiffer'
  | 'OtherNames'
  | 'SubjectDiffers'
  | 'UsagesDiffer'
  | 'LifeDiffers'
  | 'NotYetValid'
  | 'AboutToEnd'
  | 'TooOld'
  | 'SerialNumberTooLong'
  | 'CAMissing'
  | 'CAUnusable'
  | 'NotSignedByCA'
  | 'NotAnAuthority'
  | 'ChainTooLong'
  | 'ChainRestricted'
  | 'ChainOutOfOrder'
  | 'ChainEndsEarlier'
  | 'WeakAlgorithm';

/** By reason, in the order in which an answer is looked at. */
export const ISSUER_FINDINGS: Readonly<Record<IssuerFinding, FindingText>> = {
  AnswerUnreadable: {
    means:
      'status.certificate is empty, no PEM, larger than 95,000 bytes, of more than 10 certificates, has text beside them, or its first certificate is not X.509 version 3 or has a critical extension that is not known here.',
    wayOut:
      'Have the issuer return the leaf first, then what stands between it and its CA, and nothing else.',
  },
  KeyDiffers: {
    means: 'The certificate is for another key than that of the request.',
    wayOut:
      'Nobody has the private key of such a certificate here. Look at the issuer: it mixes up requests.',
  },
  SpiffeIdDiffers: {
    means: 'The URI is missing, another one, or not the only one.',
    wayOut: 'Have the issuer take the URI of the request as it is.',
  },
  DnsNamesDiffer: {
    means: 'A DNS name was added or left out.',
    wayOut: 'Have the issuer take the DNS names of the request as they are.',
  },
  OtherNames: {
    means: 'The certificate has an address, an e-mail address or another name that was not asked for.',
    wayOut: 'Have the issuer add no names.',
  },
  SubjectDiffers: {
    means: 'Common name or organization are not those of the request, or there is another attribute.',
    wayOut: 'Have the issuer take the subject of the request as it is.',
  },
  UsagesDiffer: {
    means:
      'It is a CA, or may be used for more or less than digitalSignature, client authentication and server authentication.',
    wayOut: 'Have the issuer take spec.usages of the request as they are.',
  },
  LifeDiffers: {
    means: 'It lives longer than asked for, more than two minutes of back-dating aside, or shorter.',
    wayOut:
      'Let the issuer give the duration that is asked for, or set spec.certificate.duration to what it gives.',
  },
  NotYetValid: {
    means: 'Its validity begins in more than 30 s from now.',
    wayOut: 'Set the clock of the issuer; the operator goes by that of the API server.',
  },
  AboutToEnd: {
    means: 'Its validity has ended, or does within 5 minutes.',
    wayOut: 'Renew the CA of the issuer; see that it does not return an old certificate.',
  },
  TooOld: {
    means: 'Its validity begins before the moment at which the key of the agent was last taken away.',
    wayOut: 'Nothing: the issuer back-dates, and a request that is made a little later gets a good one.',
  },
  SerialNumberTooLong: {
    means: 'The serial number has more than 20 octets.',
    wayOut: 'RFC 5280 section 4.1.2.2 forbids that. Configure the issuer.',
  },
  CAMissing: {
    means: 'No CA of the issuer is listed, and status.ca is empty.',
    wayOut: 'Write the CA of the issuer as PEM into certManager.issuers[].ca of the chart.',
  },
  CAUnusable: {
    means:
      'No CA of the issuer is listed, and that of status.ca is no PEM, not self-signed, may not sign certificates, constrains names, or bears the name of the built-in authority.',
    wayOut: 'Write the root of the issuer as PEM into certManager.issuers[].ca of the chart.',
  },
  NotSignedByCA: {
    means:
      'A signature of the chain is not that of the next certificate, a certificate is missing, or the chain leads to another CA than the one that is listed, or that signed first.',
    wayOut:
      'If the issuer has a new CA, list it beside the former one, and take that out once its last certificate has ended.',
  },
  NotAnAuthority: {
    means: 'A certificate of the chain above the leaf is none of a CA.',
    wayOut: 'Have the issuer sign with the certificate of a CA.',
  },
  ChainTooLong: {
    means: 'There are more CAs below one of the chain than its pathLenConstraint allows.',
    wayOut: 'Sign with a CA that stands higher, or lift the constraint.',
  },
  ChainRestricted: {
    means:
      'A certificate of the chain above the leaf constrains names, or has an extended key usage without client or without server authentication.',
    wayOut:
      'Have the issuer sign with a CA without nameConstraints, and without extKeyUsage or with both: TLS libraries hold the certificate to them.',
  },
  ChainOutOfOrder: {
    means: 'A certificate of the chain does not name the one above it by name and key identifier.',
    wayOut:
      'Have the issuer return a certificate whose issuer and authority key identifier are those of its CA.',
  },
  ChainEndsEarlier: {
    means: 'A CA of the chain is not valid now, or ends before the certificate does.',
    wayOut: 'Renew the CA of the issuer.',
  },
  WeakAlgorithm: {
    means:
      'A signature is made with SHA-1, MD5 or something unknown, or a CA has an RSA key of less than 2048 bits.',
    wayOut: 'Have the issuer sign with SHA-256 or better. No TLS library would accept the certificate.',
  },
};
