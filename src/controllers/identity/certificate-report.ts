/** What status says of the leaf that is in the Secret. */

import { renewalTimeMs } from '../../domain/certificate/renewal.ts';
import type { ResolvedIdentity } from '../../domain/identity/resolve.ts';
import type { SecretRecord } from './secret-record.ts';
import type { CertificateReport } from './status.ts';

/** The report, or undefined when the Secret holds no certificate that can be read. */
export function certificateReport(
  secret: SecretRecord | undefined,
  identityUid: string,
  { durationMs, renewBeforeMs }: ResolvedIdentity,
): CertificateReport | undefined {
  const leaf = secret?.facts.content.certificate;
  if (leaf?.kind !== 'certificate') return undefined;
  const { serialHex, notBeforeMs, notAfterMs, authorityId = '' } = leaf;
  const issued = { identityUid, serialHex, notBeforeMs, notAfterMs, durationMs, renewBeforeMs };
  return {
    serialHex,
    notBeforeMs,
    notAfterMs,
    authorityId,
    renewalTimeMs: renewalTimeMs({ ...issued, lastIssuedAtMs: undefined }),
  };
}
