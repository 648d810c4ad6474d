import { expect } from 'chai';
import fc from 'fast-check';
import { encodeHeader, signJws } from '../../../../../src/crypto/jose/signer.ts';
import { TOKEN_CRYPTO } from '../../../../../src/crypto/jose/token-crypto.ts';
import {
  type Minted,
  type MintParent,
  mintChild,
  mintRoot,
} from '../../../../../src/domain/token/mint/mint.ts';
import type { MintRequest } from '../../../../../src/domain/token/mint/mint-request.ts';
import { uuidV7 } from '../../../../../src/domain/token/mint/uuid-v7.ts';
import { readPlainClaims } from '../../../../../src/domain/token/plain-claims.ts';
import { isRefusal } from '../../../../../src/domain/token/refusal.ts';
import { readToken } from '../../../../../src/domain/token/token.ts';
import { judge } from '../../../../../src/domain/token/verify/verify.ts';
import {
  A,
  B,
  C,
  LEAF_CLAIMS,
  ROOT_CLAIMS,
  request,
  signerOf,
  T0,
  verifierAt,
  X,
} from '../../../../support/token/scene.ts';

const KUBECTL_GET = { name: 'kubectl_get', resources: ['namespaces/staging/*'] };
const KUBECTL_APPLY = { name: 'kubectl_apply', resources: ['namespaces/staging/*'] };
const ONE = { name: 'kubectl_get', resources: ['namespaces/staging/deployments/web'] };
const X5T = { 'x5t#S256': 'lCQGg0n-aDOmYBzynPlZgIsFY66hQ_i_CdESZbJ9NC4' } as const;
const TXN = String(ROOT_CLAIMS['txn']);
const JTI = String(ROOT_CLAIMS['jti']);

const policies = verifierAt(C).state?.policies;
if (policies === undefined) throw new Error('no policies');
const minterAt = (self: string, nowSeconds: number = T0, jti: string = JTI) => ({
  self,
  policies,
  nowSeconds,
  jti,
});
const toB = (changes: Partial<MintRequest> = {}): MintRequest => ({
  to: B,
  capabilities: [KUBECTL_APPLY, KUBECTL_GET],
  confirmation: X5T,
  ...changes,
});
const toC = (changes: Partial<MintRequest> = {}): MintRequest => ({
  to: C,
  capabilities: [ONE],
  confirmation: { jkt: signerOf(B).kid },
  ...changes,
});

function granted(result: ReturnType<typeof mintRoot>): Minted {
  if (isRefusal(result)) throw new Error(result.name);
  return result;
}

const headerOf = (issuer: string): string =>
  encodeHeader({ typ: 'agent-capability+jwt', alg: 'ES256', kid: signerOf(issuer).kid });
const ROOT = granted(mintRoot(toB(), minterAt(A), TXN));
const ROOT_TOKEN = signJws(headerOf(A), ROOT.payload, signerOf(A));
const PARENT: MintParent = {
  claims: ROOT.claims,
  hash: TOKEN_CRYPTO.sha256(ROOT_TOKEN.slice(0, ROOT_TOKEN.lastIndexOf('.'))),
  rootIssuedAt: T0,
};

