/** Which bundles name which agents: whatever changes about an agent concerns these bundles, and no others. */

import type { AgentId } from '../../domain/delegation/facts.ts';
import { getOrInsert } from '../../domain/delegation/get-or-insert.ts';
import { splitKey } from '../../kube/object.ts';

/** Kept by whoever computes bundles. Bundles are named by their namespaces. */
export class NamedAgents {
  readonly #byBundle = new Map<string, readonly AgentId[]>();
  readonly #bundlesOf = new Map<AgentId, Set<string>>();
  /** By namespace of the agents. */
  readonly #bundlesOfHome = new Map<string, Map<string, number>>();

  /** Tells which agents a bundle names now; none when there is no bundle any more. */
  set(bundle: string, agents: readonly AgentId[]): void {
    for (const agent of this.#byBundle.get(bundle) ?? []) this.#remove(bundle, agent);
    for (const agent of agents) this.#add(bundle, agent);
    if (agents.length > 0) this.#byBundle.set(bundle, agents);
    else this.#byBundle.delete(bundle);
  }

  /** The bundles that name an agent. */
  bundlesOf(agent: AgentId): Iterable<string> {
    return this.#bundlesOf.get(agent) ?? [];
  }

  /** The bundles that name any agent of a namespace. */
  bundlesOfNamespace(namespace: string): Iterable<string> {
    return this.#bundlesOfHome.get(namespace)?.keys() ?? [];
  }

  #add(bundle: string, agent: AgentId): void {
    getOrInsert(this.#bundlesOf, agent, () => new Set()).add(bundle);
    const bundles = getOrInsert(this.#bundlesOfHome, homeOf(agent), () => new Map<string, number>());
    bundles.set(bundle, (bundles.get(bundle) ?? 0) + 1);
  }

  #remove(bundle: string, agent: AgentId): void {
    const ofAgent = this.#bundlesOf.get(agent);
    ofAgent?.delete(bundle);
    if (ofAgent?.size === 0) this.#bundlesOf.delete(agent);
    const ofHome = this.#bundlesOfHome.get(homeOf(agent));
    const left = (ofHome?.get(bundle) ?? 0) - 1;
    if (left > 0) ofHome?.set(bundle, left);
    else ofHome?.delete(bundle);
    if (ofHome?.size === 0) this.#bundlesOfHome.delete(homeOf(agent));
  }
}

function homeOf(agent: AgentId): string {
  return splitKey(agent).namespace ?? '';
}
