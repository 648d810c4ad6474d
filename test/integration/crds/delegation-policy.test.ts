/** The DelegationPolicy schema in a real API server: every rule has what it accepts and what it rejects. */

import { expect } from 'chai';
import { DELEGATION_POLICY } from '../../../src/api/group.ts';
import { acceptedCapabilities, type Place, rejectedCapabilities } from './capabilities.ts';
import {
  type Examples,
  itBeginsPending,
  itHasMetEveryConstraint,
  itJudges,
  type Spec,
  useServedKind,
} from './served-kind.ts';

const RULE = { from: 'agent-coordinator', to: ['agent-deployer'], capabilities: [{ name: 'kubectl_get' }] };

/** A policy of one rule, which differs from {@link RULE} in this. */
const oneRule = (change: Spec): Spec => ({ rules: [{ ...RULE, ...change }] });

const CAPABILITIES: Place = {
  path: 'spec.rules[0].capabilities',
  in: (capabilities) => oneRule({ capabilities }),
};

const agents = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `agent-${index}`);

const EXAMPLES: Examples = {
  accepted: {
    'an empty spec': {},
    'an empty list of rules': { rules: [] },
    'every field': {
      maxDepth: 2,
      rules: [
        {
          name: 'deploy',
          ...RULE,
          to: ['agent-deployer', 'ai-data/agent-analyst'],
          tokens: { maxTTL: '2m', maxUses: 1, taskTTL: '10m' },
          rateLimit: { delegations: 60, period: '1m' },
        },
      ],
    },
    'the least of everything': {
      maxDepth: 1,
      rules: [
        {
          name: 'a',
          from: 'a',
          to: ['b'],
          capabilities: [{ name: 'c' }],
          tokens: { maxTTL: '10s', maxUses: 1, taskTTL: '10s' },
          rateLimit: { delegations: 1, period: '1s' },
        },
      ],
    },
    'the most of everything': {
      maxDepth: 8,
      rules: [
        {
          name: 'a'.repeat(63),
          from: 'a'.repeat(40),
          to: [...agents(63), `${'n'.repeat(63)}/${'a'.repeat(40)}`],
          capabilities: RULE.capabilities,
          tokens: { maxTTL: '5m', maxUses: 5, taskTTL: '1h' },
          rateLimit: { delegations: 100_000, period: '1h' },
        },
      ],
    },
    '256 rules of 64 agents and 64 capabilities': {
      rules: agents(256).map((name) => ({
        name,
        from: 'a',
        to: agents(64),
        capabilities: agents(64).map((capability) => ({ name: capability })),
        tokens: { maxTTL: '1m30s', taskTTL: '90000ms' },
        rateLimit: { delegations: 1, period: '1m' },
      })),
    },
    'an agent of the same name in another namespace': oneRule({ from: 'a', to: ['ai-data/a'] }),
    'a namespace that begins with a digit': oneRule({ to: ['1st/a'] }),
    'rules without a name beside one with': { rules: [RULE, RULE, { name: 'deploy', ...RULE }] },
    ...acceptedCapabilities(CAPABILITIES),
  },
  rejected: {
    'a depth of 0': [{ maxDepth: 0 }, 'spec.maxDepth', 'greater than or equal to 1'],
    'a depth of 9': [{ maxDepth: 9 }, 'spec.maxDepth', 'less than or equal to 8'],
    '257 rules': [
      { rules: Array.from({ length: 257 }, () => RULE) },
      'spec.rules',
      'must have at most 256 items',
    ],
    'two rules of one name': [
      { rules: [{ name: 'deploy', ...RULE }, RULE, { name: 'deploy', ...RULE }] },
      'spec.rules',
      'rule names must be unique; rename one of the rules',
    ],
    'a rule that says nothing': [
      { rules: [{}] },
      'spec.rules[0].from: Required value',
      'spec.rules[0].to: Required value',
      'spec.rules[0].capabilities: Required value',
    ],
    'a delegation to oneself': [
      { rules: [RULE, { ...RULE, to: ['agent-deployer', 'agent-coordinator'] }] },
      'spec.rules[1].to',
      'an agent cannot delegate to itself; take the agent that stands in from out of to',
    ],
    'an empty rule name': [oneRule({ name: '' }), 'spec.rules[0].name', 'at least 1 chars'],
    'a rule name with a dot': [oneRule({ name: 'a.b' }), 'spec.rules[0].name', 'should match'],
    'a rule name of 64 characters': [
      oneRule({ name: 'a'.repeat(64) }),
      'spec.rules[0].name',
      'may not be more than 63 bytes',
    ],
    'a rule from nobody': [oneRule({ from: '' }), 'spec.rules[0].from', 'at least 1 chars'],
    'a rule from an agent with capitals': [oneRule({ from: 'A' }), 'spec.rules[0].from', 'should match'],
    'a rule from an agent that begins with a digit': [
      oneRule({ from: '1a' }),
      'spec.rules[0].from',
      'should match',
    ],
    'a rule from an agent of another namespace': [
      oneRule({ from: 'ai-data/agent-analyst' }),
      'spec.rules[0].from',
      'should match',
    ],
    'a rule from an agent of 41 letters': [
      oneRule({ from: 'a'.repeat(41) }),
      'spec.rules[0].from',
      'may not be more than 40 bytes',
    ],
    'a rule to nobody': [oneRule({ to: [] }), 'spec.rules[0].to', 'should have at least 1 items'],
    'a rule to 65 agents': [oneRule({ to: agents(65) }), 'spec.rules[0].to', 'must have at most 64 items'],
    'an agent twice': [oneRule({ to: ['a', 'b', 'a'] }), 'spec.rules[0].to[2]', 'Duplicate value: "a"'],
    'an empty agent': [oneRule({ to: [''] }), 'spec.rules[0].to[0]', 'at least 1 chars'],
    'a rule to everybody': [oneRule({ to: ['*'] }), 'spec.rules[0].to[0]', 'should match'],
    'a rule to everybody of a namespace': [
      oneRule({ to: ['ai-data/*'] }),
      'spec.rules[0].to[0]',
      'should match',
    ],
    'an agent of a namespace without a name': [
      oneRule({ to: ['/a'] }),
      'spec.rules[0].to[0]',
      'should match',
    ],
    'an agent of two namespaces': [oneRule({ to: ['a/b/c'] }), 'spec.rules[0].to[0]', 'should match'],
    'an agent of 41 letters': [
      oneRule({ to: ['a', `ai-data/${'a'.repeat(41)}`] }),
      'spec.rules[0].to[1]',
      'should match',
    ],
    'an agent of 105 characters': [
      oneRule({ to: ['a'.repeat(105)] }),
      'spec.rules[0].to[0]',
      'may not be more than 104 bytes',
    ],
    'a token life of 9 s': [
      oneRule({ tokens: { maxTTL: '9s' } }),
      'spec.rules[0].tokens.maxTTL',
      'maxTTL must be 10s to 5m, for example 2m',
    ],
    'a token life of more than 5 min': [
      oneRule({ tokens: { maxTTL: '5m1ms' } }),
      'spec.rules[0].tokens.maxTTL',
      'maxTTL must be 10s to 5m, for example 2m',
    ],
    'a token life that is none': [
      oneRule({ tokens: { maxTTL: '-2m', taskTTL: '1.5m' } }),
      'spec.rules[0].tokens.maxTTL',
      'spec.rules[0].tokens.taskTTL',
      'should match',
    ],
    'durations of 33 characters': [
      oneRule({
        tokens: { maxTTL: '0'.repeat(32).concat('s'), taskTTL: '0'.repeat(32).concat('s') },
        rateLimit: { delegations: 1, period: '0'.repeat(32).concat('s') },
      }),
      'spec.rules[0].tokens.maxTTL: Too long',
      'spec.rules[0].tokens.taskTTL: Too long',
      'spec.rules[0].rateLimit.period: Too long',
    ],
    'a task of 9 s': [
      oneRule({ tokens: { taskTTL: '9s' } }),
      'spec.rules[0].tokens.taskTTL',
      'taskTTL must be 10s to 1h, for example 10m',
    ],
    'a task of more than an hour': [
      oneRule({ tokens: { taskTTL: '1h1s' } }),
      'spec.rules[0].tokens.taskTTL',
      'taskTTL must be 10s to 1h, for example 10m',
    ],
    'no use at all': [
      oneRule({ tokens: { maxUses: 0 } }),
      'spec.rules[0].tokens.maxUses',
      'greater than or equal to 1',
    ],
    'six uses': [
      oneRule({ tokens: { maxUses: 6 } }),
      'spec.rules[0].tokens.maxUses',
      'less than or equal to 5',
    ],
    'a rate without a number': [
      oneRule({ rateLimit: { period: '1m' } }),
      'spec.rules[0].rateLimit.delegations',
      'Required value',
    ],
    'a rate of 0': [
      oneRule({ rateLimit: { delegations: 0 } }),
      'spec.rules[0].rateLimit.delegations',
      'greater than or equal to 1',
    ],
    'a rate of 100,001': [
      oneRule({ rateLimit: { delegations: 100_001 } }),
      'spec.rules[0].rateLimit.delegations',
      'less than or equal to 100000',
    ],
    'a period of half a second': [
      oneRule({ rateLimit: { delegations: 1, period: '500ms' } }),
      'spec.rules[0].rateLimit.period',
      'period must be 1s to 1h, for example 1m',
    ],
    'a period of two hours': [
      oneRule({ rateLimit: { delegations: 1, period: '2h' } }),
      'spec.rules[0].rateLimit.period',
      'period must be 1s to 1h, for example 1m',
    ],
    'a period that is none': [
      oneRule({ rateLimit: { delegations: 1, period: 'minute' } }),
      'spec.rules[0].rateLimit.period',
      'should match',
    ],
    'a field that does not exist': [oneRule({ too: ['a'] }), 'unknown field "spec.rules[0].too"'],
    ...rejectedCapabilities(CAPABILITIES),
  },
};

