import { expect } from 'chai';
import { readPolicyFile } from '../../../../src/domain/token/state/policy-file.ts';
import { audienceOf } from '../../../../src/sdk/http/audience.ts';

const HERE = 'spiffe://cluster.local/ns/ai-agents/sa/deployer';
const THERE = 'spiffe://cluster.local/ns/ai-data/sa/reader';
const policy = readPolicyFile(
  JSON.stringify({
    version: 1,
    clusterDomain: 'cluster.local',
    agents: {
      [HERE]: { name: 'ai-agents/agent-deployer', originate: false },
      [THERE]: { name: 'ai-data/agent-reader', originate: false },
    },
    edges: [],
  }),
);
const find = (host: string) => policy && audienceOf(host, policy, 'ai-agents');

describe('audienceOf', () => {
  for (const host of [
    'agent-deployer',
    'agent-deployer.ai-agents',
    'agent-deployer.ai-agents.svc',
    'agent-deployer.ai-agents.svc.cluster.local',
  ])
    it(`accepts ${host}`, () => {
      expect(find(host)).to.equal(HERE);
    });

  it('accepts an agent of another namespace with its namespace only', () => {
    expect(find('agent-reader.ai-data')).to.equal(THERE);
    expect(find('agent-reader')).to.equal(undefined);
  });

  for (const host of [
    'agent-other',
    'deployer',
    'agent-deployer.svc',
    'agent-deployer.svc.cluster.local',
    'agent-deployer.ai-agents.svc.other.local',
    'agent-deployer.ai-agents.cluster.local',
    'agent-deployer.ai-data',
    'agent-deployer.',
    'x.agent-deployer.ai-agents',
    '10.0.0.1',
    '[::1]',
    '',
  ])
    it(`rejects ${host || 'nothing'}`, () => {
      expect(find(host)).to.equal(undefined);
    });
});
