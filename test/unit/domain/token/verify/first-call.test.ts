import { expect } from 'chai';
import type { ReplayStore } from '../../../../../src/domain/token/replay/replay-store.ts';
import type { Peer, TokenRequest } from '../../../../../src/domain/token/verify/verifier.ts';
import { judge, verify } from '../../../../../src/domain/token/verify/verify.ts';
import {
  A,
  B,
  BUNDLE,
  type Bundle,
  C,
  claims,
  draft,
  FROM_SERVICE,
  type Json,
  LEAF_CLAIMS,
  NOW,
  POLICY,
  REVOCATIONS,
  ROOT_CLAIMS,
  request,
  STAGING,
  seal,
  storeAt,
  T0,
  verifierAt,
  WEB,
  X,
} from '../../../../support/token/scene.ts';

const THUMBPRINT = 'lCQGg0n-aDOmYBzynPlZgIsFY66hQ_i_CdESZbJ9NC4';
const OTHER_THUMBPRINT = 'MNMSfkdsnCDYk1m36RMBmYCxdo-7Q4MJnL25MSXbG-w';
const CERTIFICATE = { thumbprint: THUMBPRINT, notAfterSeconds: T0 + 3600, isRevoked: false };
const tls = (spiffeId: string, changes: Partial<typeof CERTIFICATE> = {}): Peer => ({
  kind: 'tls',
  spiffeId,
  certificate: { ...CERTIFICATE, ...changes },
});

/** A -> B of the worked example. */
function firstCall(peer: Peer = tls(A), changes: Json = {}): TokenRequest {
  return {
    fields: {
      authorization: [`Bearer ${seal(claims(changes)(draft(ROOT_CLAIMS)))}`],
      dpop: [],
      delegationChain: [],
    },
    method: 'POST',
    path: '/v1/delegate',
    peer,
    asked: { name: 'kubectl_get', resource: 'namespaces/staging/x' },
    attemptId: 'attempt-1',
    fingerprint: 'fingerprint-1',
  };
}

function outcome(call: TokenRequest, bundle: Bundle = BUNDLE, self = B, nowSeconds = NOW): string {
  const result = judge(call, verifierAt(self, bundle), nowSeconds);
  return result.kind === 'refused' ? result.name : result.kind;
}

const suspending = (agent: string): Bundle => ({
  ...BUNDLE,
  revocations: { ...REVOCATIONS, suspended: [agent] },
});
const policy = (changes: Json): Bundle => ({ ...BUNDLE, policy: { ...POLICY, ...changes } });
const grantsOf = (to: string, changes: Json): Bundle =>
  policy({
    edges: (POLICY['edges'] as Json[]).map((edge) =>
      edge['to'] === to
        ? { ...edge, grants: (edge['grants'] as Json[]).map((grant) => ({ ...grant, ...changes })) }
        : edge,
    ),
  });

