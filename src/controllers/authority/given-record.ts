/** The Secret with an authority that somebody gives: what is kept of it, and whether it may sign. */

import { GIVEN_SECRET_TYPE } from '../../api/group.ts';
import type { Authority } from '../../crypto/authority-reader.ts';
import { type GivenReading, readGivenAuthority } from '../../crypto/given-authority.ts';
import type { GenerationFacts, GivenFacts } from '../../domain/authority/facts.ts';
import { type GivenRequirements, judgeGivenUse } from '../../domain/authority/given.ts';
import { type GivenRefusal, refuseGiven } from '../../domain/authority/given-refusal.ts';
import type { ObjectMeta } from '../../kube/object.ts';
import type { Secret } from '../identity/secret.ts';
import { type RefusedKeys, refusedIdOf } from './refused-keys.ts';

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

/** What an authority is judged against: generations that are trusted, which of them sign no more, and keys that are not taken again. */
export interface GivenAmong {
  readonly generations: readonly Authority[];
  readonly retiring: ReadonlySet<string>;
  readonly refused: RefusedKeys;
}

/** Where an authority that somebody gives is found. */
export interface GivenSource {
  /** Of the Secret. */
  readonly secretName: string;
  find(among: GivenAmong): GivenAuthority;
  /** The Secret, as far as it is known. */
  readonly metadata: ObjectMeta;
}

/**
 * Judges it.
 *
 * @param record Undefined when there is no Secret of this name.
 */
export function judgeGiven(
  record: GivenRecord | undefined,
  required: GivenRequirements,
  { generations, retiring, refused }: GivenAmong,
): GivenAuthority {
  if (record === undefined) return refuseGiven('SecretMissing', 'Secret', 'it does not exist');
  const { reading } = record;
  if (reading.kind === 'refuse') return reading;
  const { authority, chain } = reading;
  const twin = generations.find(({ publicKey }) => publicKey.equals(authority.publicKey));
  // What is in use already does not go for being old.
  if (twin?.id === authority.id && !retiring.has(twin.id)) return { kind: 'authority', authority };
  if (twin !== undefined) return refuseGiven('KeyInUse', 'tls.key', `it is the key of generation ${twin.id}`);
  const refusedId = refusedIdOf(refused, authority);
  if (refusedId !== undefined) {
    const says = `it is the key of generation ${refusedId}, which was tainted or revoked`;
    return refuseGiven('KeyRevoked', 'tls.key', says);
  }
  return judgeGivenUse(chain, required) ?? { kind: 'authority', authority };
}

/** What the plan needs to know of it. */
export function givenFacts(given: GivenAuthority): GivenFacts {
  return given.kind === 'authority'
    ? { kind: 'good', id: given.authority.id }
    : { kind: 'refused', message: `${given.reason}: ${given.message}` };
}

/** What people are told of the Secret: continues a sentence, without full stop. `usable` is what is left of it. */
export function givenSays(
  given: GivenAuthority,
  usable: GivenFacts | undefined,
  generations: readonly GenerationFacts[],
): string {
  const id = given.kind === 'authority' ? given.authority.id : undefined;
  const phase = generations.find((each) => each.id === id)?.phase;
  if (phase !== undefined) return `holds generation ${id}, which is ${phase}`;
  if (usable?.kind === 'good') return `holds generation ${id}, which is not taken yet`;
  return `is refused: ${usable?.message}`;
}
