import { hash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { encodeHeader, signJws } from '../../../../../src/crypto/jose/signer.ts';
import { REFUSAL_NAMES } from '../../../../../src/domain/token/refusal.ts';
import type { TokenRequest } from '../../../../../src/domain/token/verify/verifier.ts';
import { judge } from '../../../../../src/domain/token/verify/verify.ts';
import { MUTATION, type Mutation, type Presented } from '../../../../support/token/mutations.ts';
import { isValid } from '../../../../support/token/reference.ts';
import {
  A,
  APPLY,
  agentOf,
  B,
  BUNDLE,
  type Bundle,
  C,
  type Draft,
  draft,
  FROM_SERVICE,
  type Json,
  LEAF_CLAIMS,
  POLICY,
  proofFor,
  REVOCATIONS,
  ROOT_CLAIMS,
  SERVICE,
  STAGING,
  T0,
  USER_LEAF_CLAIMS,
  USER_ROOT_CLAIMS,
  verifierAt,
  X,
} from '../../../../support/token/scene.ts';

const RUNS = Number(process.env['MUTATIONS'] ?? 100_000);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
/** Those that a run has to come across: of steps 1 to 16. */
const JUDGED_NAMES = ['accepted', ...REFUSAL_NAMES.slice(0, REFUSAL_NAMES.indexOf('rate_limited'))];
const HOST = 'agent-validator.ai-agents.svc:8443';

const grant = (rule: number, capabilities: readonly Json[], rest: Json = {}): Json => ({
  policy: 'ai-agents/swarm',
  rule,
  capabilities,
  maxDepth: 4,
  tokens: { maxTtlSeconds: 120, maxUses: 2 },
  ...rest,
});
const edge = (from: string, to: string, binding: string, grants: readonly Json[]): Json => ({
  from,
  to,
  binding,
  maxChildren: 16,
  grants,
});
const EDGES: readonly Json[] = [
  edge(A, B, 'Certificate', [
    grant(0, [{ ...APPLY, use: 'Invoke' }, STAGING], {
      maxDepth: 2,
      tokens: { maxTtlSeconds: 300, maxUses: 1 },
    }),
    grant(1, [{ ...APPLY, use: 'Invoke' }, STAGING], { taskTtlSeconds: 600 }),
  ]),
  edge(B, A, 'Key', [grant(2, [STAGING])]),
  edge(B, C, 'Key', [grant(3, [{ ...APPLY, use: 'Delegate' }, STAGING], { taskTtlSeconds: 600 })]),
  edge(A, C, 'Key', [grant(4, [{ name: 'kubectl_get' }], { maxDepth: 1 })]),
];
const policyWith = (edges: readonly Json[], originate: readonly string[] = [A]): Bundle => ({
  ...BUNDLE,
  policy: {
    ...POLICY,
    agents: Object.fromEntries(originate.map((id) => [id, agentOf(id, true)])),
    edges,
  },
});
const BASE = policyWith(EDGES);
const revoking = (changes: Json): Bundle => ({ ...BASE, revocations: { ...REVOCATIONS, ...changes } });
const revocation = (selectors: Json): Bundle =>
  revoking({ revocations: [{ ...selectors, until: T0 + 3600 }] });
const keyOf = (issuer: string, change: Json | undefined): Bundle => {
  const jwks = structuredClone(BUNDLE.jwks) as { issuers: Record<string, { keys: Json[] }> };
  const keys = jwks.issuers[issuer]?.keys ?? [];
  jwks.issuers[issuer] = { keys: change === undefined ? [] : keys.map((key) => ({ ...key, ...change })) };
  return { ...BASE, jwks: { ...BUNDLE.jwks, issuers: jwks.issuers } };
};
const BUNDLES: readonly Bundle[] = [
  policyWith(EDGES.slice(1)),
  policyWith(EDGES.toSpliced(2, 1)),
  policyWith(EDGES, [A, B]),
  policyWith(EDGES, []),
  policyWith(EDGES.map((each) => ({ ...each, binding: 'Certificate' }))),
  revoking({ suspended: [A] }),
  revoking({ suspended: [X] }),
  revoking({ notBefore: { [B]: T0 + 3 } }),
  revoking({ notBefore: { [A]: T0 } }),
  revocation({ tokenID: ROOT_CLAIMS['jti'] }),
  revocation({ transaction: ROOT_CLAIMS['txn'], agent: C, issuedBefore: T0 - 30 }),
  revocation({ agent: C, issuedBefore: T0 - 28 }),
  revocation({ subject: { issuer: 'https://idp.example.org', name: '248289761001' } }),
  revocation({ everything: true, issuedBefore: T0 - 31 }),
  keyOf(B, undefined),
  keyOf(B, { until: T0 + 3 }),
  keyOf(A, { since: T0 + 1 }),
  keyOf(A, { until: T0 - 1 }),
  { ...BASE, expiresAtSeconds: T0 + 60 },
];
const WORLDS = [BASE, ...BUNDLES].map((bundle) => ({ bundle, verifier: verifierAt(C, bundle) }));

const below = (claims: Json, changes: Json): Json => ({ ...claims, ...changes });
const STORIES: readonly (readonly Draft[])[] = [
  [ROOT_CLAIMS, LEAF_CLAIMS].map(draft),
  [draft({ ...ROOT_CLAIMS, iss: SERVICE, jti: '01a1f866-0d01-7be0-9f3f-f7ed220a7e4d' }), draft(LEAF_CLAIMS)],
  [FROM_SERVICE.leaf],
  [USER_ROOT_CLAIMS, USER_LEAF_CLAIMS].map(draft),
  // A -> B -> A -> B -> C: an agent may come twice.
  [
    below(ROOT_CLAIMS, {
      del_max_depth: 4,
      authorization_details: [{ type: 'https://agenttrust.dev/capability/v1', capabilities: [STAGING] }],
    }),
    below(LEAF_CLAIMS, {
      aud: A,
      iat: T0 + 1,
      del_depth: 2,
      del_max_depth: 4,
      authorization_details: [{ type: 'https://agenttrust.dev/capability/v1', capabilities: [STAGING] }],
      exp: T0 + 90,
    }),
    below(ROOT_CLAIMS, {
      iat: T0 + 2,
      exp: T0 + 80,
      del_depth: 3,
      del_max_depth: 4,
      authorization_details: [{ type: 'https://agenttrust.dev/capability/v1', capabilities: [STAGING] }],
    }),
    below(LEAF_CLAIMS, { del_depth: 4, del_max_depth: 4 }),
  ].map(draft),
];
const TIMES = [5, 5, 5, 5, 5, -26, -27, 33, 34, 93, 94, 149, 150].map((offset) => T0 + offset);

const sealed = new Map<string, string>();

/** Signing again what was signed before is most of the time of a run. */
function sign(header: Json, payload: string, { signer }: Draft): string {
  const key = `${signer.kid} ${JSON.stringify(header)} ${payload}`;
  const before = sealed.get(key);
  if (before !== undefined) return before;
  if (sealed.size > 10_000) sealed.clear();
  const made = signJws(encodeHeader(header), payload, signer);
  sealed.set(key, made);
  return made;
}

function present(story: readonly Draft[], mutations: readonly Mutation[]): TokenRequest {
  const start: Presented = {
    drafts: story,
    payloadText: new Map(),
    compact: new Map(),
    ownHash: new Set(),
    parents: (parents) => parents,
    proof: (made) => made,
    request: (made) => made,
  };
  const presented = mutations.reduce((all, mutate) => mutate(all), start);
  const tokens: string[] = [];
  for (const [index, each] of presented.drafts.entries()) {
    const above = tokens.at(-1);
    const input = above?.slice(0, above.lastIndexOf('.'));
    const isHashed = input !== undefined && !presented.ownHash.has(index);
    const payload = isHashed
      ? { ...each.payload, par_hash: hash('sha256', input, 'base64url') }
      : each.payload;
    const text = (presented.payloadText.get(index) ?? ((same) => same))(JSON.stringify(payload));
    tokens.push((presented.compact.get(index) ?? ((same) => same))(sign(each.header, text, each)));
  }
  const [leaf = '', ...above] = tokens.toReversed();
  const parents = presented.parents(above);
  const proof = presented.proof(proofFor(leaf));
  return presented.request({
    fields: {
      authorization: [`DPoP ${leaf}`],
      dpop: [sign(proof.header, JSON.stringify(proof.payload), proof)],
      delegationChain: parents.length === 0 ? [] : [parents.join(', ')],
    },
    method: 'POST',
    path: '/mcp',
    peer: { kind: 'mesh', spiffeId: B },
    asked: { name: 'kubectl_get', resource: 'namespaces/staging/deployments/web' },
    attemptId: 'attempt',
    fingerprint: 'fingerprint',
  });
}

describe('judge', function () {
  this.timeout(600_000);

  it('accepts each story as it is', () => {
    for (const story of STORIES) {
      const result = judge(present(story, []), verifierAt(C, BASE), T0 + 5);
      expect(result.kind === 'refused' ? result : result.kind).to.equal('judged');
    }
  });

  it(`decides on ${RUNS} mutated chains as the slow reference does (SEED=${SEED})`, () => {
    const outcomes = new Map<string, number>();
    const arbitrary = fc.tuple(
      fc.constantFrom(...STORIES),
      fc.array(MUTATION, { minLength: 1, maxLength: 3 }),
      fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(WORLDS.length - 1) }),
      fc.oneof(
        { weight: 6, arbitrary: fc.constant(T0 + 5) },
        { weight: 1, arbitrary: fc.constantFrom(...TIMES) },
      ),
    );
    const property = fc.property(arbitrary, ([story, mutations, world, nowSeconds]) => {
      const { bundle, verifier } = WORLDS[world] ?? { bundle: BASE, verifier: verifierAt(C, BASE) };
      const request = present(story, mutations);
      const judged = judge(request, verifier, nowSeconds);
      const outcome = judged.kind === 'refused' ? judged.name : 'accepted';
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      const isRight =
        isValid(request, { self: C, host: HOST, bundle, nowSeconds }) === (outcome === 'accepted');
      if (!isRight)
        throw new Error(`the verifier says ${outcome} at ${nowSeconds - T0}: ${JSON.stringify(request)}`);
    });
    fc.assert(property, { numRuns: RUNS, seed: SEED });
    if (RUNS >= 100_000) for (const name of JUDGED_NAMES) expect(outcomes).to.include.keys(name);
  });
});