describe('mintRoot', () => {
  it('writes the first token of the worked example, octet by octet', () => {
    expect(ROOT.payload).to.equal(JSON.stringify(ROOT_CLAIMS));
    const header = encodeHeader({
      typ: 'agent-capability+jwt',
      alg: 'ES256',
      kid: 'S4Ftf2mN6t_UneJyaBmi9ySj4JCJmiTUfTneVNyv-G8',
    });
    const input = `${header}.${Buffer.from(ROOT.payload).toString('base64url')}`;
    expect(TOKEN_CRYPTO.sha256(input)).to.equal('hr5-oJf3AFjZDhaaMBi4R9mLBY2C1egxiOV198CLVbE');
  });

  it('lives as long as rule and certificate let it, up to 120 s', () => {
    const end = (changes: Partial<MintRequest>): number =>
      granted(mintRoot(toB(changes), minterAt(A), TXN)).claims.exp;
    expect([end({}), end({ ttlSeconds: 10 }), end({ certificateEndsAt: T0 + 50 })]).to.deep.equal([
      T0 + 120,
      T0 + 10,
      T0 + 50,
    ]);
  });

  const refusals: readonly (readonly [string, Partial<MintRequest>, string])[] = [
    ['no capability', { capabilities: [] }, 'malformed'],
    ['a capability twice', { capabilities: [KUBECTL_GET, ONE] }, 'malformed'],
    [
      'a resource that is none',
      { capabilities: [{ name: 'kubectl_get', resources: ['a/../b'] }] },
      'malformed',
    ],
    [
      'a capability without resources',
      { capabilities: [{ name: 'kubectl_get', resources: [] }] },
      'malformed',
    ],
    ['half a second', { ttlSeconds: 0.5 }, 'malformed'],
    ['six uses', { maxUses: 6 }, 'malformed'],
    ['a depth of nine', { maxDepth: 9 }, 'malformed'],
    ['another agent', { to: X }, 'not_delegable'],
    ['itself', { to: A }, 'not_delegable'],
    ['a capability that no rule has', { capabilities: [{ name: 'rm', resources: ['*'] }] }, 'not_delegable'],
    [
      'a resource that no rule has',
      { capabilities: [{ name: 'kubectl_get', resources: ['*'] }] },
      'not_delegable',
    ],
    ['longer than the rule allows', { ttlSeconds: 121 }, 'not_delegable'],
    ['more uses than the rule allows', { maxUses: 2 }, 'not_delegable'],
    ['children later than the rule allows', { delegableUntil: T0 + 60 }, 'not_delegable'],
    ['longer than the certificate', { ttlSeconds: 60, certificateEndsAt: T0 + 59 }, 'holder_mismatch'],
    ['a certificate that has ended', { certificateEndsAt: T0 }, 'expired'],
  ];
  for (const [what, changes, name] of refusals)
    it(`refuses ${what}: ${name}`, () => {
      const result = mintRoot(toB(changes), minterAt(A), TXN);
      expect(isRefusal(result) ? result.name : result.kind).to.equal(name);
    });

  it('refuses an agent that may act only for others', () => {
    const result = mintRoot(toC(), minterAt(B), TXN);
    expect(isRefusal(result) ? result.name : result.kind).to.equal('root_not_allowed');
  });
});

