/** The Secret with an authority that somebody gives: what is kept of it, and whether it may sign. */

import { GIVEN_SECRET_TYPE } from '../../api/group.ts';
import type { Authority } from '../../crypto/authority-reader.ts';
import { type GivenReading, readGivenAuthority } from '../../crypto/given-authority.ts';
import { type GivenRequirements, judgeGivenUse } from '../../domain/authority/given.ts';
import { type GivenRefusal, refuseGiven } from '../../domain/authority/given-refusal.ts';
import type { ObjectMeta } from '../../kube/object.ts';
import type { Secret } from '../identity/secret.ts';

/** What is kept of the Secret: names, and what was read. Key objects stay in memory: they sign. */
export interface GivenRecord {
  readonly metadata: ObjectMeta;
  readonly reading: GivenReading;
}

/** An authority that may sign, or why not. */
export type GivenAuthority = { readonly kind: 'authority'; readonly authority: Authority } | GivenRefusal;

/** Projects the Secret. */
export function givenRecord({ metadata, type, data = {} }: Secret): GivenRecord {
  const { name, namespace, uid, resourceVersion } = metadata;
  const kept = { name, namespace, uid, resourceVersion } as ObjectMeta;
  if (type !== GIVEN_SECRET_TYPE) {
    const says = `its type is ${(type ?? 'Opaque').slice(0, 100)}`;
    return { metadata: kept, reading: refuseGiven('WrongType', 'type', says) };
  }
  const octets = (key: string): Buffer | undefined =>
    data[key] === undefined ? undefined : Buffer.from(data[key], 'base64');
  return {
    metadata: kept,
    reading: readGivenAuthority({
      certificatePem: octets('tls.crt'),
      privateKeyPem: octets('tls.key'),
      rootsPem: octets('ca.crt'),
    }),
  };
}

/** What an authority is judged against: generations that are trusted, and which of them sign no more. */
export interface GivenAmong {
  readonly generations: readonly Authority[];
  readonly retiring: ReadonlySet<string>;
}

/**
 * Judges it.
 *
 * @param record Undefined when there is no Secret of this name.
 */
export function judgeGiven(
  record: GivenRecord | undefined,
  required: GivenRequirements,
  { generations, retiring }: GivenAmong,
): GivenAuthority {
  if (record === undefined) return refuseGiven('SecretMissing', 'Secret', 'it does not exist');
  const { reading } = record;
  if (reading.kind === 'refuse') return reading;
  const { authority, chain } = reading;
  const twin = generations.find(({ publicKey }) => publicKey.equals(authority.publicKey));
  // What is in use already does not go for being old.
  if (twin?.id === authority.id && !retiring.has(twin.id)) return { kind: 'authority', authority };
  if (twin !== undefined) return refuseGiven('KeyInUse', 'tls.key', `it is the key of generation ${twin.id}`);
  return judgeGivenUse(chain, required) ?? { kind: 'authority', authority };
}
