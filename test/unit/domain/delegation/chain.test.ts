import { expect } from 'chai';
import type { Capability } from '../../../../src/domain/capability/capability.ts';
import { chainCapabilities, evaluateChain } from '../../../../src/domain/delegation/chain.ts';
import type { AgentId, RuleFacts } from '../../../../src/domain/delegation/facts.ts';
import { agent, graphOf, policy, rule } from './fixture.ts';

const CHAIN: readonly AgentId[] = ['ai/coordinator', 'ai/deployer', 'ai/validator'];
const GET: Capability = { name: 'get' };
const STAGING: Capability = { name: 'get', resources: ['namespaces/staging/*'] };
const ASKED = { name: 'get', resource: 'namespaces/staging/web' };

const AGENTS = CHAIN.map((id) => agent(id, [GET]));

function second(capabilities: readonly Capability[], rest: Partial<RuleFacts> = {}): RuleFacts {
  return rule(['ai/validator'], capabilities, { from: 'deployer', ...rest });
}

describe('evaluateChain', () => {
  it('takes for each link the first rule that allows what is asked in a chain of this length, with all of its limits', () => {
    const wide = rule(['ai/deployer'], [GET], { tokens: { maxTtlSeconds: 20, maxUses: 1 } });
    const staging = rule(['ai/deployer'], [STAGING], {
      name: 'staging',
      tokens: { maxTtlSeconds: 90, maxUses: 3 },
    });
    const other = rule(['ai/deployer'], [{ name: 'get', resources: ['namespaces/production/*'] }]);
    const last = second([GET], { tokens: { maxTtlSeconds: 60, maxUses: 4 }, taskTtlSeconds: 600 });
    const graph = graphOf(AGENTS, [
      policy([wide], { name: 'a-shallow', maxDepth: 1 }),
      policy([other, staging, wide, last], { name: 'b-deep', maxDepth: 3 }),
    ]);
    expect(evaluateChain(graph, CHAIN, ASKED)).to.deep.equal({
      kind: 'granted',
      links: [
        {
          policy: 'ai/b-deep',
          rule: 1,
          ruleName: 'staging',
          capabilities: [STAGING],
          maxDepth: 3,
          tokens: { maxTtlSeconds: 90, maxUses: 3 },
        },
        {
          policy: 'ai/b-deep',
          rule: 3,
          capabilities: [GET],
          maxDepth: 3,
          tokens: { maxTtlSeconds: 60, maxUses: 4 },
          taskTtlSeconds: 600,
        },
      ],
      maxDepth: 3,
      tokens: { maxTtlSeconds: 60, maxUses: 3 },
    });
  });

  it('asks for the capability without limit when no resource is named', () => {
    const limited = graphOf(AGENTS, [policy([rule(['ai/deployer'], [STAGING])])]);
    const unlimited = graphOf(AGENTS, [policy([rule(['ai/deployer'], [GET])])]);
    expect(evaluateChain(limited, CHAIN.slice(0, 2), { name: 'get' }).kind).to.equal('withheld');
    expect(evaluateChain(unlimited, CHAIN.slice(0, 2), { name: 'get' }).kind).to.equal('granted');
  });

  it('lets an agent come twice, as deep as the policy says', () => {
    const back = { ...rule(['ai/coordinator'], [GET]), from: 'deployer' };
    const graph = graphOf(AGENTS, [policy([rule(['ai/deployer'], [GET]), back], { maxDepth: 3 })]);
    const circle: AgentId[] = ['ai/coordinator', 'ai/deployer', 'ai/coordinator', 'ai/deployer'];
    expect(evaluateChain(graph, circle, ASKED).kind).to.equal('granted');
    expect(evaluateChain(graph, [...circle, 'ai/coordinator'], ASKED)).to.deep.equal({
      kind: 'withheld',
      link: 0,
      reason: 'depth_exceeded',
      message: 'This would be a chain of 4 delegations of at most 3 (policy ai/swarm).',
    });
  });

  const passesOn: Capability = { name: 'get', use: 'Delegate' };
  const uses: Capability = { name: 'get', use: 'Invoke' };
  const bothLinks = [rule(['ai/deployer'], [GET]), second([STAGING])];
  const refused = {
    'less than two agents': [CHAIN.slice(0, 1), ASKED, AGENTS, 0, 'too_short'],
    'more links than any policy allows': [
      Array.from({ length: 10 }, () => CHAIN[0]),
      ASKED,
      AGENTS,
      0,
      'too_long',
    ],
    'a link without a rule': [['ai/coordinator', 'ai/validator'], ASKED, AGENTS, 0, 'not_delegable'],
    'a resource that one link does not grant': [
      CHAIN,
      { name: 'get', resource: 'namespaces/production/web' },
      AGENTS,
      1,
      'not_granted',
    ],
    'a last agent that may only pass it on': [
      CHAIN,
      ASKED,
      [...AGENTS.slice(0, 2), agent('ai/validator', [passesOn])],
      1,
      'not_invocable',
    ],
    'an agent between that may only use it': [
      CHAIN,
      ASKED,
      [...AGENTS.slice(0, 1), agent('ai/deployer', [uses]), ...AGENTS.slice(2)],
      0,
      'not_invocable',
    ],
  } as const;
  for (const [name, [chain, asked, agents, link, reason]] of Object.entries(refused)) {
    it(`withholds over ${name}`, () => {
      const result = evaluateChain(graphOf(agents, [policy(bothLinks)]), chain as readonly AgentId[], asked);
      expect(result).to.include({ kind: 'withheld', link, reason });
    });
  }

  it('lets an agent between pass on what it may not use', () => {
    const agents = [...AGENTS.slice(0, 1), agent('ai/deployer', [passesOn]), ...AGENTS.slice(2)];
    expect(evaluateChain(graphOf(agents, [policy(bothLinks)]), CHAIN, ASKED).kind).to.equal('granted');
  });
});

describe('chainCapabilities', () => {
  it('is the union of the rules on each link, and of the links what they have in common', () => {
    const rules = [
      rule(['ai/deployer'], [{ name: 'get', resources: ['a/*', 'b/1'] }, { name: 'apply' }]),
      rule(['ai/deployer'], [{ name: 'get', resources: ['b/*'] }]),
      second([{ name: 'get', resources: ['a/1', 'b/2', 'c'] }]),
    ];
    const agents = CHAIN.map((id) => agent(id, [GET, { name: 'apply' }]));
    expect(chainCapabilities(graphOf(agents, [policy(rules)]), CHAIN)).to.deep.equal([
      { name: 'get', resources: ['a/1', 'b/2'] },
    ]);
  });

  it('is nothing for a chain that is deeper than its policies', () => {
    const rules = [rule(['ai/deployer'], [GET]), second([GET])];
    expect(chainCapabilities(graphOf(AGENTS, [policy(rules, { maxDepth: 1 })]), CHAIN)).to.deep.equal([]);
  });
});
