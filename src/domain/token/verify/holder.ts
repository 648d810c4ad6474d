/** Step 12: two locks on the presenter. It proves the key that the token is bound to, and it is who the connection says. */

import type { CapabilityClaims } from '../claims.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { Binding } from '../state/policy-file.ts';
import type { Token } from '../token.ts';
import type { Presentation } from './presentation.ts';
import { checkProof, type Proof } from './proof.ts';
import type { Judging, Peer, TokenRequest } from './verifier.ts';

/** What is known of the holder when both locks are open. */
export interface Holder {
  readonly kind: 'holder';
  readonly binding: Binding;
  /** False when only the key spoke for the presenter, because no peer is visible here. */
  readonly isPeerSeen: boolean;
  /** Of a token bound to a key. */
  readonly proof: Proof | undefined;
}

/**
 * Checks who holds the token.
 *
 * @param binding What the edge says; undefined when there is no edge, then the token is held to what it offers itself,
 *   until a later step refuses it.
 * @returns The holder, or `suspended`, which still belongs to step 11, `holder_mismatch`, `proof_invalid`. Errors: none.
 */
export function checkHolder(
  leaf: Token,
  binding: Binding | undefined,
  presented: {
    readonly presentation: Presentation;
    readonly request: TokenRequest;
    readonly judging: Judging;
  },
): Holder | Refusal {
  const { presentation, request, judging } = presented;
  const { claims } = leaf;
  if (isCutOff(request.peer, judging))
    return refuse('suspended', 'The peer is cut off, or its certificate revoked.');
  const offered = claims.cnf?.jkt === undefined ? 'Certificate' : 'Key';
  const wanted = binding ?? offered;
  if (claims.cnf === undefined || offered !== wanted)
    return refuse('holder_mismatch', `A token over this edge is bound by ${wanted}.`, { binding: wanted });
  if ((presentation.scheme === 'DPoP') !== (wanted === 'Key'))
    return refuse('holder_mismatch', 'The scheme of Authorization is not that of the binding.', {
      binding: wanted,
    });
  const mismatch = checkPeer(claims, request.peer, judging.nowSeconds);
  if (mismatch !== undefined) return mismatch;
  const isPeerSeen = request.peer.kind !== 'none';
  if (wanted === 'Certificate')
    return (
      checkCertificate(claims, request.peer, judging) ?? {
        kind: 'holder',
        binding: wanted,
        isPeerSeen,
        proof: undefined,
      }
    );
  const proof = checkProof(leaf, presentation.proof, { request, judging });
  return proof.kind === 'refused' ? proof : { kind: 'holder', binding: wanted, isPeerSeen, proof };
}

function isCutOff(peer: Peer, { state }: Judging): boolean {
  return (
    (peer.kind === 'tls' && peer.certificate.isRevoked) ||
    ('spiffeId' in peer && state.revocations.isSuspended(peer.spiffeId))
  );
}

/** Lock 2. Where no peer is visible there is none. A connection may last longer than the certificate that it began with. */
function checkPeer(
  { client_id: presenter }: CapabilityClaims,
  peer: Peer,
  nowSeconds: number,
): Refusal | undefined {
  if (peer.kind === 'untrusted')
    return refuse('holder_mismatch', 'Who says who the peer is, is not believed.');
  if (peer.kind === 'none') return undefined;
  if (peer.spiffeId !== presenter) return refuse('holder_mismatch', 'The peer is not the presenter.');
  return peer.kind === 'tls' && nowSeconds >= peer.certificate.notAfterSeconds
    ? refuse('holder_mismatch', 'The certificate of the peer has ended.')
    : undefined;
}

/** Lock 1, RFC 8705 section 3. */
function checkCertificate(
  { cnf, exp }: CapabilityClaims,
  peer: Peer,
  { verifier }: Judging,
): Refusal | undefined {
  if (peer.kind !== 'tls')
    return refuse('holder_mismatch', 'No certificate of the presenter is visible here.');
  const { thumbprint, notAfterSeconds } = peer.certificate;
  if (!verifier.crypto.isSame(cnf?.['x5t#S256'] ?? '', thumbprint))
    return refuse('holder_mismatch', 'The token is bound to another certificate.');
  if (exp > notAfterSeconds)
    return refuse('holder_mismatch', 'The token outlives the certificate that it is bound to.');
  return undefined;
}
