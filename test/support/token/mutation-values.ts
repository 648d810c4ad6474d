/** What members of tokens, headers and proofs become when they are changed: right, nearly right and wrong. */

import {
  A,
  APPLY,
  B,
  C,
  details,
  type Json,
  SERVICE,
  STAGING,
  signerOf,
  T0,
  USER_LEAF_CLAIMS,
  WEB,
  X,
} from './scene.ts';

const AGENTS = [A, B, C, X, A.replace('cluster.local', 'other.example'), `${A}/../x`];
const UUIDS = [
  '01a1f866-0d01-7be0-9f3f-f7ed220a7e4b',
  '01a1f866-1ca0-7c91-a652-a8efbf27055a',
  '01a1f866-0d00-7ca5-839a-4bf9211c941c',
  '01A1F866-0D00-7CA5-839A-4BF9211C941C',
  '01a1f866-0d00-4ca5-839a-4bf9211c941c',
];
const offsets = [-40, -1, 0, 1, 3, 4, 5, 10, 60, 64, 65, 119, 120, 121, 124, 300, 301, 304, 305, 600, 3600];
const TIMES = offsets.map((offset) => T0 + offset);
const DIGESTS = [
  signerOf(A).kid,
  signerOf(B).kid,
  signerOf(X).kid,
  'lCQGg0n-aDOmYBzynPlZgIsFY66hQ_i_CdESZbJ9NC4',
  'short',
];
const withResources = (...resources: readonly string[]): Json => ({ name: 'kubectl_get', resources });
const DETAILS = [
  details(WEB),
  details(STAGING),
  details(APPLY),
  details(WEB, APPLY),
  details(WEB, WEB),
  details(withResources('namespaces/*')),
  details(withResources('*')),
  details(withResources('namespaces/staging/deployments/*', 'namespaces/staging/deployments/web')),
  details(withResources('namespaces/staging-old/x')),
  details(withResources('/namespaces/staging/deployments/web')),
  details(withResources('namespaces/staging/../prod')),
  details(withResources('namespaces/staging/deployments/%77eb')),
  details(withResources()),
  details({ ...WEB, max_amount: 1 }),
  [...details(WEB), ...details(WEB)],
  [],
  details(),
];
const ACTS = [
  { sub: A },
  { sub: B },
  { sub: C },
  { sub: B, act: { sub: A } },
  { sub: B, extra: 1 },
  { sub: A, act: { sub: B } },
];
const USERS = [
  USER_LEAF_CLAIMS['sub_id'],
  { format: 'iss_sub', iss: 'https://idp.example.org', sub: '1' },
  { format: 'email' },
];
const PATHS = [
  [{ client_id: A, jti: UUIDS[0], iat: T0 }],
  [{ client_id: B, jti: UUIDS[0], iat: T0 }],
  [{ client_id: X, jti: UUIDS[0], iat: T0 }],
  [
    { client_id: A, jti: UUIDS[0], iat: T0 },
    { client_id: B, jti: UUIDS[1], iat: T0 },
  ],
  [],
];
const COUNTS = [0, 1, 2, 3, 4, 5, 6, 8, 9, 1.5, '1', -1];
/** What any member may become. */
export const OTHERS: readonly unknown[] = [null, true, [], {}, '', 'x', 1e300];

/** What each claim may become. */
export const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  iss: [...AGENTS, SERVICE, 'https://idp.example.org'],
  sub: [...AGENTS, '248289761001', 'SPIFFE://cluster.local/x'],
  sub_id: USERS,
  tctx: [{ org_id: 'org_42' }, { org_id: 'org_43' }, {}, { __proto__: 'x' }],
  act: ACTS,
  client_id: AGENTS,
  aud: [...AGENTS, [C]],
  iat: TIMES,
  exp: TIMES,
  del_exp: TIMES,
  jti: UUIDS,
  txn: UUIDS,
  authorization_details: DETAILS,
  cnf: [
    ...DIGESTS.map((jkt) => ({ jkt })),
    ...DIGESTS.map((x5t) => ({ 'x5t#S256': x5t })),
    { jkt: DIGESTS[1], 'x5t#S256': DIGESTS[1] },
    { jwk: {} },
  ],
  max_uses: COUNTS,
  del_depth: COUNTS,
  del_max_depth: COUNTS,
  par_hash: DIGESTS,
  del_path: PATHS,
  scope: ['kubectl_get'],
  nbf: TIMES,
};
/** What each member of a header may become. */
export const HEADERS: Readonly<Record<string, readonly unknown[]>> = {
  typ: ['at+jwt', 'dpop+jwt', 'JWT', 'Agent-Capability+JWT'],
  alg: ['none', 'HS256', 'Ed25519', 'EdDSA', 'ES384', 'ES256'],
  kid: [...[A, B, C, X, SERVICE].map((issuer) => signerOf(issuer).kid), '', 'x'],
  crit: [['exp']],
  jwk: [signerOf(X).publicJwk],
};

/** What each claim of a proof may become. */
export const PROOFS: Readonly<Record<string, readonly unknown[]>> = {
  htm: ['GET', 'post'],
  htu: [
    'https://agent-validator.ai-agents.svc:8443/mcp',
    'http://AGENT-validator.ai-agents.svc:8443/mcp',
    'http://agent-validator.ai-agents.svc/mcp',
    'http://agent-validator.ai-agents.svc:8443/mcp?x',
    'http://agent-validator.ai-agents.svc:8443/MCP',
    'http://a@agent-validator.ai-agents.svc:8443/mcp',
    '/mcp',
  ],
  iat: [...TIMES, T0 - 56, T0 - 55, T0 + 35, T0 + 36],
  jti: ['x', '', 5],
  ath: DIGESTS,
  nonce: ['x'],
};
