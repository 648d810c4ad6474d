/** Ways to change a presented chain, each small: a member, a key, a letter, an order, a field of the request. */

import fc from 'fast-check';
import { derSignature } from '../../../src/crypto/jose/ecdsa-signature.ts';
import type { TokenRequest } from '../../../src/domain/token/verify/verifier.ts';
import { HEADERS, OTHERS, PROOFS, VALUES } from './mutation-values.ts';
import { A, B, C, type Draft, type Json, SERVICE, signerOf, T0, X } from './scene.ts';

/** A chain on its way to the verifier. */
export interface Presented {
  /** Root first; each is sealed with the hash of the one before. */
  readonly drafts: readonly Draft[];
  /** Changes of the JSON text of a payload before it is signed, by the place of its draft. */
  readonly payloadText: ReadonlyMap<number, (text: string) => string>;
  /** Changes of the sealed tokens, by the place of their draft. */
  readonly compact: ReadonlyMap<number, (compact: string) => string>;
  /** Places whose hash is not put in. */
  readonly ownHash: ReadonlySet<number>;
  /** The list of parents, nearest first. */
  readonly parents: (parents: readonly string[]) => readonly string[];
  readonly proof: (draft: Draft) => Draft;
  readonly request: (request: TokenRequest) => TokenRequest;
}

/** One change. */
export type Mutation = (presented: Presented) => Presented;

const place = fc.nat(3);
const change = (values: Readonly<Record<string, readonly unknown[]>>): fc.Arbitrary<Json> =>
  fc
    .constantFrom(...Object.keys(values))
    .chain((name) =>
      fc
        .oneof(
          { weight: 20, arbitrary: fc.constantFrom(...(values[name] ?? [])) },
          { weight: 2, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: fc.constantFrom(...OTHERS) },
        )
        .map((value) => ({ [name]: value })),
    );

function atDraft(at: number, edit: (draft: Draft) => Draft): Mutation {
  return (presented) => ({
    ...presented,
    drafts: presented.drafts.map((draft, index) =>
      index === at % presented.drafts.length ? edit(draft) : draft,
    ),
  });
}

function inMap<K extends 'payloadText' | 'compact'>(
  key: K,
  at: number,
  edit: (text: string) => string,
): Mutation {
  return (presented) => ({
    ...presented,
    [key]: new Map([...presented[key], [at % presented.drafts.length, edit]]),
  });
}

const CLAIM = fc.tuple(place, change(VALUES)).map(
  ([at, claim]): Mutation =>
    (presented) => {
      const changed = atDraft(at, (draft) => ({ ...draft, payload: { ...draft.payload, ...claim } }))(
        presented,
      );
      const isHash = 'par_hash' in claim;
      return isHash
        ? { ...changed, ownHash: new Set([...changed.ownHash, at % changed.drafts.length]) }
        : changed;
    },
);
const HEADER = fc
  .tuple(place, change(HEADERS))
  .map(([at, member]) => atDraft(at, (draft) => ({ ...draft, header: { ...draft.header, ...member } })));
const SIGNER = fc
  .tuple(place, fc.constantFrom(A, B, C, X, SERVICE), fc.boolean())
  .map(([at, issuer, openly]) =>
    atDraft(at, ({ payload, header }) => {
      const signer = signerOf(issuer);
      return { payload, header: openly ? { ...header, kid: signer.kid } : header, signer };
    }),
  );