describe('mintChild', () => {
  const child = (changes: Partial<MintRequest> = {}, parent: MintParent = PARENT, now = T0 + 4) =>
    mintChild(toC(changes), minterAt(B, now, String(LEAF_CLAIMS['jti'])), parent);

  it('writes the second token of the worked example', () => {
    const expected = { ...LEAF_CLAIMS, cnf: { jkt: signerOf(B).kid }, par_hash: PARENT.hash };
    expect(granted(child({ ttlSeconds: 60 })).payload).to.equal(JSON.stringify(expected));
  });

  it('makes what the audience accepts', () => {
    const leaf = signJws(headerOf(B), granted(child()).payload, signerOf(B));
    const made = request({ parents: () => [ROOT_TOKEN], leafText: () => leaf });
    expect(judge(made, verifierAt(C), T0 + 5).kind).to.equal('judged');
  });

  it('ends with its parent, and is never older', () => {
    expect(granted(child({}, PARENT, T0 + 100)).claims.exp).to.equal(T0 + 120);
    expect(granted(child({}, PARENT, T0 - 5)).claims.iat).to.equal(T0);
  });

  it('keeps user and context, and puts itself in front of the actors', () => {
    const user = { format: 'iss_sub', iss: 'https://idp.example.org', sub: '1' } as const;
    const claims = { ...ROOT.claims, sub: '1', sub_id: user, tctx: { org_id: 'x' }, act: { sub: A } };
    const { sub, sub_id, tctx, act } = granted(child({}, { ...PARENT, claims })).claims;
    expect({ sub, sub_id, tctx, act }).to.deep.equal({
      sub: '1',
      sub_id: user,
      tctx: { org_id: 'x' },
      act: { sub: B, act: { sub: A } },
    });
  });

  const parent = (changes: Partial<MintParent['claims']>): MintParent => ({
    ...PARENT,
    claims: { ...ROOT.claims, ...changes },
  });
  const refusals: readonly (readonly [string, ReturnType<typeof child>, string])[] = [
    ['a parent for another agent', child({}, parent({ aud: X })), 'wrong_audience'],
    ['a parent that has ended', child({}, PARENT, T0 + 120), 'expired'],
    ['longer than the parent', child({ ttlSeconds: 117 }), 'not_narrower'],
    [
      'a capability that the parent lacks',
      child(
        { capabilities: [ONE] },
        parent({ authorization_details: [{ type: 'x', capabilities: [KUBECTL_APPLY] }] }),
      ),
      'not_narrower',
    ],
    [
      'a resource that the parent lacks',
      child(
        { capabilities: [KUBECTL_GET] },
        parent({ authorization_details: [{ type: 'x', capabilities: [ONE] }] }),
      ),
      'not_narrower',
    ],
    ['deeper than the parent allows', child({}, parent({ del_max_depth: 1 })), 'depth_exceeded'],
    ['a greater depth than the parent', child({ maxDepth: 3 }), 'not_narrower'],
    ['deeper than the rules allow', child({}, parent({ del_depth: 2, del_max_depth: 3 })), 'depth_exceeded'],
    ['a capability that no rule has', child({ capabilities: [KUBECTL_APPLY] }), 'not_delegable'],
  ];
  for (const [what, result, name] of refusals)
    it(`refuses ${what}: ${name}`, () =>
      expect(isRefusal(result) ? result.name : result.kind).to.equal(name));

  it('makes only tokens that are read back as they were meant', () => {
    const resources = fc.array(fc.constantFrom('namespaces/staging/a', 'namespaces/staging/b/*', '*', '..'), {
      maxLength: 3,
    });
    const capabilities = fc.oneof(
      fc.constant([ONE]),
      resources.map((each) => [{ name: 'kubectl_get', resources: each }]),
      fc.constant([ONE, KUBECTL_APPLY]),
    );
    const anything = fc.record(
      {
        to: fc.constantFrom(C, C, C, X),
        capabilities,
        ttlSeconds: fc.constantFrom(1, 60, 116, -1, 0, 117, 0.1, Number.NaN),
        maxUses: fc.constantFrom(1, 1, 0, 2, Number.NaN),
        maxDepth: fc.constantFrom(2, 2, 0, 1, 3),
        delegableUntil: fc.constantFrom(T0 + 50, T0 + 600, -0.5),
      },
      { requiredKeys: ['to', 'capabilities'] },
    );
    let minted = 0;
    fc.assert(
      fc.property(anything, (changes) => {
        const result = child(changes);
        if (isRefusal(result)) return;
        minted++;
        const token = readToken(signJws(headerOf(B), result.payload, signerOf(B)), TOKEN_CRYPTO);
        expect(isRefusal(token) ? token : token.claims).to.deep.equal(result.claims);
        expect(readPlainClaims(result.payload)).to.deep.equal(result.claims);
      }),
      { numRuns: 3000 },
    );
    expect(minted).to.be.above(0);
  });
});

describe('uuidV7', () => {
  it('has the time in front, version and variant in their place', () => {
    expect(uuidV7(0x01a1f8660d01, new Uint8Array(10).fill(0xff))).to.equal(
      '01a1f866-0d01-7fff-bfff-ffffffffffff',
    );
    expect(uuidV7(1, new Uint8Array(10))).to.equal('00000000-0001-7000-8000-000000000000');
  });

  it('keeps every bit of randomness that it takes but six', () => {
    const made = new Set<string>();
    for (let bit = 0; bit < 80; bit++) {
      const random = new Uint8Array(10);
      random[bit >> 3] = 1 << (bit & 7);
      made.add(uuidV7(1, random));
    }
    expect(made.size).to.equal(80 - 6 + 1);
  });
});
