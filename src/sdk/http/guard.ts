/** Whether a request that an agent gets may reach its application. What is not known to be allowed is not. */

import { hash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { type RefusalName, refuse } from '../../domain/token/refusal.ts';
import type { ServerPolicy } from '../../domain/token/state/server-policy.ts';
import type { TokenRefusal } from '../../domain/token/verify/examine.ts';
import { readPresentation, type TokenFields } from '../../domain/token/verify/presentation.ts';
import type { AskedNow, Peer, TokenRequest } from '../../domain/token/verify/verifier.ts';
import type { Accepted } from '../../domain/token/verify/verify.ts';
import { peerFromXfcc } from '../../domain/token/verify/xfcc.ts';
import { answerRefusal, type RefusalAnswer } from '../../domain/token/wire/refusal-answer.ts';
import { findRoute, rawPathOf } from '../../domain/token/wire/route-table.ts';
import type { AgentClient } from './agent-client.ts';
import type { AgentCore, ParentToken } from './agent-core.ts';
import { schemeOf } from './answers.ts';
import { type ErrorListener, isCallerGone, reportError } from './application-error.ts';
import { type Delegation, unverifiedDelegation, verifiedDelegation } from './delegation.ts';
import { tlsPeerOf } from './peer-certificate.ts';
import { RefusalCounts } from './refusal-counts.ts';

/**
 * Who says who the peer is. `tls`: our own TLS, without anything between. `xfcc`: the pod's sidecar, which has ended TLS;
 * only where nobody but the sidecar reaches the port from a loopback address. `none`: nobody, as in ambient mode; then only
 * tokens that are bound to a key are accepted.
 */
export type PeerSource = 'tls' | 'xfcc' | 'none';

/** Everything has a default. */
export interface GuardOptions {
  /** Default `tls`. */
  readonly peer?: PeerSource;
  /** Paths that anybody may `GET` without a token, exactly as they are received. Default none. */
  readonly publicPaths?: readonly string[];
  /** Told of every refusal; where refusals are only recorded, `isDryRun` is true. */
  readonly onRefusal?: (refusal: TokenRefusal, at: { readonly isDryRun: boolean }) => void;
  readonly counts?: RefusalCounts;
  /**
   * Told of what the application throws, beside a `Refused`, and of what `onRefusal` throws: the caller gets a 500 that says
   * nothing of it; there is no request where a connection is refused. Default: a warning of the process.
   */
  readonly onError?: ErrorListener;
}

/** What becomes of a request. */
export type Checked =
  | { readonly kind: 'call'; readonly delegation: Delegation }
  | { readonly kind: 'refused'; readonly answer: RefusalAnswer }
  | { readonly kind: 'unknown_route' };

/** These are refused even where refusals are only recorded. */
const ALWAYS_ENFORCED: ReadonlySet<RefusalName> = new Set(['suspended', 'revoked']);

const NO_TOKEN = refuse('malformed', 'The request has no Authorization field.');
const UNKNOWN_ROUTE = refuse('not_delegable', 'No route of the agent is like this.');
const SUSPENDED = refuse('suspended', 'The peer is cut off, or its certificate revoked.');

/** What is wrong with a request, or what to verify of it. */
type Wanted =
  | TokenRefusal
  | { readonly kind: 'unknown_route' }
  | { readonly kind: 'verify'; readonly path: string; readonly asked: AskedNow | undefined };

/** The guard of one agent. */
export class Guard {
  readonly #core: AgentCore;
  readonly #client: AgentClient;
  readonly #options: GuardOptions;
  readonly #counts: RefusalCounts;

  constructor(core: AgentCore, client: AgentClient, options: GuardOptions = {}) {
    this.#core = core;
    this.#client = client;
    this.#options = options;
    this.#counts = options.counts ?? new RefusalCounts();
  }

  /** Decides about a request, and uses its token. Errors: what `onRefusal` throws. */
  async check(request: IncomingMessage): Promise<Checked> {
    if (this.#isPublic(request)) return { kind: 'call', delegation: unverifiedDelegation(NO_TOKEN, true) };
    const fields = tokenFieldsOf(request);
    const wanted = this.#wanted(request);
    if (wanted.kind === 'unknown_route' && !this.#isDryRun) return wanted;
    const verified =
      wanted.kind === 'verify'
        ? await this.#core.verify(this.#tokenRequest(request, fields, wanted))
        : refusalOf(wanted);
    return verified.kind === 'refused' ? this.#refused(verified, request) : this.#accepted(verified, fields);
  }

  /** Records a refusal. Returns whether it is enforced. Errors: what `onRefusal` throws; what it rejects with is reported. */
  record(refusal: TokenRefusal): boolean {
    const isDryRun = this.#isDryRun && !ALWAYS_ENFORCED.has(refusal.name);
    this.#counts.add(refusal.name, isDryRun);
    const told: unknown = this.#options.onRefusal?.(refusal, { isDryRun });
    // Nobody waits for it, and nobody else would take what it fails with.
    if (told instanceof Promise) told.catch((error: unknown) => this.report(error));
    return !isDryRun;
  }

  /** Tells of an error for which the caller gets a 500 or no connection, unless it is the caller that has left. Errors: none. */
  report(error: unknown, request?: IncomingMessage): void {
    if (request !== undefined && isCallerGone(error, request)) return;
    void reportError(error, request, this.#options.onError);
  }

  /**
   * Whether a connection may go on once its handshake has shown the certificate of the peer; one that is revoked may not.
   * Errors: what `onRefusal` throws.
   */
  admits(socket: TLSSocket): boolean {
    const peer = tlsPeerOf(socket, this.#core.current);
    if (peer.kind !== 'tls' || !peer.certificate.isRevoked) return true;
    this.record(SUSPENDED);
    return false;
  }

  get #isDryRun(): boolean {
    return serverOf(this.#core)?.enforcement === 'DryRun';
  }

  #isPublic(request: IncomingMessage): boolean {
    const { publicPaths = [] } = this.#options;
    return request.method === 'GET' && publicPaths.includes(targetOf(request).split('?', 1)[0] ?? '');
  }

  #isCutOff(peer: Peer): boolean {
    const { bundle } = this.#core.current;
    if (peer.kind === 'tls' && peer.certificate.isRevoked) return true;
    return 'spiffeId' in peer && (bundle?.state.revocations.isSuspended(peer.spiffeId) ?? false);
  }

  #wanted(request: IncomingMessage): Wanted {
    const { method = '' } = request;
    const server = serverOf(this.#core);
    if (server === undefined)
      return refuse('stale_state', 'The verifier has no bundle that knows its agent.');
    const path = rawPathOf(targetOf(request));
    if (path === undefined) return refuse('malformed', 'The path can be read in more than one way.');
    const found = findRoute(server.routes, { method, path });
    if (found === undefined) return { kind: 'unknown_route' };
    if (found.kind === 'refused') return found;
    if (found.route.accepts === 'Access') return refuse('wrong_type', 'Access tokens are not taken here.');
    return { kind: 'verify', path, asked: found.asked };
  }

  #tokenRequest(
    request: IncomingMessage,
    fields: TokenFields,
    { path, asked }: Extract<Wanted, { kind: 'verify' }>,
  ): TokenRequest {
    const { method = '', headers } = request;
    const key = String(headers['idempotency-key'] ?? '');
    const length = headers['content-length'] ?? '';
    return {
      fields,
      method,
      path,
      peer: this.#peerOf(request),
      ...(asked === undefined ? {} : { asked }),
      attemptId: randomUUID(),
      fingerprint: hash('sha256', [method, targetOf(request), key, length].join('\n'), 'base64url'),
    };
  }

  #peerOf({ socket, headersDistinct }: IncomingMessage): Peer {
    switch (this.#options.peer ?? 'tls') {
      case 'tls':
        return socket instanceof TLSSocket ? tlsPeerOf(socket, this.#core.current) : { kind: 'untrusted' };
      case 'xfcc':
        return peerFromXfcc(headersDistinct['x-forwarded-client-cert'] ?? [], socket.remoteAddress ?? '');
      case 'none':
        return { kind: 'none' };
    }
  }

  #refused(first: TokenRefusal, request: IncomingMessage): Checked {
    // Where other refusals are only recorded, an earlier one must not hide the one that counts.
    const isCutOff = this.#isDryRun && this.#isCutOff(this.#peerOf(request));
    const refusal = isCutOff ? SUSPENDED : first;
    if (!this.record(refusal)) return { kind: 'call', delegation: unverifiedDelegation(refusal, false) };
    return { kind: 'refused', answer: answerRefusal(refusal, schemeOf(request)) };
  }

  #accepted(accepted: Accepted, fields: TokenFields): Checked {
    const context = {
      core: this.#core,
      client: this.#client,
      record: (refusal: TokenRefusal) => this.record(refusal),
    };
    return { kind: 'call', delegation: verifiedDelegation(parentOf(accepted, fields), context) };
  }
}

/** As it was received: Connect and Express take the prefix that they are mounted under away from `url`. */
function targetOf({ originalUrl, url = '' }: IncomingMessage & { readonly originalUrl?: string }): string {
  return originalUrl ?? url;
}

function refusalOf(wanted: Exclude<Wanted, { kind: 'verify' }>): TokenRefusal {
  return wanted.kind === 'refused' ? wanted : UNKNOWN_ROUTE;
}

function serverOf({ current: { identity, bundle } }: AgentCore): ServerPolicy | undefined {
  return bundle?.policy.agents.get(identity)?.server;
}

function tokenFieldsOf({ headersDistinct }: IncomingMessage): TokenFields {
  return {
    authorization: headersDistinct['authorization'] ?? [],
    dpop: headersDistinct['dpop'] ?? [],
    delegationChain: headersDistinct['agent-delegation-chain'] ?? [],
  };
}

function parentOf(accepted: Accepted, fields: TokenFields): ParentToken {
  const presentation = readPresentation(fields);
  // What was verified was presented in these fields.
  if (presentation.kind === 'refused') throw new TypeError('an accepted token was not presented');
  return { accepted, token: presentation.leaf, chain: presentation.parents };
}
