import { expect } from 'chai';
import {
  type PolicyInput,
  type ResolvedRules,
  type RuleInput,
  readAgentId,
  resolvePolicy,
} from '../../../../src/domain/delegation/resolve-policy.ts';

const POLICY = { namespace: 'ai-agents', name: 'planning' };
const RULE: RuleInput = { from: 'coordinator', to: ['deployer'], capabilities: [{ name: 'kubectl_get' }] };

function resolve(spec: PolicyInput): ReturnType<typeof resolvePolicy> {
  return resolvePolicy(POLICY, spec);
}

describe('resolvePolicy', () => {
  it('fills in everything a rule leaves out', () => {
    expect(resolve({ rules: [RULE] })).to.deep.equal({
      facts: {
        ...POLICY,
        maxDepth: 2,
        rules: [
          {
            from: 'coordinator',
            to: ['ai-agents/deployer'],
            capabilities: [{ name: 'kubectl_get' }],
            tokens: { maxTtlSeconds: 120, maxUses: 1 },
          },
        ],
      },
      invalidFields: [],
    });
  });

  it('keeps what the author wrote', () => {
    const rule: RuleInput = {
      name: 'deploy',
      from: 'coordinator',
      to: ['deployer', 'ai-data/analyst'],
      capabilities: [{ name: 'query_database', resources: ['/data/reports/*', '*'] }],
      tokens: { maxTTL: '90s', maxUses: 3, taskTTL: '10m' },
      rateLimit: { delegations: 60, period: '30s' },
    };
    expect(resolve({ maxDepth: 4, rules: [rule] })).to.deep.equal({
      facts: {
        ...POLICY,
        maxDepth: 4,
        rules: [
          {
            name: 'deploy',
            from: 'coordinator',
            to: ['ai-agents/deployer', 'ai-data/analyst'],
            capabilities: [{ name: 'query_database', resources: ['/data/reports/*', '*'] }],
            tokens: { maxTtlSeconds: 90, maxUses: 3 },
            taskTtlSeconds: 600,
            rateLimit: { delegations: 60, periodSeconds: 30 },
          },
        ],
      },
      invalidFields: [],
    });
  });

  it('takes a policy without rules as one that grants nothing', () => {
    expect(resolve({})).to.deep.equal({ facts: { ...POLICY, maxDepth: 2, rules: [] }, invalidFields: [] });
  });

  it('counts delegations by the minute when nothing else is said', () => {
    const { facts } = resolve({ rules: [{ ...RULE, rateLimit: { delegations: 5 } }] });
    expect(facts.rules[0]?.rateLimit).to.deep.equal({ delegations: 5, periodSeconds: 60 });
  });

  it('names each target once, however it is written', () => {
    const { facts, invalidFields } = resolve({
      rules: [{ ...RULE, to: ['deployer', 'ai-agents/deployer', 'deployer'] }],
    });
    expect([facts.rules[0]?.to, invalidFields]).to.deep.equal([['ai-agents/deployer'], []]);
  });

  it('rounds a life down to whole seconds', () => {
    const { facts } = resolve({ rules: [{ ...RULE, tokens: { maxTTL: '10s999ms' } }] });
    expect(facts.rules[0]?.tokens.maxTtlSeconds).to.equal(10);
  });

  const rejected: Readonly<Record<string, readonly [PolicyInput, string]>> = {
    'a depth of 0': [{ maxDepth: 0 }, 'spec.maxDepth must be 1 to 8'],
    'a depth of 9': [{ maxDepth: 9 }, 'spec.maxDepth must be 1 to 8'],
    'a broken depth': [{ maxDepth: 1.5 }, 'spec.maxDepth must be 1 to 8'],
    'more rules than 256': [
      { rules: Array.from({ length: 257 }, () => RULE) },
      'spec.rules must have at most 256 entries',
    ],
    'a from of another namespace': [
      { rules: [{ ...RULE, from: 'ai-data/analyst' }] },
      'spec.rules[0].from must be the name of an agent of this namespace',
    ],
    'no target': [{ rules: [{ ...RULE, to: [] }] }, 'spec.rules[0].to must name 1 to 64 agents'],
    'a target that is no name': [
      { rules: [{ ...RULE, to: ['a/b/c'] }] },
      'spec.rules[0].to[0] must be the name of an agent, or namespace/name',
    ],
    'itself as target': [
      { rules: [{ ...RULE, to: ['deployer', 'coordinator'] }] },
      'spec.rules[0].to[1] is the delegating agent itself: take it out',
    ],
    'itself as target, with its namespace': [
      { rules: [{ ...RULE, to: ['ai-agents/coordinator'] }] },
      'spec.rules[0].to[0] is the delegating agent itself: take it out',
    ],
    'no capability': [
      { rules: [{ ...RULE, capabilities: [] }] },
      'spec.rules[0].capabilities must name what is handed on; a rule without grants nothing',
    ],
    'a life of 9 s': [
      { rules: [{ ...RULE, tokens: { maxTTL: '9s' } }] },
      'spec.rules[0].tokens.maxTTL must be 10s to 5m',
    ],
    'a life that is none': [
      { rules: [{ ...RULE, tokens: { maxTTL: 'long' } }] },
      'spec.rules[0].tokens.maxTTL must be 10s to 5m',
    ],
    'six uses': [
      { rules: [{ ...RULE, tokens: { maxUses: 6 } }] },
      'spec.rules[0].tokens.maxUses must be 1 to 5',
    ],
    'a task of two hours': [
      { rules: [{ ...RULE, tokens: { taskTTL: '2h' } }] },
      'spec.rules[0].tokens.taskTTL must be 10s to 1h',
    ],
    'no delegation in a period': [
      { rules: [{ ...RULE, rateLimit: { delegations: 0 } }] },
      'spec.rules[0].rateLimit.delegations must be 1 to 100000',
    ],
    'a period of a day': [
      { rules: [{ ...RULE, rateLimit: { delegations: 1, period: '24h' } }] },
      'spec.rules[0].rateLimit.period must be 1s to 1h',
    ],
  };
  for (const [what, [spec, message]] of Object.entries(rejected)) {
    it(`rejects ${what}`, () => {
      expect(resolve(spec).invalidFields).to.deep.equal([message]);
    });
  }

  it('reports everything that is wrong, in the order of the fields', () => {
    const rules = [{ ...RULE, from: '-', tokens: { maxUses: 0 } }, RULE, { ...RULE, to: ['-'] }];
    expect(resolve({ maxDepth: 9, rules }).invalidFields.map((text) => text.split(' ')[0])).to.deep.equal([
      'spec.maxDepth',
      'spec.rules[0].from',
      'spec.rules[0].tokens.maxUses',
      'spec.rules[2].to[0]',
    ]);
  });
});

