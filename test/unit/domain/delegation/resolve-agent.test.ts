import { expect } from 'chai';
import { type AgentInput, resolveAgent } from '../../../../src/domain/delegation/resolve-agent.ts';

const AGENT = { namespace: 'ai-agents', name: 'deployer' };

describe('resolveAgent', () => {
  it('fills in everything an empty spec leaves out: a ceiling of nothing', () => {
    expect(resolveAgent(AGENT, {})).to.deep.equal({
      facts: { ...AGENT, capabilities: [], acceptFrom: [], tokens: { maxTtlSeconds: 300, maxUses: 5 } },
      invalidFields: [],
    });
  });

  it('keeps what the author wrote', () => {
    const spec: AgentInput = {
      capabilities: [
        { name: 'kubectl_get' },
        { name: 'kubectl_apply', resources: ['namespaces/staging/*'], use: 'Invoke' },
      ],
      acceptFrom: [{ namespace: 'ai-planning', agents: ['planner'] }, { namespace: 'ai-data' }],
      tokens: { maxTTL: '1m', maxUses: 2 },
    };
    expect(resolveAgent(AGENT, spec)).to.deep.equal({
      facts: {
        ...AGENT,
        capabilities: spec.capabilities,
        acceptFrom: spec.acceptFrom,
        tokens: { maxTtlSeconds: 60, maxUses: 2 },
      },
      invalidFields: [],
    });
  });

  const rejected: Readonly<Record<string, readonly [AgentInput, string]>> = {
    'a wildcard as a name': [{ capabilities: [{ name: '*' }] }, 'spec.capabilities[0].name'],
    'a use that there is not': [{ capabilities: [{ name: 'a', use: 'Own' }] }, 'spec.capabilities[0].use'],
    'no resource at all': [
      { capabilities: [{ name: 'a', resources: [] }] },
      'spec.capabilities[0].resources',
    ],
    'a resource with ..': [
      { capabilities: [{ name: 'a', resources: ['ok', '/x/../y'] }] },
      'spec.capabilities[0].resources[1]',
    ],
    'a resource with %2f': [
      { capabilities: [{ name: 'a', resources: ['x%2fy'] }] },
      'spec.capabilities[0].resources[0]',
    ],
    'half a surrogate pair': [
      { capabilities: [{ name: 'a', resources: ['x/\ud800'] }] },
      'spec.capabilities[0].resources[0]',
    ],
    'a name twice': [{ capabilities: [{ name: 'a' }, { name: 'a' }] }, 'spec.capabilities[1].name'],
    'more capabilities than 64': [
      { capabilities: Array.from({ length: 65 }, (_, at) => ({ name: `a${at}` })) },
      'spec.capabilities',
    ],
    'a life of 301 s': [{ tokens: { maxTTL: '301s' } }, 'spec.tokens.maxTTL'],
    'no use': [{ tokens: { maxUses: 0 } }, 'spec.tokens.maxUses'],
  };
  for (const [what, [spec, path]] of Object.entries(rejected)) {
    it(`rejects ${what}`, () => {
      expect(resolveAgent(AGENT, spec).invalidFields.map((text) => text.split(' ')[0])).to.deep.equal([path]);
    });
  }

  it('holds nothing of what is refused', () => {
    const capabilities = [
      { name: '*' },
      { name: 'a', resources: ['%', '/ok'] },
      { name: 'b', resources: ['%'] },
      { name: 'c', use: 'Own' },
    ];
    expect(resolveAgent(AGENT, { capabilities }).facts.capabilities).to.deep.equal([
      { name: 'a', resources: ['/ok'] },
    ]);
  });
});