describe('DelegationPolicy in the API server', () => {
  const kind = useServedKind(DELEGATION_POLICY);

  itJudges(kind, EXAMPLES);
  itBeginsPending(kind, oneRule({}));

  it('rejects a name of 64 letters, one with a dot, and an object without a spec', async () => {
    expect(await kind().refusal(kind().create({}, 'a'.repeat(64)))).to.include('metadata.name: Too long');
    expect(await kind().refusal(kind().create({}, 'a.b'))).to.match(/metadata\.name: .* should match/);
    const { metadata } = kind().written({});
    const empty = kind().admin.client.create(DELEGATION_POLICY, { metadata });
    expect(await kind().refusal(empty)).to.include('spec: Required value');
  });

  itHasMetEveryConstraint(kind);

  it('fills in nothing but maxDepth, so that what the author left out stays out', async () => {
    const spec = oneRule({ tokens: {}, rateLimit: { delegations: 1 } });
    expect((await kind().create(spec)).spec).to.deep.equal({ maxDepth: 2, ...spec });
  });

  it('removes a rule and a capability that the author took out, whoever else applied them', async () => {
    const two = [RULE, { ...RULE, from: 'b', capabilities: [{ name: 'a' }, { name: 'b' }] }];
    const written = kind().written({ rules: two });
    await kind().create(written.spec, written.metadata.name);
    await kind().admin.client.apply(DELEGATION_POLICY, written);
    const rules = [{ ...RULE, from: 'b', capabilities: [{ name: 'b' }] }];
    const applied = await kind().admin.client.apply(DELEGATION_POLICY, { ...written, spec: { rules } });
    expect(applied.spec).to.deep.equal({ maxDepth: 2, rules });
  });

  it('keeps 16 problems with a known reason and a message', async () => {
    const { metadata } = await kind().create(oneRule({}));
    const { name, namespace, uid = '' } = metadata;
    const report = (problems: readonly object[]): Promise<unknown> =>
      kind().admin.client.applyStatus(DELEGATION_POLICY, {
        metadata: { name, namespace: namespace ?? '', uid },
        status: { problems },
      });
    const problem = { rule: 0, to: 'ai-data/a', capability: 'a', reason: 'NotFound', message: 'No agent.' };
    const problems = Array.from({ length: 16 }, () => problem);
    await report(problems);
    expect((await kind().get({ metadata, spec: {} })).status).to.deep.include({ problems });
    expect(await kind().refusal(report([...problems, problem]))).to.include('must have at most 16 items');
    expect(await kind().refusal(report([{ ...problem, reason: 'Other' }]))).to.include('supported values');
    const { message: _message, ...silent } = problem;
    expect(await kind().refusal(report([silent]))).to.include('status.problems[0].message: Required value');
  });

  it('is listed under its short name and category, in columns', async () => {
    await kind().create({}, 'columns');
    const headings = ['NAME', 'READY', 'DEPTH', 'EDGES', 'EMPTY', 'AGE'];
    expect(await kind().columns('dp', 'columns', '-n', 'default')).to.deep.equal(headings);
    expect(await kind().columns('agenttrust', '-n', 'default')).to.deep.equal(headings);
  });
});
