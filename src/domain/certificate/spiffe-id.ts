/**
 * SPIFFE IDs: how they are built and how they are read. An ID is compared byte for byte and never normalised: what
 * is not in the one allowed form is no ID.
 *
 * Source: SPIFFE-ID standard, sections 2.1 (trust domain), 2.2 (path), 2.3 (length).
 */

const SCHEME = 'spiffe://';
const MAX_ID_BYTES = 2048;
const MAX_TRUST_DOMAIN_BYTES = 255;
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;
const SEGMENT = /^[A-Za-z0-9._-]+$/;

/** A SPIFFE ID in parts. `segments` is empty for the ID of a trust domain itself. */
export interface SpiffeId {
  readonly trustDomain: string;
  readonly segments: readonly string[];
}

/** Whom the SPIFFE ID of an agent names: a ServiceAccount of a namespace. */
export interface AgentSpiffeId {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccountName: string;
}

/**
 * Builds `spiffe://<trustDomain>/ns/<namespace>/sa/<serviceAccountName>`.
 *
 * @returns The ID, or `undefined` when a part holds what the standard does not allow.
 */
export function buildSpiffeId({
  trustDomain,
  namespace,
  serviceAccountName,
}: AgentSpiffeId): string | undefined {
  const parts = ['ns', namespace, 'sa', serviceAccountName];
  // Checked part by part: a `/` inside a name would otherwise make a valid ID of somebody else.
  if (!isTrustDomain(trustDomain) || !parts.every(isSegment)) return undefined;
  const id = `${SCHEME}${trustDomain}/${parts.join('/')}`;
  return id.length > MAX_ID_BYTES ? undefined : id;
}

/**
 * Reads any SPIFFE ID, strictly.
 *
 * @param text Refused when it has another scheme or an upper-case one, a port, user, query, fragment, percent sign,
 *   an empty, `.` or `..` segment, a slash at its end, or more than 2048 bytes.
 * @returns Its parts, or `undefined` when it is no SPIFFE ID.
 */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > MAX_ID_BYTES || !text.startsWith(SCHEME)) return undefined;
  const [trustDomain = '', ...segments] = text.slice(SCHEME.length).split('/');
  return isTrustDomain(trustDomain) && segments.every(isSegment) ? { trustDomain, segments } : undefined;
}

/**
 * Reads the SPIFFE ID of an agent.
 *
 * @returns Whom it names, or `undefined` when it is no SPIFFE ID or not of the form {@link buildSpiffeId} writes.
 */
export function parseAgentSpiffeId(text: string): AgentSpiffeId | undefined {
  const id = parseSpiffeId(text);
  if (id?.segments.length !== 4) return undefined;
  const [ns, namespace = '', sa, serviceAccountName = ''] = id.segments;
  if (ns !== 'ns' || sa !== 'sa') return undefined;
  return { trustDomain: id.trustDomain, namespace, serviceAccountName };
}

/** True for 1 to 255 characters of `a-z`, `0-9`, `.`, `-`, `_`. */
export function isTrustDomain(text: string): boolean {
  return text.length <= MAX_TRUST_DOMAIN_BYTES && TRUST_DOMAIN.test(text);
}

function isSegment(text: string): boolean {
  return SEGMENT.test(text) && text !== '.' && text !== '..';
}
