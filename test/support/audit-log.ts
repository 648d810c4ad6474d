/** Who wrote what and when, by the audit log of the API server. */

import { readFile } from 'node:fs/promises';
import type { ControlPlane } from '../../hack/control-plane/control-plane.ts';

/** The parts of an event of audit.k8s.io/v1 that are looked at. */
interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly objectRef?: {
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** A request that would change something, whatever became of it. Instants: RFC 3339 with microseconds, UTC. */
export interface AuditedWrite {
  /** Identifier of the token. */
  readonly credentialId: string;
  /** Such as `update configmaps agent-trust-system/agent-trust-ledger-1`. */
  readonly what: string;
  readonly status: number;
  readonly receivedAt: string;
  readonly answeredAt: string;
}

/** All writes of one credential between two writes of others. */
export interface Term {
  readonly credentialId: string;
  readonly writes: number;
  readonly firstReceivedAt: string;
  readonly lastAnsweredAt: string;
}

const WRITE_VERBS = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id';

/** The identifier of a ServiceAccount token, as the audit log has it. */
export function credentialIdOf(token: string): string {
  const [, payload = ''] = token.split('.');
  const { jti } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly jti: string };
  return `JTI=${jti}`;
}

/** The writes of these credentials in the order in which they were received, but for those of Leases. */
export async function auditedWrites(
  { auditLogPath = '' }: Pick<ControlPlane, 'auditLogPath'>,
  credentialIds: readonly string[],
): Promise<readonly AuditedWrite[]> {
  const text = await readFile(auditLogPath, 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ verb, objectRef }) => WRITE_VERBS.has(verb) && objectRef?.resource !== 'leases')
    .map(writeOf)
    .filter(({ credentialId }) => credentialIds.includes(credentialId))
    .sort((left, right) => (left.receivedAt < right.receivedAt ? -1 : 1));
}

/** The writes put together: who wrote, one after the other. */
export function termsOf(writes: readonly AuditedWrite[]): readonly Term[] {
  const terms: Term[] = [];
  for (const { credentialId, receivedAt, answeredAt } of writes) {
    const last = terms.at(-1);
    if (last?.credentialId !== credentialId) {
      terms.push({ credentialId, writes: 1, firstReceivedAt: receivedAt, lastAnsweredAt: answeredAt });
    } else {
      const lastAnsweredAt = answeredAt > last.lastAnsweredAt ? answeredAt : last.lastAnsweredAt;
      terms[terms.length - 1] = { ...last, writes: last.writes + 1, lastAnsweredAt };
    }
  }
  return terms;
}

/** A sentence for each term that begins before the one before it has ended. */
export function overlaps(terms: readonly Term[]): readonly string[] {
  return terms.flatMap((term, at) => {
    const before = terms[at - 1];
    if (before === undefined || before.lastAnsweredAt < term.firstReceivedAt) return [];
    return [
      `${term.credentialId} wrote at ${term.firstReceivedAt}, ${before.credentialId} until ${before.lastAnsweredAt}`,
    ];
  });
}

function writeOf({
  verb,
  user,
  objectRef,
  responseStatus,
  requestReceivedTimestamp,
  stageTimestamp,
}: AuditEvent): AuditedWrite {
  const { resource = '', subresource, namespace, name } = objectRef ?? {};
  const type = subresource === undefined ? resource : `${resource}/${subresource}`;
  return {
    credentialId: user.extra?.[CREDENTIAL_ID]?.[0] ?? '',
    what: [verb, type, [namespace, name].filter((part) => part !== undefined).join('/')].join(' ').trim(),
    status: responseStatus?.code ?? 0,
    receivedAt: requestReceivedTimestamp,
    answeredAt: stageTimestamp,
  };
}
