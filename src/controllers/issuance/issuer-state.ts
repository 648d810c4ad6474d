/**
 * ConfigMap `agent-trust-issuers` of the operator's namespace: the CAs of listed issuers, and since when each is trusted. It
 * holds no keys.
 */

import { ISSUERS_NAME, LABEL_MANAGED } from '../../api/group.ts';
import type { AuthorityCertificate } from '../../crypto/authority-reader.ts';
import { readIssuerCertificates } from '../../crypto/issuer-certificates.ts';
import { encodePem } from '../../crypto/pem.ts';
import type { KubeObject } from '../../kube/object.ts';

/** A CA that is trusted. */
export interface TrustedCA {
  readonly certificate: AuthorityCertificate;
  /** When it joined the bundles, milliseconds since the Unix epoch. */
  readonly sinceMs: number;
}

/** CAs by the id of their issuer. */
export type IssuerCAs = ReadonlyMap<string, readonly TrustedCA[]>;

/** The ConfigMap. */
export interface IssuersConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** What the ConfigMap says; entries that are not as they were written are left out. */
export function readIssuerCAs({ data = {} }: IssuersConfigMap): IssuerCAs {
  return new Map(Object.entries(data).map(([id, text]) => [id, readEntry(text)]));
}

/** The ConfigMap that says it. */
export function issuersConfigMap(namespace: string, cas: IssuerCAs): IssuersConfigMap {
  return {
    metadata: { name: ISSUERS_NAME, namespace, labels: { [LABEL_MANAGED]: 'true' } },
    data: Object.fromEntries([...cas].map(([id, list]) => [id, list.map(writeOne).join('')])),
  };
}

/** PEM, each certificate below the line that says since when. */
function writeOne({ certificate, sinceMs }: TrustedCA): string {
  return `since ${new Date(sinceMs).toISOString()}\n${encodePem('CERTIFICATE', certificate.certificate.raw)}`;
}

function readEntry(text: string): readonly TrustedCA[] {
  return text.split(/^since /m).flatMap((part) => {
    const lineEnd = part.indexOf('\n');
    const sinceMs = Date.parse(part.slice(0, lineEnd));
    const read = readIssuerCertificates(Buffer.from(part.slice(lineEnd + 1)));
    const [certificate] = read.kind === 'certificates' ? read.certificates : [];
    return certificate === undefined || Number.isNaN(sinceMs) ? [] : [{ certificate, sinceMs }];
  });
}
