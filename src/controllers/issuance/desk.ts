/**
 * Asks issuers for leaves, without ever waiting: each call goes as far as it can and says when to call again. What an issuer
 * hands back is used only when it is what was asked for, and in the ledger.
 */

import type { EventReason } from '../../api/event-reasons.ts';
import { createCertificateRequest } from '../../crypto/certificate-request.ts';
import { type ReadAnswer, readIssuerAnswer } from '../../crypto/issuer-answer.ts';
import { generateKeyPair } from '../../crypto/key-pair.ts';
import { encodePem } from '../../crypto/pem.ts';
import type { CertificateFacts, SecretFacts } from '../../domain/certificate/facts.ts';
import { parseAgentSpiffeId } from '../../domain/certificate/spiffe-id.ts';
import { ISSUER_FINDINGS, type IssuerFinding } from '../../domain/issuance/findings.ts';
import { issuerId, issuerTitle } from '../../domain/issuance/issuer.ts';
import { usableFromMs, verifyAnswer } from '../../domain/issuance/verify.ts';
import type { LedgerLine } from '../../domain/ledger/ledger-line.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type Key, keyOf } from '../../kube/object.ts';
import type { Attempts } from '../identity/attempts.ts';
import type { LedgerCommit } from '../identity/leaf-supply.ts';
import type { IssuerProblem, LeafAnswer, LeafAsk } from './answer.ts';
import type { IssuanceView } from './issuance-view.ts';
import type { IssuerBook } from './issuer-book.ts';
import { CERTIFICATE_REQUEST, type CertificateRequest } from './kinds.ts';
import { type RequestRecord, requestObject, requestRecord } from './request-object.ts';
import type { Asked, Issued, Stage, Stages } from './stages.ts';

/** What the desk works with. */
export interface DeskPorts {
  readonly view: Pick<IssuanceView, 'request' | 'observe'>;
  readonly book: Pick<IssuerBook, 'casOf' | 'learn'>;
  /** Its writes need the Lease. */
  readonly client: Pick<KubeClient, 'create' | 'find'>;
  readonly ledger: LedgerCommit;
  readonly attempts: Attempts;
  readonly stages: Stages;
  readonly operatorNamespace: string;
  /** By how much the time is shortened that a new CA takes to every pod. */
  readonly acceleration: number;
  readonly nowMs: () => number;
  /** Tells people about an identity. */
  readonly tell: (ask: LeafAsk, event: { readonly reason: EventReason; readonly note: string }) => void;
}

/** A person may have to approve a request; after this another one is made, with another key. */
const PATIENCE_MS = 3_600_000;
/** A leaf that could not be written into its Secret is tried again so long. */
const MAX_AGE_MS = 20 * 60_000;
const RECHECK_MS = 30_000;

/** One for all issuers. */
export class IssuanceDesk {
  readonly #ports: DeskPorts;

  constructor(ports: DeskPorts) {
    this.#ports = ports;
  }

  /** Goes on with one leaf. @throws KubeError, and what the ledger throws: the next call goes on from there. */
  async leafFor(ask: LeafAsk, signal: AbortSignal): Promise<LeafAnswer> {
    const stage = this.#stageOf(ask);
    if (stage?.kind === 'refused') return stage.answer;
    if (stage?.kind === 'issued') return this.#hand(ask, stage);
    return this.#follow(ask, stage ?? (await this.#prepare(ask)), signal);
  }

  /** Forgets the key, and the request with it. */
  forget(key: Key): void {
    this.#ports.stages.delete(key);
    this.#ports.attempts.forget(key);
  }

