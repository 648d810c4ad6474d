/** What is kept in memory of the trust bundle of a namespace. */

import { createHash } from 'node:crypto';
import { type KubeObject, keptMetadata, type ObjectMeta } from '../../kube/object.ts';

/** A ConfigMap as the API server sends it. */
export interface ConfigMap extends KubeObject {
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** The projection of a bundle. */
export interface BundleRecord {
  readonly metadata: ObjectMeta;
  readonly immutable: boolean;
  /** SHA-256 of names and contents of all data, hexadecimal. */
  readonly dataSha256: string;
}

/** Projects a bundle. */
export function bundleRecord({ metadata, immutable, data = {}, binaryData = {} }: ConfigMap): BundleRecord {
  return {
    metadata: keptMetadata(metadata),
    immutable: immutable === true,
    dataSha256: dataSha256({ ...binaryData, ...data }),
  };
}

/** SHA-256 over names and contents in the order of the names, each with its length, hexadecimal. */
export function dataSha256(data: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const [name, content] of Object.entries(data).sort(([left], [right]) => (left < right ? -1 : 1))) {
    hash.update(`${name.length} ${name} ${content.length} ${content}`);
  }
  return hash.digest('hex');
}
