/**
 * ConfigMap `agent-trust-issuers` of the operator's namespace: the CAs of issuers that are or were listed, and since when each
 * is trusted. It holds no keys. A generation of the authority signs it: whoever else writes it has no say in whom agents trust.
 */

import { ANNOTATION_SIGNATURE, ISSUERS_NAME, LABEL_MANAGED } from '../../api/group.ts';
import type { Authority, AuthorityCertificate } from '../../crypto/authority-reader.ts';
import { readIssuerCertificates } from '../../crypto/issuer-certificates.ts';
import { isIssuersSignature, signIssuers } from '../../crypto/issuers-signature.ts';
import { encodePem } from '../../crypto/pem.ts';
import type { IssuerRef } from '../../domain/issuance/issuer.ts';
import { withoutCopy } from '../../kube/carry-over.ts';
import { keptMetadata, type ObjectMeta } from '../../kube/object.ts';
import type { ConfigMap } from '../bundle/bundle-record.ts';

/** An issuer of the operator's list. */
export interface ListedIssuer extends IssuerRef {
  /** Empty: taken from the first good answer. */
  readonly certificates: readonly AuthorityCertificate[];
  /** It signs no more; it is listed so that it stays fenced while its leaves live. */
  readonly isFormer: boolean;
}

/** A CA that is remembered. Instants are milliseconds since the Unix epoch. */
export interface RememberedCA {
  readonly certificate: AuthorityCertificate;
  /** When it joined the bundles. */
  readonly sinceMs: number;
  /** Since when its issuer was seen without a fence; undefined while it has one. */
  readonly unfencedSinceMs: number | undefined;
}

/** A CA, judged. */
export interface KeptCA extends RememberedCA {
  /** It may sign now. */
  readonly isCurrent: boolean;
  readonly isTrusted: boolean;
}

/** CAs by the id of their issuer. */
export type KeptCAs = ReadonlyMap<string, readonly KeptCA[]>;

/** The same, as they are remembered. */
export type IssuerCAs = ReadonlyMap<string, readonly RememberedCA[]>;

/** What is kept of the ConfigMap. */
export interface IssuersRecord {
  readonly metadata: ObjectMeta;
  readonly immutable: boolean;
  /** By the id of an issuer. */
  readonly texts: Readonly<Record<string, string>>;
  readonly signature: string;
  /** The same for two that nobody has to mend. */
  readonly form: string;
}

const SINCE = 'since ';
const UNFENCED = ', not fenced since ';

/** Projects the ConfigMap. */
export function issuersRecord({ metadata, immutable, data = {}, binaryData = {} }: ConfigMap): IssuersRecord {
  const { labels = {}, annotations = {} } = metadata;
  const signature = annotations[ANNOTATION_SIGNATURE] ?? '';
  return {
    metadata: withoutCopy(keptMetadata(metadata)),
    immutable: immutable === true,
    texts: data,
    signature,
    form: JSON.stringify([
      signedText(data),
      signature,
      Object.keys(binaryData),
      immutable === true,
      labels[LABEL_MANAGED],
    ]),
  };
}

/** What the ConfigMap is to say. */
export function issuerTexts(cas: IssuerCAs): IssuersRecord['texts'] {
  return Object.fromEntries([...cas].map(([id, list]) => [id, list.map(writeOne).join('')]));
}

/** Whether both say the same. */
export function isSameTexts(left: IssuersRecord['texts'], right: IssuersRecord['texts']): boolean {
  return signedText(left) === signedText(right);
}

/** The ConfigMap that says it. */
export function issuersConfigMap(
  namespace: string,
  texts: IssuersRecord['texts'],
  signer: Authority,
): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: ISSUERS_NAME,
      namespace,
      labels: { [LABEL_MANAGED]: 'true' },
      annotations: { [ANNOTATION_SIGNATURE]: signIssuers(signedText(texts), signer) },
    },
    data: texts,
  };
}

/** What it says; undefined when none of these generations has signed it. */
export function readIssuerCAs(
  { texts, signature }: Pick<IssuersRecord, 'texts' | 'signature'>,
  generations: readonly Authority[],
): IssuerCAs | undefined {
  if (!isIssuersSignature(signedText(texts), signature, generations)) return undefined;
  return new Map(Object.entries(texts).map(([id, text]) => [id, readEntry(text)]));
}

function signedText(texts: IssuersRecord['texts']): string {
  return JSON.stringify(Object.entries(texts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** PEM, each certificate below the line that says since when. */
function writeOne({ certificate, sinceMs, unfencedSinceMs }: RememberedCA): string {
  const unfenced = unfencedSinceMs === undefined ? '' : UNFENCED + instant(unfencedSinceMs);
  const pem = encodePem('CERTIFICATE', certificate.certificate.raw);
  return `${SINCE}${instant(sinceMs)}${unfenced}\n${pem}`;
}

function readEntry(text: string): readonly RememberedCA[] {
  return text.split(/^since /m).flatMap((part) => {
    const lineEnd = part.indexOf('\n');
    const [since = '', unfenced] = part.slice(0, lineEnd).split(UNFENCED);
    const sinceMs = Date.parse(since);
    const unfencedSinceMs = unfenced === undefined ? undefined : Date.parse(unfenced);
    const read = readIssuerCertificates(Buffer.from(part.slice(lineEnd + 1)));
    const [certificate] = read.kind === 'certificates' ? read.certificates : [];
    const isDated = !Number.isNaN(sinceMs) && !Number.isNaN(unfencedSinceMs);
    return certificate === undefined || !isDated ? [] : [{ certificate, sinceMs, unfencedSinceMs }];
  });
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
