import { expect } from 'chai';
import { REFUSAL_NAMES, type RefusalName } from '../../../src/domain/token/refusal.ts';
import { MemoryReplayStore } from '../../../src/domain/token/replay/memory-store.ts';
import type { ReplayStore } from '../../../src/domain/token/replay/replay-store.ts';
import { refusalStatus } from '../../../src/domain/token/wire/refusal-answer.ts';
import type { ServeOptions } from '../../../src/sdk/http/agent-http.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';
import {
  type Identity,
  type Json,
  newId,
  parentHash,
  rootClaims,
  sendTls,
  signerOf,
  signProof,
  signToken,
  thumbprintOf,
  type WireAnswer,
} from '../../support/sdk/wire.ts';

const A = 'agent-coordinator';
const B = 'agent-deployer';
const C = 'agent-validator';
const X = 'agent-stranger';
const GET_WEB = {
  method: 'POST',
  path: '/v1/{namespace}/web',
  capability: 'kubectl_get',
  resource: 'namespaces/{namespace}/deployments/web',
  accepts: 'Capability',
} as const;
const HTU = `https://${C}:8443/v1/delegate`;

/** What to change of a good request A -> B. */
interface Variant {
  readonly claims?: Json;
  readonly header?: Json;
  readonly token?: (token: string) => string;
  readonly signer?: string;
  readonly identity?: string;
  readonly path?: string;
}

