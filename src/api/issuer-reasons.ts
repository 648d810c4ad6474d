/** Reasons of the condition Ready of an AgentIdentity whose certificate an issuer of cert-manager signs. */

import type { ReasonText } from './reason-text.ts';

/** A reason. */
export type IssuerReason =
  | 'IssuerAnswerRefused'
  | 'IssuerCAUnknown'
  | 'IssuerDenied'
  | 'IssuerNotFenced'
  | 'IssuerNotListed'
  | 'IssuerPending'
  | 'IssuerUnavailable';

/** What each means. */
export const ISSUER_REASONS: Readonly<Record<IssuerReason, ReasonText>> = {
  IssuerAnswerRefused: {
    ready: 'False',
    retried: '5 s, then twice as long each time, at most 5 min',
    means:
      'The issuer of spec.certificate.issuerRef returned something that is not the certificate that was asked for; it is not used.',
    wayOut: 'The message names what differs; docs/reference/issuer-input.md has each with its way out.',
  },
  IssuerCAUnknown: {
    ready: 'False',
    retried: '5 s, then twice as long each time, at most 5 min',
    means: 'No CA of the issuer is listed, and it returned none that can be used.',
    wayOut: 'Write the CA of the issuer into certManager.issuers[].ca of the chart.',
  },
  IssuerDenied: {
    ready: 'False',
    retried: 'when spec.certificate changes',
    means: 'An approver of cert-manager denied the request, or cert-manager holds it for invalid.',
    wayOut:
      'Change what it refuses, then the spec, or ask again with annotation agenttrust.dev/renew-before.',
  },
  IssuerNotFenced: {
    ready: 'False',
    retried: 'when the policy changes, and every 10 s',
    means:
      'Nothing keeps others from asking the issuer for the same SPIFFE ID, so nothing is asked of it. A certificate that is there stays; agents refuse it once the CA has left the bundles, ten minutes later.',
    wayOut: 'helm upgrade with admissionPolicies.enabled=true, which puts policy agent-trust-issuers back.',
  },
  IssuerNotListed: {
    ready: 'False',
    retried: 'when the operator starts with another list',
    means:
      'The issuer of spec.certificate.issuerRef is not on the list certManager.issuers of the chart, or stands there as a former one.',
    wayOut: 'List it, or take spec.certificate.issuerRef out.',
  },
  IssuerPending: {
    ready: 'False',
    retried: 'when the request changes, and every 30 s; after an hour with another request',
    means:
      'The issuer is asked, and has not answered yet; the message names the CertificateRequest. Or its CA is about to join the bundles.',
    wayOut: 'Approve the request, if it waits for that; else look at the issuer.',
  },
  IssuerUnavailable: {
    ready: 'False',
    retried: 'when that changes, and every 10 s',
    means:
      'cert-manager cannot be asked: its kind CertificateRequest is not served, or the operator has no rights on it or on ConfigMap agent-trust-issuers.',
    wayOut: 'Install cert-manager; helm upgrade puts the rights back.',
  },
};
