/** The order of resource versions, which is defined since Kubernetes 1.35 (KEP-5504). */

/** Whether the version is a decimal number without leading zeros, so that it can be ordered. */
export function isOrderedResourceVersion(version: string | undefined): version is string {
  return version !== undefined && /^[1-9][0-9]*$/.test(version);
}

/**
 * Whether `version` is older than `than`; both of one resource type of one server.
 *
 * False when either is not well-formed: what cannot be ordered is taken as newer. Numbers are compared as text,
 * because they can exceed 2^53.
 */
export function isOlder(version: string | undefined, than: string | undefined): boolean {
  if (!isOrderedResourceVersion(version) || !isOrderedResourceVersion(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}
