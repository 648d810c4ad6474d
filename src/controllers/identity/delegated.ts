/** What an identity says while an issuer is asked for its certificate, and when the issuer cannot be asked. */

import type { IssuedLeaf } from '../../crypto/leaf.ts';
import type { CertificatePlan, CertificateWish } from '../../domain/certificate/plan.ts';
import { type IssuerRef, issuerTitle } from '../../domain/issuance/issuer.ts';
import type { LeafAnswer, Signing } from '../issuance/answer.ts';
import type { Context, Result } from './context.ts';
import { refused, reportOf } from './outcome.ts';

/** What is planned, for whom, and who signs. */
export interface IssuerAsk {
  readonly wish: CertificateWish;
  readonly signing: Exclude<Signing, { kind: 'refused' }>;
  readonly plan: CertificatePlan;
}

/** The leaf to write, undefined when no issuer is needed for what is planned; or what the identity says instead. */
export type IssuerAsked =
  | { readonly kind: 'leaf'; readonly leaf: IssuedLeaf | undefined }
  | { readonly kind: 'result'; readonly result: Result };

/** Gets the leaf of an issuer, where one is to be issued. @throws KubeError, and what the ledger throws. */
export async function askIssuer(context: Context, { wish, signing, plan }: IssuerAsk): Promise<IssuerAsked> {
  if (plan.kind !== 'issue' || signing.kind === 'built-in') return { kind: 'leaf', leaf: undefined };
  const { ports, key, inputs, signal } = context;
  const { issuer, problem } = signing;
  if (problem !== undefined) return { kind: 'result', result: refused(context, problem) };
  const { identity, secret } = inputs;
  const answer = await ports.issuance.leafFor(
    { key, identity, wish, issuer, observed: secret?.facts },
    signal,
  );
  return answer.kind === 'leaf' ? answer : { kind: 'result', result: awaited(context, plan, answer) };
}

/** There is no leaf yet. A certificate that is only due for renewal still makes the agent ready. */
function awaited(
  context: Context,
  plan: Extract<CertificatePlan, { kind: 'issue' }>,
  answer: Exclude<LeafAnswer, { kind: 'leaf' }>,
): Result {
  const { ports, inputs } = context;
  if (answer.kind === 'waiting') {
    const leaf = inputs.secret?.facts.content.certificate;
    const isGood =
      plan.reason === 'RenewalDue' && leaf?.kind === 'certificate' && leaf.notAfterMs > ports.nowMs();
    const reason = isGood ? 'Issued' : 'IssuerPending';
    const message = isGood ? `A new certificate is on its way. ${answer.message}` : answer.message;
    return {
      report: reportOf(context, { reason, message, secret: inputs.secret }),
      outcome: { kind: 'recheck', atMs: answer.recheckAtMs },
    };
  }
  const { reason, message, failure, retryAtMs } = answer;
  if (reason === 'IssueFailed') ports.events.failed(inputs.identity, message);
  const told =
    reason === 'IssueFailed'
      ? reportOf(context, { reason, message, secret: inputs.secret })
      : refused(context, { reason, message }).report;
  return {
    report: { ...told, failure },
    outcome: retryAtMs === undefined ? { kind: 'stalled', reason } : { kind: 'recheck', atMs: retryAtMs },
  };
}

/** What to do when the CA of an issuer is about to end. */
export function issuerWayOut(issuer: IssuerRef): string {
  return `That is the CA of ${issuerTitle(issuer)}: renew it, and list the new one beside the former (certManager.issuers[].ca of the chart).`;
}
