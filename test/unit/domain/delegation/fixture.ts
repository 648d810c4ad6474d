/** Facts of a small swarm; each test says only what matters to it. */

import type { Capability } from '../../../../src/domain/capability/capability.ts';
import type { AgentFacts, AgentId, PolicyFacts, RuleFacts } from '../../../../src/domain/delegation/facts.ts';
import { DelegationGraph, type GraphOptions } from '../../../../src/domain/delegation/graph.ts';

/** As much as any token may. */
export const TOKENS = { maxTtlSeconds: 300, maxUses: 5 } as const;

/** An agent that is served and accepts nobody of another namespace. */
export function agent(
  id: AgentId,
  capabilities: readonly Capability[],
  rest: Partial<AgentFacts> = {},
): AgentFacts {
  const [namespace = '', name = ''] = id.split('/');
  return { namespace, name, isServed: true, capabilities, acceptFrom: [], tokens: TOKENS, ...rest };
}

/** A rule of the coordinator. */
export function rule(
  to: readonly AgentId[],
  capabilities: readonly Capability[],
  rest: Partial<RuleFacts> = {},
): RuleFacts {
  return { from: 'coordinator', to, capabilities, tokens: TOKENS, ...rest };
}

/** The policy `ai/swarm`. */
export function policy(rules: readonly RuleFacts[], rest: Partial<PolicyFacts> = {}): PolicyFacts {
  return { namespace: 'ai', name: 'swarm', maxDepth: 2, rules, ...rest };
}

/** A graph of these, with the namespaces `ai` and `data`, which have the label `zone` of their name. */
export function graphOf(
  agents: readonly AgentFacts[],
  policies: readonly PolicyFacts[],
  options: GraphOptions = {},
): DelegationGraph {
  const graph = new DelegationGraph(options);
  for (const name of ['ai', 'data']) graph.putNamespace(name, { zone: name });
  for (const each of agents) graph.putAgent(each);
  for (const each of policies) graph.putPolicy(each);
  return graph;
}
