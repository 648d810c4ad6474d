/** Under which names the API server, and people, reach the webhook. */

/**
 * The names of a Service.
 *
 * @param clusterDomain For example `cluster.local`.
 * @returns The name that the API server asks for first: `<name>.<namespace>.svc`.
 */
export function servingNames(name: string, namespace: string, clusterDomain: string): readonly string[] {
  const short = `${name}.${namespace}`;
  return [`${short}.svc`, name, short, `${short}.svc.${clusterDomain}`];
}