describe('judge, over our own TLS', () => {
  for (const [row, what, call, expected, bundle] of [
    ['', 'accepts the first call of the worked example', firstCall(), 'judged', BUNDLE],
    ['N1', 'TLS client certificate of X, token of A', firstCall(tls(X)), 'holder_mismatch', BUNDLE],
    [
      'N2',
      'a sibling certificate of A',
      firstCall(tls(A, { thumbprint: OTHER_THUMBPRINT })),
      'holder_mismatch',
      BUNDLE,
    ],
    [
      'N3',
      "exp after the bound certificate's end",
      firstCall(tls(A, { notAfterSeconds: T0 + 119 })),
      'holder_mismatch',
      BUNDLE,
    ],
    [
      '',
      'a certificate that has ended',
      firstCall(tls(A, { notAfterSeconds: NOW }), { exp: NOW }),
      'holder_mismatch',
      BUNDLE,
    ],
    ['N4', 'serial of the peer revoked', firstCall(tls(A, { isRevoked: true })), 'suspended', BUNDLE],
    ['N4', 'peer suspended, token of somebody else', firstCall(tls(X)), 'suspended', suspending(X)],
    ['', 'the audience itself suspended', firstCall(), 'suspended', suspending(B)],
    [
      'N5, N6',
      'a peer whom nobody believable names',
      firstCall({ kind: 'untrusted' }),
      'holder_mismatch',
      BUNDLE,
    ],
    ['', 'no certificate behind a mesh', firstCall({ kind: 'mesh', spiffeId: A }), 'holder_mismatch', BUNDLE],
    ['', 'no peer at all', firstCall({ kind: 'none' }), 'holder_mismatch', BUNDLE],
  ] as const)
    it(`${row} ${what}: ${expected}`.trim(), () => expect(outcome(call, bundle)).to.equal(expected));

  it('refuses a token bound to a key from the moment on in which the certificate of its peer ends', () => {
    const ending = (notAfterSeconds: number): TokenRequest =>
      request({ request: () => ({ peer: tls(B, { notAfterSeconds }) }) });
    expect([NOW + 1, NOW, NOW - 1].map((at) => outcome(ending(at), BUNDLE, C))).to.deep.equal([
      'judged',
      'holder_mismatch',
      'holder_mismatch',
    ]);
    expect(outcome(ending(NOW), suspending(B), C)).to.equal('suspended');
  });

  it('accepts a token bound to a key where no peer is visible, and says so', () => {
    const result = judge(request({ request: () => ({ peer: { kind: 'none' } }) }), verifierAt(C), NOW);
    expect(result.kind === 'judged' && result.accepted.isPeerSeen).to.equal(false);
  });
});

describe('judge, with the limits of one rule', () => {
  const limited = (changes: Json): string => outcome(request(), grantsOf(C, changes), C);

  for (const [what, expected, changes] of [
    ['a shorter life', 'not_delegable', { tokens: { maxTtlSeconds: 59, maxUses: 1 } }],
    ['just that life', 'judged', { tokens: { maxTtlSeconds: 60, maxUses: 1 } }],
    [
      'another resource',
      'not_delegable',
      { capabilities: [{ ...STAGING, resources: ['namespaces/staging/api'] }] },
    ],
    [
      'the capability only to pass on',
      'capability_not_granted',
      { capabilities: [{ ...STAGING, use: 'Delegate' }] },
    ],
    ['the capability only to be used', 'judged', { capabilities: [{ ...STAGING, use: 'Invoke' }] }],
  ] as const)
    it(`${what}: ${expected}`, () => expect(limited(changes)).to.equal(expected));

  it('never mixes rules: one has the capability, another the life', () => {
    const [first, second] = POLICY['edges'] as Json[];
    const [grant = {}] = (second?.['grants'] ?? []) as Json[];
    const long = { ...grant, capabilities: [{ name: 'other' }] };
    const short = { ...grant, tokens: { maxTtlSeconds: 30, maxUses: 1 } };
    expect(outcome(request(), policy({ edges: [first, { ...second, grants: [long, short] }] }), C)).to.equal(
      'not_delegable',
    );
  });

  it('refuses to pass on what the first agent below may only use', () => {
    const invokeOnly = grantsOf(B, {
      capabilities: [{ ...STAGING, use: 'Invoke' }, { name: 'kubectl_apply' }],
    });
    expect(outcome(request(), invokeOnly, C)).to.equal('not_delegable');
    expect(outcome(request({}, FROM_SERVICE), invokeOnly, C)).to.equal('not_delegable');
    expect(outcome(firstCall(), invokeOnly)).to.equal('judged');
  });

  it('lets a parent with taskTTL have children after its end, and no longer', () => {
    const task = grantsOf(B, { taskTtlSeconds: 600 });
    const late = (del_exp: number, iat: number): string =>
      outcome(
        request({
          root: claims({ del_exp }),
          leaf: claims({ iat, exp: iat + 60 }),
          proof: claims({ iat }),
        }),
        task,
        C,
        iat,
      );
    expect(late(T0 + 600, T0 + 400)).to.equal('judged');
    expect(late(T0 + 450, T0 + 400)).to.equal('not_narrower');
    expect(late(T0 + 601, T0 + 400)).to.equal('not_delegable');
    expect(late(T0 + 360, T0 + 400)).to.equal('expired');
  });
});