  /** The stage that is still good for what is wanted. */
  #stageOf(ask: LeafAsk): Stage | undefined {
    const { stages, nowMs } = this.#ports;
    const stage = stages.get(ask.key);
    if (stage === undefined || isStill(stage, ask, nowMs())) return stage;
    stages.delete(ask.key);
    return undefined;
  }

  async #prepare(ask: LeafAsk): Promise<Asked> {
    const { stages, operatorNamespace, nowMs } = this.#ports;
    const { wish, issuer } = ask;
    const keyPair = await generateKeyPair(wish.profile.key);
    const csrDer = createCertificateRequest(wish.profile, keyPair);
    const askedAtMs = nowMs();
    const request = requestObject({ wish, issuer, csrDer, operatorNamespace, nowMs: askedAtMs });
    const asked: Asked = { kind: 'asked', fits: fitsOf(ask), keyPair, request, askedAtMs, isSent: false };
    // Before it is sent: what nobody waits for is deleted.
    stages.set(ask.key, asked);
    return asked;
  }

  async #follow(ask: LeafAsk, asked: Asked, signal: AbortSignal): Promise<LeafAnswer> {
    if (!asked.isSent) await this.#send(asked, signal);
    const record = await this.#recordOf(asked, signal);
    const name = keyOf(asked.request.metadata);
    const title = issuerTitle(ask.issuer);
    if (record === undefined) {
      const message = `CertificateRequest ${name} was deleted before ${title} had answered. Another follows by itself.`;
      return this.#fail(ask, { reason: 'IssueFailed', message });
    }
    switch (record.state.kind) {
      case 'waiting': {
        const missing = record.state.isApproved ? `${title} to sign it` : 'somebody to approve it';
        const message = `CertificateRequest ${name} waits for ${missing}.`;
        return { kind: 'waiting', message, recheckAtMs: this.#ports.nowMs() + RECHECK_MS };
      }
      case 'denied': {
        const { by } = record.state;
        const message = `cert-manager says ${by} of the request to ${title}. Change what it refuses; the next request follows an edit of spec.certificate or of annotation agenttrust.dev/renew-before.`;
        return this.#end(ask, { reason: 'IssuerDenied', message });
      }
      case 'failed': {
        const message = `${title} says Failed of the request. It is tried again by itself; the issuer's own status and log say why.`;
        return this.#fail(ask, { reason: 'IssueFailed', message });
      }
      case 'answered':
        return this.#take(ask, { asked, record }, signal);
    }
  }

  async #send(asked: Asked, signal: AbortSignal): Promise<void> {
    const { client, view } = this.#ports;
    try {
      view.observe(await client.create<CertificateRequest>(CERTIFICATE_REQUEST, asked.request, { signal }));
    } catch (error) {
      // An earlier answer was lost: the name follows from the key, so it is this request.
      if (!isKubeError(error, 'KUBE_ALREADY_EXISTS')) throw error;
    }
    asked.isSent = true;
  }

  /** That a request is not there is believed to the server alone. */
  async #recordOf({ request }: Asked, signal: AbortSignal): Promise<RequestRecord | undefined> {
    const { client, view } = this.#ports;
    const { name, namespace } = request.metadata;
    const cached = view.request(name);
    if (cached !== undefined) return cached;
    const found = await client.find<CertificateRequest>(CERTIFICATE_REQUEST, { namespace, name }, { signal });
    return found && requestRecord(found);
  }

  async #take(
    ask: LeafAsk,
    { asked, record }: { readonly asked: Asked; readonly record: RequestRecord },
    signal: AbortSignal,
  ): Promise<LeafAnswer> {
    const { book, ledger, stages, nowMs } = this.#ports;
    const known = book.casOf(ask.issuer).map(({ certificate }) => certificate);
    const answer = readIssuerAnswer({ ...record, spkiDer: asked.keyPair.spkiDer, known });
    const findings = verifyAnswer(ask.wish, answer.facts, nowMs());
    const { leaf } = answer.facts;
    const { anchor } = answer;
    if (findings.length > 0 || leaf.kind === 'problem' || anchor === undefined)
      return this.#fail(ask, refusalOf(ask, findings, answer));
    const isNew = await book.learn(ask.issuer, anchor, signal);
    if (isNew) this.#tellLearned(ask, anchor.id);
    // Two first answers at once, of two CAs: one was trusted.
    if (!book.casOf(ask.issuer).some(({ certificate }) => certificate.id === anchor.id))
      return this.#fail(ask, refusalOf(ask, ['NotSignedByCA'], answer));
    await ledger.commit(ledgerLine(ask, leaf, anchor.id));
    const issued: Issued = {
      kind: 'issued',
      fits: asked.fits,
      leaf: {
        certificatePem: answer.chainPem,
        privateKeyPem: encodePem('PRIVATE KEY', asked.keyPair.pkcs8Der),
        serialHex: leaf.serialHex,
        notBeforeMs: leaf.notBeforeMs,
        notAfterMs: leaf.notAfterMs,
      },
      anchor,
      issuedAtMs: nowMs(),
    };
    stages.set(ask.key, issued);
    this.#ports.attempts.succeeded(ask.key);
    // What is written with it must have the CA in it, and what this round knows has not.
    const message = `The CA of ${issuerTitle(ask.issuer)} joins the trust bundles.`;
    return isNew ? { kind: 'waiting', message, recheckAtMs: nowMs() } : this.#hand(ask, issued);
  }

  /** A leaf that works is not replaced by one whose CA some pods may not have yet. */
  #hand(ask: LeafAsk, { leaf, anchor }: Issued): LeafAnswer {
    const { book, nowMs } = this.#ports;
    const ca = book.casOf(ask.issuer).find(({ certificate }) => certificate.id === anchor.id);
    const usableMs = ca === undefined ? 0 : usableFromMs(ca.sinceMs, this.#ports.acceleration);
    if (nowMs() >= usableMs || !worksWithout(anchor.id, ask.observed, nowMs())) return { kind: 'leaf', leaf };
    const from = new Date(usableMs).toISOString().replace(/\.\d{3}Z/, 'Z');
    const message = `The certificate of ${issuerTitle(ask.issuer)} is there and takes the place of the present one at ${from}, when every pod has its CA.`;
    return { kind: 'waiting', message, recheckAtMs: usableMs };
  }

  #fail(ask: LeafAsk, problem: IssuerProblem): LeafAnswer {
    const { attempts, nowMs } = this.#ports;
    const leaf = ask.observed?.content.certificate;
    const { failure, retryAtMs } = attempts.failed(ask.key, {
      nowMs: nowMs(),
      generation: ask.identity.metadata.generation,
      notAfterMs: leaf?.kind === 'certificate' ? leaf.notAfterMs : undefined,
    });
    return this.#refuse(ask, { kind: 'refused', ...problem, failure, retryAtMs });
  }

  #end(ask: LeafAsk, problem: IssuerProblem): LeafAnswer {
    return this.#refuse(ask, { kind: 'refused', ...problem, failure: undefined, retryAtMs: undefined });
  }

  #refuse(ask: LeafAsk, answer: Extract<LeafAnswer, { kind: 'refused' }>): LeafAnswer {
    const { generation } = ask.identity.metadata;
    this.#ports.stages.set(ask.key, { kind: 'refused', fits: fitsOf(ask), generation, answer });
    return answer;
  }

  #tellLearned(ask: LeafAsk, id: string): void {
    const note = `Took CA ${id} of ${issuerTitle(ask.issuer)} from its first good answer; every bundle carries it from now on. List it (certManager.issuers[].ca) so that it is not left to chance`;
    this.#ports.tell(ask, { reason: 'IssuerTrusted', note });
  }
}

