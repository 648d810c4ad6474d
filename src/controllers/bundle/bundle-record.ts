/** What is kept in memory of the bundle of a namespace. */

import { createHash } from 'node:crypto';
import { SIGNATURE_FILE } from '../../domain/bundle/files.ts';
import { type KubeObject, keptMetadata, type ObjectMeta } from '../../kube/object.ts';

/** A ConfigMap as the API server sends it. */
export interface ConfigMap extends KubeObject {
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** Digests of files by their names: base64url of SHA-256. */
export type FileDigests = ReadonlyMap<string, string>;

/** The projection of a bundle. */
export interface BundleRecord {
  readonly metadata: ObjectMeta;
  readonly immutable: boolean;
  /** Of all data but the signature. */
  readonly digests: FileDigests;
  /** bundle.jws as it stands there; undefined when there is none, or none that anybody would read. */
  readonly signature: string | undefined;
}

/** A signature of ours has some thousand characters. */
const MAX_SIGNATURE_LENGTH = 65_536;

/** Projects a bundle. */
export function bundleRecord({ metadata, immutable, data = {}, binaryData = {} }: ConfigMap): BundleRecord {
  const { [SIGNATURE_FILE]: signature, ...files } = data;
  return {
    metadata: keptMetadata(metadata),
    immutable: immutable === true,
    digests: digestsOf({ ...binaryData, ...files }),
    signature: signature !== undefined && signature.length <= MAX_SIGNATURE_LENGTH ? signature : undefined,
  };
}

/** Digests of texts. */
export function digestsOf(files: Readonly<Record<string, string>>): FileDigests {
  return new Map(
    Object.entries(files).map(([name, text]) => [
      name,
      createHash('sha256').update(text).digest('base64url'),
    ]),
  );
}

/** Whether both have the same files. */
export function isSameFiles(a: FileDigests, b: FileDigests): boolean {
  return a.size === b.size && [...a].every(([name, digest]) => b.get(name) === digest);
}