describe('resolvePolicy: rules that are known', () => {
  const odd: RuleInput = { ...RULE, to: ['Deployer'] };
  const spec: PolicyInput = { rules: [RULE, odd] };

  it('takes a rule that stands in the same place, with what is wrong with it', () => {
    const known: ResolvedRules = new Map();
    const before = resolvePolicy(POLICY, spec, known);
    const after = resolvePolicy(POLICY, structuredClone(spec), known);
    expect(after).to.deep.equal(resolve(spec));
    expect(after.facts.rules.map((rule, index) => rule === before.facts.rules[index])).to.deep.equal([
      true,
      true,
    ]);
  });

  it('resolves one that moved or changed', () => {
    const known: ResolvedRules = new Map();
    resolvePolicy(POLICY, spec, known);
    const moved: PolicyInput = { rules: [odd, RULE, { ...RULE, to: ['other'] }] };
    expect(resolvePolicy(POLICY, moved, known)).to.deep.equal(resolve(moved));
  });
});

describe('readAgentId', () => {
  it('takes a bare name as an agent of the namespace given', () => {
    expect(readAgentId('deployer', 'ai-agents')).to.equal('ai-agents/deployer');
  });

  it('takes a name with its namespace as it is', () => {
    expect(readAgentId('ai-data/analyst', 'ai-agents')).to.equal('ai-data/analyst');
  });

  for (const text of [
    '',
    '/',
    'a/',
    '/a',
    'a/b/c',
    'A',
    'a/1',
    'a b',
    '*',
    'ai-data/*',
    `a/${'b'.repeat(41)}`,
  ]) {
    it(`rejects ${JSON.stringify(text)}`, () => {
      expect(readAgentId(text, 'ai-agents')).to.equal(undefined);
    });
  }
});