/** Changes of the JSON text of a payload. */
export const TEXTS: readonly ((text: string) => string)[] = [
  (text) => text.replace('{', '{ '),
  (text) => text.replaceAll(',', ',\n'),
  (text) => `${text} `,
  (text) => text.replace('"aud":', '"aud":"x","aud":'),
  (text) => text.replace(/"exp":(\d+)/, '"exp":$1,"exp":$1'),
  (text) => text.replace(/"exp":(\d+)/, '"exp":$1.0'),
  (text) => text.replace(/"iat":(\d+)/, '"iat":$1e0'),
  (text) => text.replace(/"del_depth":(\d)/, '"del_depth":0$1'),
  (text) => text.replace('"aud"', '"\\u0061ud"'),
  (text) => text.replace('"aud"', '"aud","\\u0061ud"'),
  (text) => text.replace(/"aud":("[^"]*")/, '"aud":$1,"\\u0061ud":$1'),
  (text) => text.replace('/staging/', '/st\\u0061ging/'),
  (text) => text.replace('spiffe:', 'spiffe:\\ud800'),
  (text) => text.replace('}', ',"__proto__":{}}'),
  (text) => text.replace('{', '{"__proto__":{"scope":"x"},'),
  (text) => `[${text}]`,
  (text) => `\ufeff${text}`,
  (text) => text.replace('"jti"', "'jti'"),
  (text) => text.slice(0, -1),
];
const TEXT = fc.tuple(place, fc.constantFrom(...TEXTS)).map(([at, edit]) => inMap('payloadText', at, edit));

const onSignature =
  (edit: (signature: Buffer) => Buffer) =>
  (compact: string): string => {
    const dot = compact.lastIndexOf('.');
    return `${compact.slice(0, dot)}.${edit(Buffer.from(compact.slice(dot + 1), 'base64url')).toString('base64url')}`;
  };
/** The last character of a part has bits that mean nothing. */
const spareBits = (compact: string): string =>
  compact.replace(/[AQgw]$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1));
const COMPACTS: readonly ((compact: string) => string)[] = [
  (compact) => `${compact}=`,
  (compact) => `${compact}.`,
  (compact) => `${compact}.${compact}`,
  (compact) => compact.replace('.', '=.'),
  (compact) => compact.replace('.', '..'),
  (compact) => compact.slice(0, compact.lastIndexOf('.') + 1),
  (compact) => ` ${compact}`,
  (compact) => `${compact}\n`,
  (compact) => compact.replace('-', '+').replace('_', '/'),
  (compact) => compact.toLowerCase(),
  spareBits,
  onSignature((signature) => derSignature(signature) ?? signature),
  onSignature((signature) => signature.subarray(0, 63)),
  onSignature((signature) => Buffer.concat([signature, Buffer.of(0)])),
  onSignature((signature) => signature.fill(0)),
  onSignature((signature) => signature.fill(0, 0, 32)),
  onSignature((signature) => Buffer.concat([signature.subarray(32), signature.subarray(0, 32)])),
];
const COMPACT = fc.oneof(
  fc.tuple(place, fc.constantFrom(...COMPACTS)).map(([at, edit]) => inMap('compact', at, edit)),
  fc.tuple(place, fc.nat(2000), fc.nat(7)).map(([at, octet, bit]) =>
    inMap('compact', at, (compact) => {
      const octets = Buffer.from(compact);
      octets[octet % octets.length] = (octets[octet % octets.length] ?? 0) ^ (1 << bit);
      return octets.toString('latin1');
    }),
  ),
);

const LISTS: readonly ((parents: readonly string[]) => readonly string[])[] = [
  (parents) => parents.slice(1),
  (parents) => parents.slice(0, -1),
  (parents) => parents.toReversed(),
  (parents) => [...parents, ...parents],
  (parents) => [...parents.slice(0, 1), ...parents],
  (parents) => [...parents, ''],
  (parents) => ['x.y.z', ...parents],
  () => [],
];
const LIST = fc.constantFrom(...LISTS).map(
  (edit): Mutation =>
    (presented) => ({
      ...presented,
      parents: (parents) => edit(presented.parents(parents)),
    }),
);
const ORDER = fc.constantFrom<Mutation>(
  (presented) => ({ ...presented, drafts: presented.drafts.toReversed() }),
  (presented) => ({ ...presented, drafts: presented.drafts.slice(1).concat(presented.drafts.slice(0, 1)) }),
  (presented) => ({
    ...presented,
    drafts: presented.drafts.length > 1 ? presented.drafts.slice(1) : presented.drafts,
  }),
  (presented) => ({ ...presented, drafts: presented.drafts.concat(presented.drafts.slice(-1)) }),
);

