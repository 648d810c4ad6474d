/** DNS names that an agent's certificate may carry: those of Services in its own namespace. */

const MAX_NAME_BYTES = 253;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** True for 1 to 253 characters: labels of RFC 1123, lower case, no wildcard, no dot at the end. */
export function isDnsName(text: string): boolean {
  return text.length <= MAX_NAME_BYTES && text.split('.').every((label) => LABEL.test(label));
}

/**
 * The two names under which a Service is reached.
 *
 * @returns `<service>.<namespace>.svc` and `<service>.<namespace>.svc.<clusterDomain>`, in this order.
 */
export function serviceDnsNames(
  service: string,
  namespace: string,
  clusterDomain: string,
): readonly string[] {
  const short = `${service}.${namespace}.svc`;
  return [short, `${short}.${clusterDomain}`];
}

/**
 * Whether a DNS name can only be one of this namespace: it ends in `.<namespace>.svc` or
 * `.<namespace>.svc.<clusterDomain>`. The short form `<service>.<namespace>` does not count, since a namespace may be
 * called like a public domain.
 */
export function isDnsNameOfNamespace(name: string, namespace: string, clusterDomain: string): boolean {
  return serviceDnsNames('', namespace, clusterDomain).some(
    (suffix) => name.endsWith(suffix) && name.length > suffix.length,
  );
}

/**
 * The part of a DNS name before `.<namespace>.svc`: two names with the same one are the same host.
 *
 * @returns `db` for `db.<namespace>.svc` and `db.<namespace>.svc.<anything>`; undefined when it is no name of the namespace.
 */
export function hostInNamespace(name: string, namespace: string): string | undefined {
  const end = `${name}.`.indexOf(`.${namespace}.svc.`);
  return end > 0 ? name.slice(0, end) : undefined;
}

/** Name of the Service that a host belongs to: `db` for `db`, and for `0.db`, which is a pod behind it. */
export function serviceOfHost(host: string): string {
  return host.slice(host.lastIndexOf('.') + 1);
}