/** Equal for two asks that the same leaf fulfils. */
function fitsOf({ wish, issuer }: LeafAsk): string {
  const { identityUid, profile, refuseLeafsBeforeMs = 0, renewLeafsBeforeMs = 0 } = wish;
  return JSON.stringify([identityUid, profile, issuerId(issuer), refuseLeafsBeforeMs, renewLeafsBeforeMs]);
}

function isStill(stage: Stage, ask: LeafAsk, nowMs: number): boolean {
  if (stage.fits !== fitsOf(ask)) return false;
  switch (stage.kind) {
    case 'asked':
      return nowMs >= stage.askedAtMs && nowMs <= stage.askedAtMs + PATIENCE_MS;
    case 'issued':
      return nowMs >= stage.issuedAtMs && nowMs <= stage.issuedAtMs + MAX_AGE_MS;
    case 'refused': {
      const { retryAtMs } = stage.answer;
      return (
        stage.generation === ask.identity.metadata.generation &&
        (retryAtMs === undefined || nowMs < retryAtMs)
      );
    }
  }
}

/** Whether the Secret holds a leaf that is good without this CA. */
function worksWithout(anchorId: string, observed: SecretFacts | undefined, nowMs: number): boolean {
  const leaf = observed?.content.certificate;
  if (observed?.content.keyMatches !== true || leaf?.kind !== 'certificate') return false;
  return leaf.authorityId !== undefined && leaf.authorityId !== anchorId && leaf.notAfterMs > nowMs;
}

function refusalOf(
  { issuer }: LeafAsk,
  findings: readonly IssuerFinding[],
  { facts: { leaf, anchor } }: ReadAnswer,
): IssuerProblem {
  const [first = 'AnswerUnreadable'] = findings;
  const details = [
    ...(leaf.kind === 'problem' ? [`status.certificate ${leaf.problem}`] : []),
    ...(leaf.kind !== 'problem' && anchor.kind === 'problem' ? [anchor.message] : []),
  ];
  const what = details.length === 0 ? '' : ` (${details.join('; ')})`;
  const isAboutCA = findings.length === 1 && (first === 'CAMissing' || first === 'CAUnusable');
  const message = `What ${issuerTitle(issuer)} returned is not used: ${findings.join(', ')}${what}. ${ISSUER_FINDINGS[first].wayOut} Another request follows by itself.`;
  return { reason: isAboutCA ? 'IssuerCAUnknown' : 'IssuerAnswerRefused', message };
}

function ledgerLine({ wish }: LeafAsk, leaf: CertificateFacts, generation: string): LedgerLine {
  const agent = parseAgentSpiffeId(wish.profile.spiffeId);
  if (agent === undefined) throw new TypeError('the profile has no SPIFFE ID of an agent');
  const { namespace, serviceAccountName } = agent;
  const { serialHex, notAfterMs } = leaf;
  return { identityUid: wish.identityUid, namespace, serviceAccountName, serialHex, notAfterMs, generation };
}