describe('judge, with revocations', () => {
  const revoked = (selectors: Json): string =>
    outcome(
      request(),
      { ...BUNDLE, revocations: { ...REVOCATIONS, revocations: [{ ...selectors, until: T0 + 3600 }] } },
      C,
    );

  for (const [what, expected, selectors] of [
    ['everything before', 'revoked', { everything: true, issuedBefore: T0 - 30 }],
    ['everything long before', 'judged', { everything: true, issuedBefore: T0 - 31 }],
    ['a policy of a link', 'revoked', { policy: 'ai-agents/swarm' }],
    ['another policy', 'judged', { policy: 'ai-agents/other' }],
    ['an agent in the middle', 'revoked', { agent: B, issuedBefore: T0 }],
    // C comes in with the child, which was issued 4 s after the root.
    ['the audience, before it came in', 'judged', { agent: C, issuedBefore: T0 - 27 }],
    ['the audience', 'revoked', { agent: C, issuedBefore: T0 - 26 }],
    ['an agent and a transaction that both match', 'revoked', { agent: A, transaction: LEAF_CLAIMS['txn'] }],
    ['an agent that matches and a transaction that does not', 'judged', { agent: A, transaction: 'x' }],
    ['a namespace of an agent', 'revoked', { agent: A, namespace: 'ai-agents' }],
    ['a namespace of none', 'judged', { agent: A, namespace: 'ai-data' }],
    ['a user', 'judged', { subject: { issuer: 'https://idp.example.org', name: '248289761001' } }],
  ] as const)
    it(`${what}: ${expected}`, () => expect(revoked(selectors)).to.equal(expected));
});

describe('verify', () => {
  const at = (store: ReplayStore) => ({ nowSeconds: NOW, store });

  it('says what was accepted', async () => {
    const result = await verify(request(), verifierAt(C), at(storeAt(NOW)));
    expect(
      result.kind === 'accepted' && { ...result, claims: {}, grants: result.grants.map(({ rule }) => rule) },
    ).to.deep.equal({
      kind: 'accepted',
      claims: {},
      path: [A, B, C],
      rootIssuedAt: T0,
      capabilities: [WEB],
      grants: [0, 1],
      binding: 'Key',
      isPeerSeen: true,
    });
  });

  it('says of a refusal what is known, and whether it is hearsay', async () => {
    const forged = await verify(
      request({ leaf: (made) => ({ ...made, signer: made.signer, header: { ...made.header, kid: 'x' } }) }),
      verifierAt(C),
      at(storeAt(NOW)),
    );
    expect(forged).to.deep.include({ kind: 'refused', name: 'unknown_key', detail: {} });
    expect('claimed' in forged && forged.claimed?.isAuthentic).to.equal(false);
    const suspended = await verify(request(), verifierAt(C, suspending(A)), at(storeAt(NOW)));
    expect(suspended).to.deep.include({ kind: 'refused', name: 'suspended', detail: { link: 1 } });
    expect('claimed' in suspended && suspended.claimed?.isAuthentic).to.equal(true);
  });

  it('accepts one of 64 presentations at once', async () => {
    const store = storeAt(NOW);
    const calls = Array.from({ length: 64 }, (_, index) =>
      verify(request({ request: () => ({ attemptId: `attempt-${index}` }) }), verifierAt(C), at(store)),
    );
    const names = (await Promise.all(calls)).map((result) =>
      result.kind === 'refused' ? result.name : result.kind,
    );
    expect(names.filter((name) => name === 'accepted').length).to.equal(1);
    expect(names.filter((name) => name === 'replayed').length).to.equal(63);
  });

  it('refuses without a bundle', async () => {
    const result = await verify(request(), { ...verifierAt(C), state: undefined }, at(storeAt(NOW)));
    expect(result).to.deep.include({ kind: 'refused', name: 'stale_state' });
  });
});
