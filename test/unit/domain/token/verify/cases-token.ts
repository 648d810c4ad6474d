/** Negative cases of a token and its parents, steps 4 to 10. */

import {
  A,
  B,
  BUNDLE,
  claims,
  draft,
  FOR_USER,
  FROM_SERVICE,
  NOW,
  ROOT_CLAIMS,
  seal,
  signerOf,
  T0,
  X,
} from '../../../../support/token/scene.ts';
import {
  asParent,
  flipBit,
  hmacWithPublicKey,
  inDer,
  keys,
  type NegativeCase,
  noChain,
  ROOT_OF_B,
  signedBy,
  signedOpenlyBy,
  unsigned,
} from './case.ts';

/** By number; some are more than one way to do the same. */
export const TOKEN_CASES: readonly NegativeCase[] = [
  {
    row: '23',
    what: 'bundle past its exp',
    outcome: 'stale_state',
    bundle: { ...BUNDLE, expiresAtSeconds: NOW },
  },
  {
    row: '24',
    what: 'A -> B token sent to C as leaf',
    outcome: 'wrong_audience',
    changes: { leafText: () => seal(draft(ROOT_CLAIMS)), ...noChain },
  },
  {
    row: '25',
    what: 'aud = another agent of the namespace',
    outcome: 'wrong_audience',
    changes: { leaf: claims({ aud: X }) },
  },
  {
    row: '26',
    what: 'iat 31 s ahead',
    outcome: 'not_yet_valid',
    changes: { leaf: claims({ iat: NOW + 31 }) },
  },
  { row: '27', what: 'verified at exp + 30', outcome: 'expired', nowSeconds: T0 + 64 + 30 },
  {
    row: '28',
    what: 'exp - iat = 301',
    outcome: 'too_long_lived',
    changes: { leaf: claims({ exp: T0 + 4 + 301 }) },
  },
  {
    row: '29',
    what: 'iss of another trust domain',
    outcome: 'unknown_issuer',
    changes: { leaf: claims({ iss: B.replace('cluster.local', 'other.example') }) },
  },
  {
    row: '30',
    what: 'X signs iss: B with its own key and kid',
    outcome: 'unknown_key',
    changes: { leaf: signedOpenlyBy(X) },
  },
  {
    row: '31',
    what: 'X signs iss: service URL with its own key',
    outcome: 'unknown_key',
    story: FROM_SERVICE,
    changes: { leaf: signedOpenlyBy(X) },
  },
  {
    row: '32',
    what: "kid removed from B's keys (rotated --compromised)",
    outcome: 'unknown_key',
    bundle: keys((issuers) => {
      issuers[B] = { keys: [] };
    }),
  },
  {
    row: '33',
    what: "iat after the key's until (post-dated token)",
    outcome: 'unknown_key',
    bundle: keys((issuers) => {
      for (const key of issuers[B]?.keys ?? []) key['until'] = T0 + 3;
    }),
  },
  {
    row: '34',
    what: 'alg none, empty signature',
    outcome: 'wrong_algorithm',
    changes: { leafText: unsigned },
  },
  {
    row: '35',
    what: 'alg HS256 keyed with the public key',
    outcome: 'wrong_algorithm',
    changes: { leafText: hmacWithPublicKey },
  },
  { row: '36', what: 'one payload bit changed', outcome: 'bad_signature', changes: { leafText: flipBit } },
  {
    row: '37',
    what: 'signature in DER instead of R||S',
    outcome: 'bad_signature',
    changes: { leafText: inDer },
  },
  { row: '38', what: "X uses B's kid, own key", outcome: 'bad_signature', changes: { leaf: signedBy(X) } },
  {
    row: '39',
    what: 'B signs client_id: X',
    outcome: 'issuer_mismatch',
    changes: { leaf: claims({ client_id: X }) },
  },
  {
    row: '40',
    what: 'agent-signed root with a user sub',
    outcome: 'issuer_mismatch',
    changes: { leaf: (made) => claims({ sub: '248289761001' })(ROOT_OF_B(made)), ...noChain },
  },
  {
    row: '41',
    what: 'agent-signed root with sub_id',
    outcome: 'issuer_mismatch',
    changes: {
      leaf: (made) => claims({ sub_id: FOR_USER.leaf.payload['sub_id'] })(ROOT_OF_B(made)),
      ...noChain,
    },
  },
  {
    row: '41',
    what: 'agent-signed root with tctx',
    outcome: 'issuer_mismatch',
    changes: { leaf: (made) => claims({ tctx: { org_id: 'org_42' } })(ROOT_OF_B(made)), ...noChain },
  },
  {
    row: '42',
    what: 'no chain header for an agent-signed child',
    outcome: 'chain_broken',
    changes: { parents: () => [] },
  },
  {
    row: '43',
    what: 'another parent of the same tree (par_hash differs)',
    outcome: 'chain_broken',
    changes: { parents: () => [asParent(claims({ jti: '01a1f866-0d01-7be0-9f3f-f7ed220a7e4c' }))] },
  },
  {
    row: '44',
    what: "X makes a child of A's token for B (aud is not X)",
    outcome: 'chain_broken',
    changes: {
      leaf: (made) =>
        signedOpenlyBy(X)(
          claims({ iss: X, client_id: X, act: { sub: X }, cnf: { jkt: signerOf(X).kid } })(made),
        ),
      request: () => ({ peer: { kind: 'mesh', spiffeId: X } }),
    },
  },
  {
    row: '45',
    what: 'depth 3 over a parent of depth 1',
    outcome: 'chain_broken',
    changes: { leaf: claims({ del_depth: 3 }) },
  },
  {
    row: '46',
    what: 'extra parent appended',
    outcome: 'chain_broken',
    changes: { parents: (parents) => [...parents, ...parents] },
  },
  {
    row: '47',
    what: 'act names A instead of B',
    outcome: 'chain_broken',
    changes: { leaf: claims({ act: { sub: A } }) },
  },
  {
    row: '48',
    what: 'depth 1 with a par_hash',
    outcome: 'chain_broken',
    changes: { root: claims({ par_hash: signerOf(A).kid }) },
  },
  {
    row: '48',
    what: 'depth 1 with a par_hash, as leaf',
    outcome: 'chain_broken',
    changes: { leaf: (made) => claims({ par_hash: signerOf(A).kid })(ROOT_OF_B(made)), ...noChain },
  },
  {
    row: '49',
    what: 'child changes sub to B',
    outcome: 'principal_changed',
    changes: { leaf: claims({ sub: B }) },
  },
  {
    row: '50',
    what: 'child changes txn',
    outcome: 'principal_changed',
    changes: { leaf: claims({ txn: '01a1f866-0d00-7ca5-839a-4bf9211c941d' }) },
  },
  {
    row: '51',
    what: 'user tree: child changes tctx.org_id',
    outcome: 'principal_changed',
    story: FOR_USER,
    changes: { leaf: claims({ tctx: { org_id: 'org_43' } }) },
  },
  {
    row: '52',
    what: 'parent expired (no del_exp)',
    outcome: 'expired',
    changes: { root: claims({ exp: T0 + 4 }), proof: claims({ iat: T0 + 34 }) },
    nowSeconds: T0 + 34,
  },
];
