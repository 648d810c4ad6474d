/** What the negative cases are made with: each changes one thing of the worked example, which is then signed again. */

import { createHmac } from 'node:crypto';
import { derSignature } from '../../../../../src/crypto/jose/ecdsa-signature.ts';
import type { Signer } from '../../../../../src/crypto/jose/signer.ts';
import type { RefusalName } from '../../../../../src/domain/token/refusal.ts';
import type { ReplayStore } from '../../../../../src/domain/token/replay/replay-store.ts';
import type { TokenRequest } from '../../../../../src/domain/token/verify/verifier.ts';
import {
  B,
  BUNDLE,
  type Bundle,
  type Change,
  type Changes,
  claims,
  type Draft,
  draft,
  fields,
  header,
  type Json,
  LEAF_CLAIMS,
  newSigner,
  POLICY,
  REVOCATIONS,
  ROOT_CLAIMS,
  request,
  type Story,
  seal,
  signerOf,
  T0,
} from '../../../../support/token/scene.ts';

/** One row of the table. */
export interface NegativeCase {
  readonly row: string;
  readonly what: string;
  readonly outcome: RefusalName | 'accepted';
  readonly changes?: Changes;
  readonly story?: Story;
  readonly bundle?: Bundle;
  readonly nowSeconds?: number;
  readonly store?: ReplayStore;
  /** Requests that are accepted before. */
  readonly before?: readonly TokenRequest[];
}

export const policy = (change: (edges: Json[], agents: Json) => void): Bundle => {
  const changed = structuredClone(POLICY);
  change(changed['edges'] as Json[], changed['agents'] as Json);
  return { ...BUNDLE, policy: changed };
};
export const revocations = (changes: Json): Bundle => ({
  ...BUNDLE,
  revocations: { ...REVOCATIONS, ...changes },
});
export const keys = (change: (issuers: Record<string, { keys: Json[] }>) => void): Bundle => {
  const changed = structuredClone(BUNDLE.jwks);
  change(changed['issuers'] as Record<string, { keys: Json[] }>);
  return { ...BUNDLE, jwks: changed };
};
export const withoutEdge = (from: string): Bundle =>
  policy((edges) =>
    edges.splice(
      edges.findIndex((edge) => edge['from'] === from),
      1,
    ),
  );

/** Signed by somebody else than the claims and the header say. */
export const signedBy =
  (issuer: string) =>
  (made: Draft): Draft => ({ ...made, signer: signerOf(issuer) });
/** Signed by somebody else, who says so in the header. */
export const signedOpenlyBy =
  (issuer: string) =>
  (made: Draft): Draft =>
    header({ kid: signerOf(issuer).kid })(signedBy(issuer)(made));
/** Everything that makes a root of the leaf. */
export const ROOT_OF_B: Change<Draft> = claims({ sub: B, act: undefined, del_depth: 1, par_hash: undefined });
export const noChain: Changes = { request: fields({ delegationChain: [] }) };

const resign = (compact: string, signature: Buffer, head?: Json): string => {
  const [first = '', second = ''] = compact.split('.');
  const header = head === undefined ? first : Buffer.from(JSON.stringify(head)).toString('base64url');
  return `${header}.${second}.${signature.toString('base64url')}`;
};
export const payloadText = (change: (text: string) => string) => (compact: string) => {
  const [first = '', second = ''] = compact.split('.');
  const changed = change(Buffer.from(second, 'base64url').toString());
  const input = `${first}.${Buffer.from(changed).toString('base64url')}`;
  return `${input}.${signerOf(B).sign(input)}`;
};
export const flipBit = (compact: string): string => {
  const [first, second = '', third] = compact.split('.');
  const octets = Buffer.from(second, 'base64url');
  const digit = octets.indexOf(String(LEAF_CLAIMS['jti'])) + 1;
  octets[digit] = (octets[digit] ?? 0) ^ 1;
  return `${first}.${octets.toString('base64url')}.${third}`;
};
export const inDer = (compact: string): string => {
  const raw = Buffer.from(compact.slice(compact.lastIndexOf('.') + 1), 'base64url');
  return resign(compact, derSignature(raw) ?? raw);
};
export const hmacWithPublicKey = (compact: string): string => {
  const head = { typ: 'agent-capability+jwt', alg: 'HS256', kid: signerOf(B).kid };
  const input = resign(compact, Buffer.alloc(0), head).slice(0, -1);
  const mac = createHmac('sha256', JSON.stringify(signerOf(B).publicJwk))
    .update(input)
    .digest('base64url');
  return `${input}.${mac}`;
};
export const unsigned = (compact: string): string =>
  resign(compact, Buffer.alloc(0), { typ: 'agent-capability+jwt', alg: 'none', kid: signerOf(B).kid });

export const STRANGERS_KEY: Signer = newSigner();
export const failing: ReplayStore = { consume: () => Promise.reject(new Error('down')) };
export const secondChild = (digit: string): TokenRequest =>
  request({
    leaf: claims({ jti: `01a1f866-1ca0-7c91-a652-a8efbf27055${digit}` }),
    request: () => ({ attemptId: digit }),
  });
export const again: Changes = { request: () => ({ attemptId: 'attempt-2' }) };
export const newProof: Changes = { proof: claims({ jti: 'another' }) };
export const strangersProof = (made: Draft): Draft => ({
  ...header({ jwk: STRANGERS_KEY.publicJwk })(made),
  signer: STRANGERS_KEY,
});
export const revoked = (selectors: Json): Bundle =>
  revocations({ revocations: [{ ...selectors, until: T0 + 3600 }] });
export const asParent = (change: (made: Draft) => Draft): string => seal(change(draft(ROOT_CLAIMS)));
