/** Step 12, lock 1 of a token bound to a key: the proof that whoever sends this request has the key; RFC 9449. */

import { Fault, integer, object, oneOf, type Shape, text } from '../../json/shape.ts';
import { CLOCK_SKEW_SECONDS, type TokenAlgorithm } from '../claims.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { type PublicJwk, publicJwk } from '../state/jwks-file.ts';
import type { VerifyingKey } from '../state/verifier-state.ts';
import { isDigest, isPrintable } from '../text-forms.ts';
import { type DecodedJws, jsonObject, type Token, type TokenCrypto } from '../token.ts';
import type { Judging, TokenRequest } from './verifier.ts';

/** Header `typ`; RFC 9449 section 4.2. */
const PROOF_TYPE = 'dpop+jwt';

/** How old a proof may be. */
const PROOF_AGE_SECONDS = 60;

/** A proof that holds. */
export interface Proof {
  readonly kind: 'proof';
  readonly jti: string;
}

interface ProofHeader {
  readonly typ: typeof PROOF_TYPE;
  readonly alg: TokenAlgorithm;
  readonly jwk: PublicJwk;
}

/** Claims of a proof with a token; RFC 9449 section 4.2. */
export interface ProofClaims {
  readonly htm: string;
  readonly htu: string;
  readonly iat: number;
  readonly jti: string;
  readonly ath: string;
}

const header: Shape<ProofHeader> = object<ProofHeader>({
  typ: oneOf(PROOF_TYPE),
  alg: oneOf('ES256', 'Ed25519'),
  jwk: publicJwk,
});

const claims: Shape<ProofClaims> = object<ProofClaims>({
  htm: text(isPrintable),
  htu: text((url) => url.length <= 2048),
  iat: integer(0, Number.MAX_SAFE_INTEGER),
  jti: text(isPrintable),
  ath: text(isDigest),
});

const HTU = /^(https?):\/\/([^/?#@]+)(\/[^?#]*)?$/i;
const DEFAULT_PORT = { http: /:80$/, https: /:443$/ } as const;

/**
 * Checks a proof in the order of RFC 9449 section 4.3. Its key is not the one in its header but the one that the presenter
 * has published under `cnf.jkt`; the header has to show the same.
 *
 * @returns The proof, or `proof_invalid`. Errors: none.
 */
export function checkProof(
  token: Token,
  compact: string | undefined,
  { request, judging }: { readonly request: TokenRequest; readonly judging: Judging },
): Proof | Refusal {
  if (compact === undefined) return invalid('There is no proof.');
  const read = readProof(compact, judging.verifier.crypto);
  if (read === undefined) return invalid('The proof is not of its form.');
  const { iat, jti, ath } = read.claims;
  const key = judging.state.issuers.get(token.claims.client_id)?.get(token.claims.cnf?.jkt ?? '');
  if (key === undefined || iat < key.since || iat > key.until)
    return invalid('The presenter has not published the key that the token is bound to.');
  if (!isKeyOf(read, key)) return invalid('The proof is not by the key that the token is bound to.');
  if (!isForRequest(read.claims, request, judging)) return invalid('The proof is for another request.');
  if (iat < judging.nowSeconds - PROOF_AGE_SECONDS || iat > judging.nowSeconds + CLOCK_SKEW_SECONDS)
    return invalid('The proof is not from now.');
  if (!judging.verifier.crypto.isSame(ath, judging.verifier.crypto.sha256(token.compact)))
    return invalid('The proof is for another token.');
  if (!key.verifies(read.jws.signingInput, read.jws.signature))
    return invalid('The signature of the proof is not that of its key.');
  return { kind: 'proof', jti };
}

interface ReadProof {
  readonly jws: DecodedJws;
  readonly header: ProofHeader;
  readonly claims: ProofClaims;
}

function readProof(compact: string, crypto: TokenCrypto): ReadProof | undefined {
  const jws = crypto.decodeJws(compact);
  const [head, body] = [jws && jsonObject(jws.header), jws && jsonObject(jws.payload)];
  if (jws === undefined || head === undefined || body === undefined) return undefined;
  const [readHeader, readBody] = [header(head), claims(body)];
  if (readHeader instanceof Fault || readBody instanceof Fault) return undefined;
  return { jws, header: readHeader, claims: readBody };
}

function isKeyOf({ header: { alg, jwk } }: ReadProof, { algorithm, jwk: published }: VerifyingKey): boolean {
  if (alg !== algorithm || jwk.x !== published.x || jwk.kty !== published.kty) return false;
  return jwk.kty !== 'EC' || (published.kty === 'EC' && jwk.y === published.y);
}

/** `htu` names a host of the agent, by either scheme, since a proxy may have ended TLS, and the path as it was received. */
function isForRequest(
  { htm, htu }: ProofClaims,
  { method, path }: TokenRequest,
  { verifier }: Judging,
): boolean {
  const [, scheme = '', authority = '', named = '/'] = HTU.exec(htu) ?? [];
  const port = scheme.toLowerCase() === 'http' ? DEFAULT_PORT.http : DEFAULT_PORT.https;
  return (
    htm === method && named === path && verifier.authorities.has(authority.toLowerCase().replace(port, ''))
  );
}

function invalid(message: string): Refusal {
  return refuse('proof_invalid', message);
}
