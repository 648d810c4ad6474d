/** Who signs for an identity, and whether that issuer may be asked now. */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { AuthorityFacts } from '../../domain/certificate/plan.ts';
import { issuerAuthority, UNKNOWN_AUTHORITY } from '../../domain/issuance/facts.ts';
import { type IssuerRef, issuerOfSpec, issuerTitle } from '../../domain/issuance/issuer.ts';
import type { Key } from '../../kube/object.ts';
import type { IssuancePort, IssuerProblem, LeafAnswer, LeafAsk, Signing } from './answer.ts';
import type { IssuanceDesk } from './desk.ts';
import type { IssuanceView } from './issuance-view.ts';
import type { IssuerBook } from './issuer-book.ts';
import type { KeptCA } from './issuer-state.ts';

/** What the keeper works with. */
export interface KeeperPorts {
  readonly view: Pick<IssuanceView, 'requestState' | 'isFenced'>;
  readonly book: Pick<
    IssuerBook,
    'isListed' | 'casOf' | 'acceptedOf' | 'awaitsTrust' | 'trusted' | 'problem'
  >;
  readonly desk: IssuanceDesk;
  readonly operatorNamespace: string;
}

/** For the reconcile of identities. */
export class IssuanceKeeper implements IssuancePort {
  readonly #ports: KeeperPorts;

  constructor(ports: KeeperPorts) {
    this.#ports = ports;
  }

  signingOf({ spec }: AgentIdentity): Signing {
    const issuer = issuerOfSpec(spec);
    if (issuer === undefined) return { kind: 'built-in' };
    const { book } = this.#ports;
    if (!book.isListed(issuer)) {
      const message = `${issuerTitle(issuer)} is not on the list of issuers that sign for agents, certManager.issuers of the chart, or stands there as a former one. List it, or take spec.certificate.issuerRef out.`;
      return { kind: 'refused', reason: 'IssuerNotListed', message };
    }
    const authoritiesOf = (cas: readonly KeptCA[]): readonly AuthorityFacts[] =>
      cas.map(({ certificate }) => issuerAuthority(certificate));
    const [signing = UNKNOWN_AUTHORITY] = authoritiesOf(book.casOf(issuer)).toSorted(
      (a, b) => b.notAfterMs - a.notAfterMs,
    );
    const trusted = authoritiesOf(book.acceptedOf(issuer));
    return { kind: 'issuer', issuer, by: { signing, trusted }, problem: this.#problemOf(issuer) };
  }

  leafFor(ask: LeafAsk, signal: AbortSignal): Promise<LeafAnswer> {
    return this.#ports.desk.leafFor(ask, signal);
  }

  isIssuer(authorityId: string): boolean {
    return this.#ports.book.trusted.some(({ id }) => id === authorityId);
  }

  forget(key: Key): void {
    this.#ports.desk.forget(key);
  }

  #problemOf(issuer: IssuerRef): IssuerProblem | undefined {
    const { view, book, operatorNamespace } = this.#ports;
    switch (view.requestState) {
      case 'not-installed':
        return {
          reason: 'IssuerUnavailable',
          message:
            'The API server serves no CertificateRequests (cert-manager.io/v1). Install cert-manager; the certificate follows by itself.',
        };
      case 'refused':
        return {
          reason: 'IssuerUnavailable',
          message: `The operator may not list the CertificateRequests of namespace ${operatorNamespace}: Role agent-trust-controller-issuers is missing there. helm upgrade puts it back.`,
        };
      case 'ready':
        break;
    }
    if (!view.isFenced(issuer)) return notFenced(issuer);
    if (book.problem !== undefined) return { reason: 'IssuerUnavailable', message: book.problem };
    if (!book.awaitsTrust(issuer)) return undefined;
    return {
      reason: 'IssuerPending',
      message: `The CA of ${issuerTitle(issuer)} joins the trust bundles first.`,
    };
  }
}

function notFenced(issuer: IssuerRef): IssuerProblem {
  const message = `Nothing keeps others from asking ${issuerTitle(issuer)} for the same SPIFFE ID: ValidatingAdmissionPolicy agent-trust-issuers or its binding is missing, was changed, or does not name this issuer. helm upgrade with admissionPolicies.enabled=true puts it back. Ten minutes after that was seen its CA leaves every trust bundle, and agents refuse its certificates.`;
  return { reason: 'IssuerNotFenced', message };
}
