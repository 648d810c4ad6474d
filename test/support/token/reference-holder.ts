/** Who holds a token, for the slow reference: step 12. */

import { hash } from 'node:crypto';
import type { TokenRequest } from '../../../src/domain/token/verify/verifier.ts';
import type { Json } from './reference-form.ts';
import {
  canonical,
  type Hop,
  isSignedBy,
  jsonObject,
  type Link,
  must,
  strictBase64url,
  type Where,
} from './reference-rules.ts';

/** What a request says of its sender. */
export interface Held extends Pick<TokenRequest, 'method' | 'path' | 'peer'> {
  readonly scheme: string;
  readonly proof: string | undefined;
}

/** Both locks: step 12. */
export function checkHolder({ compact, claims }: Link, hops: readonly Hop[], held: Held, where: Where): void {
  const { peer, scheme, proof } = held;
  const last = hops.at(-1);
  const edges = where.bundle.policy['edges'] as readonly Json[];
  const edge = edges.find(({ from, to }) => from === last?.from && to === last?.to);
  const cnf = (claims['cnf'] ?? {}) as Json;
  must(edge?.['binding'] === ('jkt' in cnf ? 'Key' : 'x5t#S256' in cnf ? 'Certificate' : 'nothing'));
  must(peer.kind !== 'untrusted' && (peer.kind === 'none' || peer.spiffeId === claims['client_id']));
  must(peer.kind !== 'tls' || where.nowSeconds < peer.certificate.notAfterSeconds);
  must(scheme.toLowerCase() === ('jkt' in cnf ? 'dpop' : 'bearer'));
  if ('jkt' in cnf) {
    checkProof(
      proof ?? '',
      { compact, jkt: cnf['jkt'], presenter: String(claims['client_id']) },
      held,
      where,
    );
    return;
  }
  must(peer.kind === 'tls' && !peer.certificate.isRevoked && peer.certificate.thumbprint === cnf['x5t#S256']);
  must(Number(claims['exp']) <= peer.certificate.notAfterSeconds);
}

function checkProof(
  proof: string,
  {
    compact,
    jkt,
    presenter,
  }: { readonly compact: string; readonly jkt: unknown; readonly presenter: string },
  { method, path }: Held,
  { bundle, nowSeconds, host }: Where,
): void {
  const [head = '', body = '', tail = '', ...more] = proof.split('.');
  must(more.length === 0);
  const [header, claims] = [jsonObject(strictBase64url(head)), jsonObject(strictBase64url(body))];
  must(Object.keys(header).sort().join() === 'alg,jwk,typ' && header['typ'] === 'dpop+jwt');
  must(Object.keys(claims).sort().join() === 'ath,htm,htu,iat,jti');
  const key = (bundle.jwks['issuers'] as Record<string, { keys: Json[] }>)[presenter]?.keys.find(
    ({ kid }) => kid === jkt,
  );
  const { kty, crv, x, y } = key ?? {};
  must(
    key !== undefined &&
      canonical(header['jwk']) === canonical({ kty, crv, x, y }) &&
      header['alg'] === key['alg'],
  );
  const iat = Number(claims['iat']);
  must(iat >= Number(key['since']) && iat <= Number(key['until'] ?? Number.POSITIVE_INFINITY));
  must(Number.isSafeInteger(claims['iat']) && iat >= nowSeconds - 60 && iat <= nowSeconds + 30);
  must(claims['htm'] === method && typeof claims['jti'] === 'string' && /^[ -~]{1,255}$/.test(claims['jti']));
  const htu = String(claims['htu']).replace(/^[^/]*\/\/[^/]*/, (origin) => origin.toLowerCase());
  must([`http://${host}${path}`, `https://${host}${path}`].includes(htu));
  must(claims['ath'] === hash('sha256', compact, 'base64url'));
  must(isSignedBy(`${head}.${body}`, strictBase64url(tail), key));
}
