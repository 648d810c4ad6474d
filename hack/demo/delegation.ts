/** Who may delegate what to whom, computed on this side from the same objects that the operator reads. */

import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import type { DelegationPolicy } from '../../src/api/delegation-policy.ts';
import { AGENT_IDENTITY, DELEGATION_POLICY } from '../../src/api/group.ts';
import { DelegationGraph } from '../../src/domain/delegation/graph.ts';
import { resolveAgent } from '../../src/domain/delegation/resolve-agent.ts';
import { resolvePolicy } from '../../src/domain/delegation/resolve-policy.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import type { Access } from './access.ts';
import { Mismatch } from './mismatch.ts';

const TIMEOUT_MS = 15_000;
const INTERVAL_MS = 20;

/** One edge, for people. */
export interface ShownEdge {
  readonly from: string;
  readonly to: string;
  readonly capabilities: readonly string[];
}

/**
 * Waits until every policy of a namespace is in force and says as many edges as are computed here.
 *
 * @throws Mismatch when one is not in time.
 */
export async function edgesInForce({ client }: Access, namespace: string): Promise<readonly ShownEdge[]> {
  const agents = await client.list<AgentIdentity>(AGENT_IDENTITY, { namespace });
  const graph = new DelegationGraph();
  for (const { metadata, spec } of agents.items) {
    graph.putAgent({ ...resolveAgent({ namespace, name: metadata.name }, spec).facts, isServed: true });
  }
  let said = '';
  const isInForce = async (): Promise<boolean> => {
    const { items } = await client.list<DelegationPolicy>(DELEGATION_POLICY, { namespace });
    said = items
      .map(({ metadata, status }) => `${metadata.name}: ${status?.edgeCount ?? 'nothing yet'}`)
      .join(', ');
    return items.every((policy) => {
      graph.putPolicy(resolvePolicy(policy.metadata, policy.spec).facts);
      const { name, generation } = policy.metadata;
      const { observedGeneration, edgeCount } = policy.status ?? {};
      return (
        observedGeneration === generation &&
        edgeCount === graph.policyReport(`${namespace}/${name}`)?.edgeCount
      );
    });
  };
  if (!(await waitUntil(isInForce, { timeoutMs: TIMEOUT_MS, intervalMs: INTERVAL_MS }))) {
    throw new Mismatch(`policies with ${graph.edgeCount} edges together`, said);
  }
  return agents.items
    .flatMap(({ metadata }) => graph.edgesOutOf(`${namespace}/${metadata.name}`))
    .map(({ from, to, grants }) => ({
      from: nameOf(from),
      to: nameOf(to),
      capabilities: [
        ...new Set(grants.flatMap(({ capabilities }) => capabilities.map(({ name }) => name))),
      ].sort(),
    }));
}

function nameOf(agent: string): string {
  return agent.slice(agent.indexOf('/') + 1);
}
