/** Negative cases of who may do what with a token, steps 11 to 17. */

import {
  A,
  APPLY,
  B,
  claims,
  details,
  FROM_SERVICE,
  fields,
  type Json,
  LEAF_CLAIMS,
  NOW,
  ROOT_CLAIMS,
  request,
  signerOf,
  storeAt,
  T0,
  WEB,
  X,
} from '../../../../support/token/scene.ts';
import {
  again,
  failing,
  type NegativeCase,
  newProof,
  noChain,
  policy,
  ROOT_OF_B,
  revocations,
  revoked,
  STRANGERS_KEY,
  secondChild,
  strangersProof,
  withoutEdge,
} from './case.ts';

/** By number; some are more than one way to do the same. */
export const PERMISSION_CASES: readonly NegativeCase[] = [
  { row: '53', what: 'B suspended', outcome: 'suspended', bundle: revocations({ suspended: [B] }) },
  {
    row: '54',
    what: 'A (two hops up) suspended',
    outcome: 'suspended',
    bundle: revocations({ suspended: [A] }),
  },
  {
    row: '55',
    what: 'A suspended, service-minted leaf (del_path)',
    outcome: 'suspended',
    story: FROM_SERVICE,
    bundle: revocations({ suspended: [A] }),
  },
  {
    row: '56',
    what: "TokenRevocation of the parent's jti",
    outcome: 'revoked',
    bundle: revoked({ tokenID: ROOT_CLAIMS['jti'] }),
  },
  {
    row: '57',
    what: "parent's jti revoked, service-minted leaf",
    outcome: 'revoked',
    story: FROM_SERVICE,
    bundle: revoked({ tokenID: ROOT_CLAIMS['jti'] }),
  },
  {
    row: '58',
    what: 'revoked txn',
    outcome: 'revoked',
    bundle: revoked({ transaction: LEAF_CLAIMS['txn'] }),
  },
  {
    row: '58',
    what: 'revoked txn; iat 20 s after issuedBefore',
    outcome: 'revoked',
    bundle: revoked({ transaction: LEAF_CLAIMS['txn'], agent: A, issuedBefore: T0 - 20 }),
  },
  {
    row: '59',
    what: 'A restored with notBefore after the token',
    outcome: 'revoked',
    bundle: revocations({ notBefore: { [A]: T0 + 1 } }),
  },
  {
    row: '60',
    what: 'presented by X (mesh principal X)',
    outcome: 'holder_mismatch',
    changes: { request: () => ({ peer: { kind: 'mesh', spiffeId: X } }) },
  },
  {
    row: '61',
    what: 'jkt token as Bearer',
    outcome: 'holder_mismatch',
    changes: {
      request: (made) =>
        fields({ authorization: made.fields.authorization.map((line) => line.replace('DPoP', 'Bearer')) })(
          made,
        ),
    },
  },
  {
    row: '62',
    what: 'cnf left out, binding Key',
    outcome: 'holder_mismatch',
    changes: { leaf: claims({ cnf: undefined }) },
  },
  {
    row: '63',
    what: 'x5t#S256 where policy says Key',
    outcome: 'holder_mismatch',
    changes: { leaf: claims({ cnf: ROOT_CLAIMS['cnf'] }) },
  },
  { row: '64', what: 'no DPoP field', outcome: 'proof_invalid', changes: { request: fields({ dpop: [] }) } },
  {
    row: '65',
    what: 'proof ath of another token',
    outcome: 'proof_invalid',
    changes: { proof: claims({ ath: signerOf(B).kid }) },
  },
  {
    row: '66',
    what: 'proof for another path',
    outcome: 'proof_invalid',
    changes: { proof: claims({ htu: 'http://agent-validator.ai-agents.svc:8443/mcp/' }) },
  },
  {
    row: '67',
    what: 'proof 61 s old',
    outcome: 'proof_invalid',
    changes: { proof: claims({ iat: NOW - 61 }) },
  },
  {
    row: '68',
    what: 'proof by an unpublished key named in cnf.jkt',
    outcome: 'proof_invalid',
    changes: { leaf: claims({ cnf: { jkt: STRANGERS_KEY.kid } }), proof: strangersProof },
  },
  {
    row: '69',
    what: 'root and child say del_max_depth 1, child is depth 2',
    outcome: 'depth_exceeded',
    changes: { root: claims({ del_max_depth: 1 }), leaf: claims({ del_max_depth: 1 }) },
  },
  {
    row: '70',
    what: 'policy lowered maxDepth to 1',
    outcome: 'depth_exceeded',
    bundle: policy((edges) => {
      for (const edge of edges) for (const grant of edge['grants'] as Json[]) grant['maxDepth'] = 1;
    }),
  },
  {
    row: '71',
    what: 'capability the parent lacks',
    outcome: 'not_narrower',
    changes: { root: claims({ authorization_details: details(APPLY) }) },
  },
  {
    row: '72',
    what: 'resource namespaces/* over namespaces/staging/*',
    outcome: 'not_narrower',
    changes: { leaf: claims({ authorization_details: details({ ...WEB, resources: ['namespaces/*'] }) }) },
  },
  {
    row: '73',
    what: 'namespaces/staging-old/x over namespaces/staging/*',
    outcome: 'not_narrower',
    changes: {
      leaf: claims({ authorization_details: details({ ...WEB, resources: ['namespaces/staging-old/x'] }) }),
    },
  },
  {
    row: '74',
    what: "child exp after the parent's",
    outcome: 'not_narrower',
    changes: { leaf: claims({ exp: T0 + 121 }) },
  },
  {
    row: '75',
    what: 'child max_uses 2 over 1',
    outcome: 'not_narrower',
    changes: { leaf: claims({ max_uses: 2 }) },
  },
  {
    row: '76',
    what: 'child raises del_max_depth',
    outcome: 'not_narrower',
    changes: { leaf: claims({ del_max_depth: 3 }) },
  },
  {
    row: '77',
    what: 'B (originate false) mints a root for C',
    outcome: 'root_not_allowed',
    changes: { leaf: ROOT_OF_B, ...noChain },
  },
  { row: '78', what: 'edge B -> C deleted', outcome: 'not_delegable', bundle: withoutEdge(B) },
  {
    row: '79',
    what: 'edge A -> B deleted, chain still signed',
    outcome: 'not_delegable',
    bundle: withoutEdge(A),
  },
  {
    row: '80',
    what: 'edge A -> B deleted, service-minted leaf',
    outcome: 'not_delegable',
    story: FROM_SERVICE,
    bundle: withoutEdge(A),
  },
  {
    row: '81',
    what: 'capability in parent and child, not in edge B -> C',
    outcome: 'not_delegable',
    changes: { leaf: claims({ authorization_details: details(APPLY, WEB) }) },
  },
  {
    row: '82',
    what: 'asks kubectl_apply, token grants kubectl_get',
    outcome: 'capability_not_granted',
    changes: {
      request: () => ({ asked: { name: 'kubectl_apply', resource: 'namespaces/staging/deployments/web' } }),
    },
  },
  {
    row: '83',
    what: 'asks another deployment',
    outcome: 'resource_not_granted',
    changes: {
      request: () => ({ asked: { name: 'kubectl_get', resource: 'namespaces/staging/deployments/api' } }),
    },
  },
  {
    row: '84',
    what: 'same token a second time, new proof',
    outcome: 'replayed',
    before: [request()],
    changes: { ...newProof, ...again },
  },
  {
    row: '85',
    what: 'third child of one parent, maxChildren 2',
    outcome: 'fanout_exceeded',
    bundle: policy((edges) => {
      for (const edge of edges) edge['maxChildren'] = 2;
    }),
    before: [secondChild('1'), secondChild('2')],
  },
  {
    row: '86',
    what: "iat before the store's fence (restart)",
    outcome: 'replay_unknown',
    store: storeAt(NOW, T0),
  },
  { row: '87', what: 'store down', outcome: 'store_unavailable', store: failing },
];
