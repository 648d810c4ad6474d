/** A token as the request that it comes with, without any connection. */

import { hash, randomUUID, X509Certificate } from 'node:crypto';
import type { Peer, TokenRequest } from '../../../src/domain/token/verify/verifier.ts';
import type { DelegatedToken } from '../../../src/sdk/delegate.ts';
import type { LocalSwarm } from './agent-folder.ts';

/** What the request is, beside what every one of them has. */
export interface Presenting extends Partial<Pick<TokenRequest, 'peer' | 'asked' | 'method' | 'path'>> {
  /** Of the URL; default the audience of the worked example that takes proofs. */
  readonly host?: string;
  /** Whose proof and scheme the request has; default those of the token itself. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Puts the request together; a peer that nobody names is the one that TLS cannot show. */
export function presented(token: DelegatedToken, presenting: Presenting = {}): TokenRequest {
  const { peer = { kind: 'none' }, asked, method = 'POST', path = '/mcp' } = presenting;
  const url = `https://${presenting.host ?? 'agent-validator.ai-agents.svc:8443'}${path}`;
  const headers = presenting.headers ?? token.headersFor(method, url);
  const linesOf = (name: string): readonly string[] => (headers[name] === undefined ? [] : [headers[name]]);
  return {
    fields: {
      authorization: linesOf('authorization'),
      dpop: linesOf('dpop'),
      delegationChain: linesOf('agent-delegation-chain'),
    },
    method,
    path,
    peer,
    ...(asked === undefined ? {} : { asked }),
    attemptId: randomUUID(),
    fingerprint: 'one request',
  };
}

/** The peer that TLS shows when an agent connects with its certificate of this moment. */
export function tlsPeer(swarm: LocalSwarm, name: string): Peer {
  const certificate = new X509Certificate(swarm.certificate(name).cert);
  return {
    kind: 'tls',
    spiffeId: swarm.id(name),
    certificate: {
      thumbprint: hash('sha256', certificate.raw, 'base64url'),
      notAfterSeconds: Math.floor(Date.parse(certificate.validTo) / 1000),
      isRevoked: false,
    },
  };
}
