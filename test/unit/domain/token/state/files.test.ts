import { expect } from 'chai';
import { readPolicyFile, TokenPolicies } from '../../../../../src/domain/token/state/policy-file.ts';
import { readRevocationsFile } from '../../../../../src/domain/token/state/revocations-file.ts';
import { A, B, C, type Json, POLICY, REVOCATIONS, T0, X } from '../../../../support/token/scene.ts';

describe('readPolicyFile', () => {
  const changed = (change: (edge: Json, grant: Json) => void): string => {
    const policy = structuredClone(POLICY);
    const [edge = {}] = policy['edges'] as Json[];
    const [grant = {}] = edge['grants'] as Json[];
    change(edge, grant);
    return JSON.stringify(policy);
  };

  it('gives edges by their ends, and who may begin', () => {
    const file = readPolicyFile(JSON.stringify(POLICY));
    const policies = file && new TokenPolicies(file);
    expect(policies?.edge(A, B)).to.deep.equal((POLICY['edges'] as Json[])[0]);
    expect(policies?.edge(B, A)).to.equal(undefined);
    expect([A, B, X].map((agent) => policies?.mayOriginate(agent))).to.deep.equal([true, false, false]);
  });

  for (const [what, change] of [
    ['an agent that is none', (edge: Json) => Object.assign(edge, { to: 'ai-agents/agent-validator' })],
    ['an unknown binding', (edge: Json) => Object.assign(edge, { binding: 'Auto' })],
    ['a member that nobody knows', (edge: Json) => Object.assign(edge, { more: 1 })],
    ['a missing limit', (edge: Json) => Object.assign(edge, { maxChildren: undefined })],
    ['a depth of 9', (_: Json, grant: Json) => Object.assign(grant, { maxDepth: 9 })],
    [
      'a life of 301 s',
      (_: Json, grant: Json) => Object.assign(grant, { tokens: { maxTtlSeconds: 301, maxUses: 1 } }),
    ],
    [
      'an unknown use',
      (_: Json, grant: Json) => Object.assign(grant, { capabilities: [{ name: 'x', use: 'Both' }] }),
    ],
    ['a policy that is none', (_: Json, grant: Json) => Object.assign(grant, { policy: 'swarm' })],
  ] as const)
    it(`refuses ${what}`, () => expect(readPolicyFile(changed(change))).to.equal(undefined));

  it('refuses another version', () => {
    expect(readPolicyFile(JSON.stringify({ ...POLICY, version: 2 }))).to.equal(undefined);
  });
});

describe('readRevocationsFile', () => {
  const reads = (changes: Json): boolean =>
    readRevocationsFile(JSON.stringify({ ...REVOCATIONS, ...changes })) !== undefined;
  const entry = (selectors: Json): Json => ({ revocations: [{ ...selectors, until: T0 }] });

  for (const changes of [
    {},
    { suspended: [A], notBefore: { [B]: T0 } },
    entry({ tokenID: 'x' }),
    entry({ agent: C, policy: 'ai/p', transaction: 'x', issuedBefore: 1, namespace: 'ai' }),
    entry({ subject: { issuer: 'https://idp.example.org', name: 'x' } }),
    entry({ everything: true, issuedBefore: 1 }),
  ])
    it(`accepts ${JSON.stringify(changes).slice(0, 70)}`, () => expect(reads(changes)).to.equal(true));

  for (const changes of [
    { version: 2 },
    { suspended: ['agent-coordinator'] },
    { notBefore: { [B]: '1' } },
    { more: [] },
    entry({}),
    entry({ namespace: 'ai', issuedBefore: 1 }),
    entry({ everything: false }),
    entry({ everything: true, agent: A }),
    entry({ agent: A, more: 1 }),
    { revocations: [{ agent: A }] },
    { revocations: Array.from({ length: 2001 }, () => ({ agent: A, until: T0 })) },
  ])
    it(`refuses ${JSON.stringify(changes).slice(0, 70)}`, () => expect(reads(changes)).to.equal(false));
});