describe('a refusal on the wire', () => {
  let agents: HttpSwarm;
  const seen: string[] = [];
  const onRefusal: ServeOptions['onRefusal'] = ({ name }) => seen.push(name);
  const shown = new Set<RefusalName>();

  before(async () => {
    const routes = [
      GET_WEB,
      { method: 'POST', path: '/v1/delegate', accepts: 'Capability' },
      { method: 'POST', path: '/mcp', accepts: 'Access' },
    ] as const;
    agents = new HttpSwarm({
      agents: [{ name: A }, { name: B, server: { routes } }, { name: C }, { name: X }],
      edges: [
        {
          from: A,
          to: B,
          capabilities: [
            { name: 'kubectl_apply', resources: ['namespaces/staging/*'] },
            { name: 'kubectl_get', resources: ['namespaces/staging/*'] },
          ],
          maxChildren: 1,
        },
        { from: B, to: C, capabilities: [{ name: 'kubectl_get' }], binding: 'Key' },
      ],
    });
    for (const name of [B, C]) await agents.serve(name, () => new Response('done'), { onRefusal });
  });

  after(() => agents.close());

  const port = (name: string): number => agents.ports.get(name) ?? 0;
  const identityOf = (name: string): Identity => {
    const { cert, key } = agents.swarm.certificate(name);
    return { cert, key };
  };
  const thumbprint = (name: string): string => thumbprintOf(agents.swarm.certificate(name).cert);
  const goodClaims = (): Json => rootClaims(agents.swarm, { from: A, to: B, thumbprint: thumbprint(A) });

  function toB(variant: Variant = {}, at: number = port(B)): Promise<WireAnswer> {
    const claims = { ...goodClaims(), ...variant.claims };
    const signed = signToken(claims, signerOf(agents.swarm, variant.signer ?? A), variant.header);
    const token = (variant.token ?? ((same) => same))(signed);
    const headers = { authorization: `Bearer ${token}` };
    return sendTls(
      { port: at, path: variant.path ?? '/v1/delegate', headers },
      identityOf(variant.identity ?? A),
    );
  }

  /** Presents a child of a token A -> B at C. */
  function toC(child: Json = {}, changes: { root?: string; proof?: string[] } = {}): Promise<WireAnswer> {
    const root = changes.root ?? signToken(goodClaims(), signerOf(agents.swarm, A));
    const { txn, iat, exp } = JSON.parse(Buffer.from(root.split('.')[1] ?? '', 'base64url').toString());
    const signer = signerOf(agents.swarm, B);
    const b = agents.swarm.id(B);
    const claims = {
      ...rootClaims(agents.swarm, { from: B, to: C, thumbprint: '' }),
      ...{ sub: agents.swarm.id(A), act: { sub: b }, txn, iat, exp, cnf: { jkt: signer.kid } },
      ...{ del_depth: 2, par_hash: parentHash(root), ...child },
    };
    const token = signToken(claims, signer);
    const headers = {
      authorization: `DPoP ${token}`,
      dpop: changes.proof ?? [signProof(token, signer, HTU)],
      'agent-delegation-chain': root,
    };
    return sendTls({ port: port(C), headers }, identityOf(B));
  }

  function expectRefused(answer: WireAnswer, name: RefusalName): void {
    const { type, title } = JSON.parse(answer.body);
    expect({ status: answer.status, name: answer.headers['agent-trust-refusal'], type, title }).to.deep.equal(
      {
        status: refusalStatus(name),
        name,
        type: `https://agenttrust.dev/refusals/${name}`,
        title: 'delegation denied',
      },
    );
    expect(answer.headers['content-type']).to.equal('application/problem+json');
    expect(seen.at(-1)).to.equal(name);
    shown.add(name);
  }

  it('does not come for the good requests that the others are made from', async () => {
    expect((await toB()).status).to.equal(200);
    expect((await toB({ path: '/v1/staging/web' })).status).to.equal(200);
    const answer = await toC();
    expect([answer.status, answer.body]).to.deep.equal([200, 'done']);
  });

  const now = Math.floor(Date.now() / 1000);
  const variants: readonly (readonly [RefusalName, string, () => Variant])[] = [
    ['malformed', 'a token with padding', () => ({ token: (token) => `${token}=` })],
    ['malformed', 'a path with an escaped slash', () => ({ path: '/v1/staging%2fx/web' })],
    ['malformed', 'a path with dots', () => ({ path: '/v1/x/../delegate' })],
    ['wrong_type', 'an access token', () => ({ header: { typ: 'at+jwt' } })],
    ['wrong_type', 'a capability token where access tokens are taken', () => ({ path: '/mcp' })],
    ['unknown_claim', 'a scope', () => ({ claims: { scope: 'kubectl_get' } })],
    ['wrong_audience', 'a token for C', () => ({ claims: { aud: agents.swarm.id(C) } })],
    ['not_yet_valid', 'a token of tomorrow', () => ({ claims: { iat: now + 86_400, exp: now + 86_460 } })],
    ['expired', 'a token of yesterday', () => ({ claims: { iat: now - 86_460, exp: now - 86_400 } })],
    ['too_long_lived', 'a token for an hour', () => ({ claims: { exp: now + 3600 } })],
    [
      'unknown_issuer',
      'another trust domain',
      () => ({ claims: { iss: 'spiffe://other/ns/ai-agents/sa/agent-coordinator' } }),
    ],
    ['issuer_mismatch', 'A for X', () => ({ claims: { client_id: agents.swarm.id(X) } })],
    ['unknown_key', 'the key of X', () => ({ signer: X })],
    ['wrong_algorithm', 'no algorithm', () => ({ header: { alg: 'none' } })],
    [
      'bad_signature',
      'the signature of another token',
      () => ({ token: (token) => `${token.slice(0, -86)}${'A'.repeat(86)}` }),
    ],
    ['chain_broken', 'a child without its parent', () => ({ claims: { del_depth: 2 } })],
    ['holder_mismatch', 'the certificate of X (N1)', () => ({ identity: X })],
    [
      'holder_mismatch',
      'another certificate of A (N2)',
      () => ({ claims: { cnf: { 'x5t#S256': thumbprint(X) } } }),
    ],
    ['not_delegable', 'more uses than a rule allows', () => ({ claims: { max_uses: 2 } })],
    [
      'capability_not_granted',
      'another capability',
      () => ({
        path: '/v1/staging/web',
        claims: {
          authorization_details: [
            {
              type: 'https://agenttrust.dev/capability/v1',
              capabilities: [{ name: 'kubectl_apply', resources: ['namespaces/staging/*'] }],
            },
          ],
        },
      }),
    ],
    ['resource_not_granted', 'another resource', () => ({ path: '/v1/prod/web' })],
  ];
  for (const [name, what, variant] of variants)
    it(`names ${name} for ${what}`, async () => {
      expectRefused(await toB(variant()), name);
    });

  it('is no refusal of the token on a path that is no route, and the token is not used', async () => {
    const token = signToken(goodClaims(), signerOf(agents.swarm, A));
    const send = (path: string): Promise<WireAnswer> =>
      sendTls({ port: port(B), path, headers: { authorization: `Bearer ${token}` } }, identityOf(A));
    for (const path of ['/v1', '/V1/delegate', '/v1/delegate/']) {
      const { status, headers, body } = await send(path);
      expect({ status, refusal: headers['agent-trust-refusal'], body: JSON.parse(body) }).to.deep.equal({
        status: 404,
        refusal: undefined,
        body: { type: 'about:blank', title: 'Not Found', status: 404 },
      });
    }
    expect((await send('/v1/delegate')).status).to.equal(200);
  });

  it('names malformed for a request without a token', async () => {
    expectRefused(await sendTls({ port: port(B) }, identityOf(A)), 'malformed');
  });

  it('names malformed for two tokens', async () => {
    const token = signToken(goodClaims(), signerOf(agents.swarm, A));
    const headers = { authorization: [`Bearer ${token}`, `Bearer ${token}`] };
    expectRefused(await sendTls({ port: port(B), headers }, identityOf(A)), 'malformed');
  });

  it('names replayed for a token that comes again, and says so to whoever presents it', async () => {
    const token = signToken(goodClaims(), signerOf(agents.swarm, A));
    const request = { port: port(B), headers: { authorization: `Bearer ${token}` } };
    expect((await sendTls(request, identityOf(A))).status).to.equal(200);
    const answer = await sendTls(request, identityOf(A));
    expectRefused(answer, 'replayed');
    expect(answer.headers['www-authenticate']).to.equal(
      'Bearer error="invalid_token", error_description="replayed"',
    );
  });

  it('names proof_invalid for a token without its proof', async () => {
    const answer = await toC({}, { proof: [] });
    expectRefused(answer, 'proof_invalid');
    expect(answer.headers['www-authenticate']).to.equal(
      'DPoP error="invalid_dpop_proof", error_description="proof_invalid"',
    );
  });

  for (const [name, what, child] of [
    ['principal_changed', 'another transaction', () => ({ txn: newId() })],
    ['depth_exceeded', 'a third call', () => ({ del_max_depth: 1 })],
    [
      'not_narrower',
      'a child that outlives its parent',
      () => ({ exp: Math.floor(Date.now() / 1000) + 115 }),
    ],
  ] as const)
    it(`names ${name} for ${what}`, async () => {
      expectRefused(await toC(child()), name);
    });

  it('names fanout_exceeded for one child more than there may be', async () => {
    const root = signToken(goodClaims(), signerOf(agents.swarm, A));
    expect((await toC({}, { root })).status).to.equal(200);
    expectRefused(await toC({}, { root }), 'fanout_exceeded');
  });

  it('names root_not_allowed for a chain that C may not start', async () => {
    const signer = signerOf(agents.swarm, B);
    const claims = {
      ...rootClaims(agents.swarm, { from: B, to: C, thumbprint: '' }),
      cnf: { jkt: signer.kid },
    };
    const token = signToken(claims, signer);
    const headers = { authorization: `DPoP ${token}`, dpop: signProof(token, signer, HTU) };
    expectRefused(await sendTls({ port: port(C), headers }, identityOf(B)), 'root_not_allowed');
  });

  const failing = (result: ReturnType<ReplayStore['consume']> | Error): ReplayStore => ({
    consume: () => (result instanceof Error ? Promise.reject(result) : result),
  });
  for (const [name, retryAfter, storeOf] of [
    ['rate_limited', '7', () => failing({ kind: 'refused', name: 'rate_limited', retryAfterSeconds: 7 })],
    ['store_unavailable', '1', () => failing(new Error('the store is down'))],
    ['replay_unknown', '11', () => new MemoryReplayStore({ capacity: 9, now: () => Date.now() / 1000 })],
  ] as const)
    it(`names ${name}, and when it is worth another try`, async () => {
      const b = await agents.open(B, { store: storeOf() });
      const serving = await b.serve(() => new Response('done'), { port: 0, host: '127.0.0.1', onRefusal });
      const answer = await toB({}, serving.port);
      expectRefused(answer, name);
      expect([answer.headers['retry-after'], answer.headers['www-authenticate']]).to.deep.equal([
        retryAfter,
        undefined,
      ]);
    });

  it('names revoked and suspended as soon as the bundle says so', async () => {
    const { swarm } = agents;
    const none = swarm.revocations;
    const all = { everything: true, issuedBefore: now + 3600, until: now + 7200 } as const;
    swarm.revocations = { ...none, revocations: [all] };
    await agents.publish();
    expectRefused(await toB(), 'revoked');
    swarm.revocations = { ...none, suspended: [swarm.id(A)] };
    await agents.publish();
    expectRefused(await toB(), 'suspended');
    swarm.revocations = none;
    await agents.publish();
    expect((await toB()).status).to.equal(200);
  });

  it('names stale_state as soon as the bundle has ended', async () => {
    let lateMs = 0;
    const b = await agents.open(B, { nowMs: () => Date.now() + lateMs });
    const { port: at } = await b.serve(() => new Response('done'), { port: 0, host: '127.0.0.1', onRefusal });
    expect((await toB({}, at)).status).to.equal(200);
    lateMs = 31 * 60_000;
    const answer = await toB({}, at);
    expectRefused(answer, 'stale_state');
    expect(answer.headers['retry-after']).to.equal('5');
  });

  it('was shown for every name', () => {
    expect(REFUSAL_NAMES.filter((name) => !shown.has(name))).to.deep.equal([]);
  });
});