const PROOF = fc
  .oneof(
    change(PROOFS).map((claim) => (draft: Draft) => ({ ...draft, payload: { ...draft.payload, ...claim } })),
    fc.constantFrom(A, B, C, X).map((issuer) => (draft: Draft) => ({ ...draft, signer: signerOf(issuer) })),
    fc.constantFrom(A, B, C, X).map((issuer) => (draft: Draft) => {
      const signer = signerOf(issuer);
      return { ...draft, signer, header: { ...draft.header, jwk: signer.publicJwk } };
    }),
    change({ typ: ['JWT'], alg: ['none', 'Ed25519'], kid: ['x'] }).map((member) => (draft: Draft) => ({
      ...draft,
      header: { ...draft.header, ...member },
    })),
  )
  .map(
    (edit): Mutation =>
      (presented) => ({ ...presented, proof: (draft) => edit(presented.proof(draft)) }),
  );

const PEERS: readonly TokenRequest['peer'][] = [
  { kind: 'none' },
  { kind: 'untrusted' },
  ...[A, B, C, X].map((spiffeId) => ({ kind: 'mesh', spiffeId }) as const),
  ...[A, B, X].map((spiffeId) => {
    const certificate = {
      thumbprint: 'lCQGg0n-aDOmYBzynPlZgIsFY66hQ_i_CdESZbJ9NC4',
      notAfterSeconds: T0 + 120,
      isRevoked: spiffeId === X,
    };
    return { kind: 'tls', spiffeId, certificate } as const;
  }),
];
const withFields = (request: TokenRequest, changes: Partial<TokenRequest['fields']>): TokenRequest => ({
  ...request,
  fields: { ...request.fields, ...changes },
});
const asScheme =
  (scheme: string) =>
  (request: TokenRequest): TokenRequest =>
    withFields(request, {
      authorization: request.fields.authorization.map((line) => line.replace(/^\S+/, scheme)),
    });
const REQUESTS: readonly ((request: TokenRequest) => TokenRequest)[] = [
  ...PEERS.map((peer) => (request: TokenRequest) => ({ ...request, peer })),
  ...['Bearer', 'bearer', 'dpop', 'Basic', ''].map(asScheme),
  (request) => withFields(request, { dpop: [] }),
  (request) => withFields(request, { dpop: [...request.fields.dpop, ...request.fields.dpop] }),
  (request) => withFields(request, { authorization: [...request.fields.authorization, 'Bearer x'] }),
  (request) => withFields(request, { delegationChain: [...request.fields.delegationChain, 'x'] }),
  (request) => withFields(request, { authorization: [] }),
  (request) => ({ ...request, method: 'GET' }),
  (request) => ({ ...request, path: '/other' }),
  ...[undefined, '*', 'namespaces/staging/*', 'namespaces/staging/deployments/api', 'x/../y'].map(
    (resource) => (request: TokenRequest) => ({
      ...request,
      asked: { name: 'kubectl_get', ...(resource === undefined ? {} : { resource }) },
    }),
  ),
  (request) => ({ ...request, asked: { name: 'kubectl_apply', resource: 'namespaces/staging/x' } }),
  ({ asked: _, ...request }) => request,
];
const REQUEST = fc.constantFrom(...REQUESTS).map(
  (edit): Mutation =>
    (presented) => ({
      ...presented,
      request: (request) => edit(presented.request(request)),
    }),
);

/** Any one change. */
export const MUTATION: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 10, arbitrary: CLAIM },
  { weight: 2, arbitrary: HEADER },
  { weight: 2, arbitrary: SIGNER },
  { weight: 2, arbitrary: TEXT },
  { weight: 2, arbitrary: COMPACT },
  { weight: 2, arbitrary: LIST },
  { weight: 1, arbitrary: ORDER },
  { weight: 3, arbitrary: PROOF },
  { weight: 3, arbitrary: REQUEST },
);
