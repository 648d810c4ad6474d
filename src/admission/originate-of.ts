/** What an AgentIdentity says about starting chains. */

import type { AgentId } from '../domain/delegation/facts.ts';
import type { Known } from './known.ts';

/** `spec.tokens.originate` of an agent as it is known; undefined when it is left out. */
export function originateOf({ view }: Known): (agent: AgentId) => string | undefined {
  return (agent) => view.identities.get(agent)?.spec.tokens?.originate;
}
