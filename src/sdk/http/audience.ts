/** Which agent a URL means. Only the agent's own bundle decides it, never DNS. */

import type { PolicyFile } from '../../domain/token/state/policy-file.ts';

/** SPIFFE IDs by `<namespace>/<name>`; a policy is replaced as a whole, so it is read once. */
const agentsOf = new WeakMap<PolicyFile, ReadonlyMap<string, string>>();

/**
 * Finds the agent that a host names: `name`, `name.namespace`, `name.namespace.svc`, and that with the cluster's domain.
 *
 * @param host In lower case, without port.
 * @param namespace Of the caller, for a name alone.
 * @returns Its SPIFFE ID, or undefined when the policy knows no such agent.
 */
export function audienceOf(host: string, policy: PolicyFile, namespace: string): string | undefined {
  const suffix = `.svc.${policy.clusterDomain}`;
  const short = host.endsWith(suffix) ? host.slice(0, -suffix.length) : host.replace(/\.svc$/, '');
  const [name, ofNamespace, ...more] = short.split('.');
  if (more.length > 0 || (ofNamespace === undefined && short !== host)) return undefined;
  return namesOf(policy).get(`${ofNamespace ?? namespace}/${name}`);
}

/**
 * Finds the agent that listens at an address, where policy.json says so: on the machine of an author, without DNS.
 *
 * @param host With its port, as in a URL.
 */
export function audienceAt(host: string, { agents }: PolicyFile): string | undefined {
  return [...agents].find(([, { address }]) => address === host)?.[0];
}

/** The URL with the address of the agent that it names, where policy.json knows one; else the URL itself. */
export function reachedAt(url: URL, audience: string, { agents }: PolicyFile): URL {
  const address = agents.get(audience)?.address;
  if (address === undefined) return url;
  const reached = new URL(url);
  reached.host = address;
  return reached;
}

function namesOf(policy: PolicyFile): ReadonlyMap<string, string> {
  const known = agentsOf.get(policy);
  if (known !== undefined) return known;
  const names = new Map([...policy.agents].map(([spiffeId, { name }]) => [name, spiffeId]));
  agentsOf.set(policy, names);
  return names;
}
