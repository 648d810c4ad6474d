import { expect } from 'chai';
import type { ParentToken } from '../../../src/sdk/http/agent-core.ts';
import type { SwarmEdge } from '../../support/sdk/agent-folder.ts';
import { ExampleAgents, received } from '../../support/sdk/example-agents.ts';
import { presented } from '../../support/sdk/presented.ts';

let example: ExampleAgents;

describe('Agent.delegate on an edge further on', () => {
  const edge = (from: string, to: string, more: Partial<SwarmEdge> = {}): SwarmEdge => ({
    from,
    to,
    capabilities: [{ name: 'kubectl_get' }],
    binding: 'Key',
    ...more,
  });
  const names = ['agent-coordinator', 'agent-deployer', 'agent-validator', 'agent-stranger'] as const;

  async function deepest(more: Partial<SwarmEdge>): Promise<string> {
    const [a, b, c, d] = names;
    example = await ExampleAgents.load({ edges: [edge(a, b, more), edge(b, c, more), edge(c, d, more)] });
    let parent: ParentToken | undefined;
    let agent = example.coordinator;
    for (const [to, next] of [
      [b, example.deployer],
      [c, example.validator],
      [d, example.stranger],
    ] as const) {
      const wish = { to, capabilities: [{ name: 'kubectl_get' }] };
      const token = agent.delegate(parent === undefined ? wish : { ...wish, parent });
      if (token.kind === 'refused') return token.name;
      parent = await received(next, presented(token, { host: `${to}.ai-agents.svc:8443` }));
      agent = next;
    }
    return parent?.accepted.path.length === 4 ? 'accepted' : 'lost';
  }

  afterEach(() => example.close());

  it('refuse a third hop where two are allowed', async () => {
    expect(await deepest({ maxDepth: 2 })).to.equal('depth_exceeded');
  });

  it('allow it where three are, with capabilities that have no limit of resources', async () => {
    expect(await deepest({ maxDepth: 3 })).to.equal('accepted');
  });
});
