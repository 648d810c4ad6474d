/** The running example, read from examples/swarm as the operator reads it. */

import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { AgentId } from '../../../src/domain/delegation/facts.ts';
import { type AgentInput, resolveAgent } from '../../../src/domain/delegation/resolve-agent.ts';
import { type PolicyInput, resolvePolicy } from '../../../src/domain/delegation/resolve-policy.ts';
import type { Account } from '../../../src/domain/mesh/model.ts';
import type { ServerInput } from '../../../src/domain/mesh/resolve-server.ts';
import { accountOf, type MeshWorld } from './mesh-world.ts';

interface ExampleObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: AgentInput & ServerInput & PolicyInput;
}

/** Short names of its agents. */
export type SwarmAgent = 'coordinator' | 'deployer' | 'analyst' | 'writer' | 'validator';

/** ServiceAccounts of its agents. */
export const SWARM: Readonly<Record<SwarmAgent, Account>> = {
  coordinator: accountOf('ai-agents/agent-coordinator'),
  deployer: accountOf('ai-agents/agent-deployer'),
  analyst: accountOf('ai-agents/agent-analyst'),
  writer: accountOf('ai-agents/agent-writer'),
  validator: accountOf('ai-agents/agent-validator'),
};

/** The agents and the policy of examples/swarm. */
export function swarmWorld(): MeshWorld {
  const objects = ['agents.yaml', 'policy.yaml'].flatMap(readExample);
  const agents = objects.filter(({ kind }) => kind === 'AgentIdentity');
  const policies = objects.filter(({ kind }) => kind === 'DelegationPolicy');
  return {
    world: {
      agents: agents.map(({ metadata, spec }) => ({ ...resolveAgent(metadata, spec).facts, isServed: true })),
      policies: policies.map(({ metadata, spec }) => resolvePolicy(metadata, spec).facts),
      boundaries: [],
      namespaces: new Map([['ai-agents', {}]]),
    },
    servers: new Map(
      agents.map(({ metadata, spec }): [AgentId, ServerInput] => [
        `${metadata.namespace}/${metadata.name}`,
        spec,
      ]),
    ),
  };
}

function readExample(name: string): readonly ExampleObject[] {
  const text = readFileSync(new URL(`../../../examples/swarm/${name}`, import.meta.url), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as ExampleObject);
}
