/**
 * The data of a signing Secret, made of keys and read again. What a Secret says is compared byte for byte with what would be
 * written, so nothing in it can be altered unseen. Whoever may write Secrets decides what is read: nothing throws.
 */

import { hash } from 'node:crypto';
import { SIGNING_DATA, type SigningContent, type SigningDataKey } from '../../domain/signing/facts.ts';
import {
  digestedText,
  KEY_FILE_LIMIT,
  type MountedKey,
  type PrivateJwk,
  type PublishedKeys,
  publishedKeysText,
  readPublishedKeys,
  readSigningKeys,
  signingKeysText,
} from '../../domain/signing/key-files.ts';
import { LEAD_SECONDS, LEEWAY_SECONDS, type SigningKey } from '../../domain/signing/keys.ts';
import type { PublicJwk } from '../../domain/token/state/jwks-file.ts';
import { jwkThumbprint } from './jwk.ts';
import { isWholeKey, privateKeyPem, readPrivateKeyPem } from './private-jwk.ts';

/** Data of a Secret, decoded from base64. Other keys may be there and are not looked at. */
export type SigningData = Readonly<Record<string, Buffer | undefined>>;

/** A key with its private half, where there is one. */
export interface StoredKey extends SigningKey {
  readonly privateJwk: PrivateJwk | undefined;
}

/** All that the Secret of an identity is made of. */
export interface SigningKeys {
  /** Of the AgentIdentity; undefined when the data do not say so in a way that can be believed. */
  readonly identityUid: string | undefined;
  readonly keys: readonly StoredKey[];
}

/**
 * The files, by data key.
 *
 * @param keys One of them Active; that and Next with private halves.
 * @throws TypeError when a private half is missing.
 */
export function signingKeyFiles(
  identityUid: string,
  keys: readonly StoredKey[],
): Readonly<Record<SigningDataKey, string>> {
  const mounted = keys.flatMap(({ kid, state, since, until, privateJwk }): readonly MountedKey[] => {
    if (state === 'Retiring') return [];
    if (privateJwk === undefined) throw new TypeError('a key that is to sign has lost its private half');
    return [{ kid, state, since, ...(until === undefined ? {} : { until }), jwk: privateJwk }];
  });
  const active = mounted.find(({ state }) => state === 'Active');
  if (active === undefined) throw new TypeError('there is no key to sign with');
  const published = { identity: identityUid, keys };
  return {
    [SIGNING_DATA.privateKey]: privateKeyPem(active.jwk),
    [SIGNING_DATA.keyId]: active.kid,
    [SIGNING_DATA.keys]: signingKeysText(mounted),
    [SIGNING_DATA.published]: publishedKeysText(published, digestOf(published)),
  };
}

/**
 * Reads the data of a Secret, private halves included. `published-keys.json` is believed when its digest holds; else Active
 * and Next are taken from `signing-keys.json`, as old as they can be, and nobody is said to own them. Errors: none.
 */
export function readSigningKeyFiles(data: SigningData): SigningKeys {
  const mounted = readSigningKeys(textOf(data, SIGNING_DATA.keys)).filter(isWhole);
  const published = believed(data);
  if (published === undefined) return { identityUid: undefined, keys: recovered(mounted) };
  const halves = new Map(mounted.map(({ kid, jwk }) => [kid, jwk]));
  const keys = published.keys.map((key) => {
    const half = halves.get(key.kid);
    if (key.state === 'Retiring') return { ...key, privateJwk: undefined };
    // The Active key stands in two places, and the second is slow to read.
    const isInPem = half === undefined && key.state === 'Active';
    return { ...key, privateJwk: isInPem ? halfInPem(data, key.kid) : half };
  });
  return { identityUid: published.identity, keys };
}

/** Finds out what a Secret holds, without keeping a byte of a private key. Errors: none. */
export function inspectSigningKeys(data: SigningData): SigningContent {
  const { identityUid, keys } = readSigningKeyFiles(data);
  const held = keys.map(({ privateJwk, ...key }) => ({ ...key, isUsable: privateJwk !== undefined }));
  const isWritable = held.every(({ state, isUsable }) => isUsable || state === 'Retiring');
  const hasActive = held.some(({ state }) => state === 'Active');
  // What cannot be written as it is, is written anew for that alone.
  if (!isWritable || !hasActive) return { identityUid, keys: held, altered: [] };
  const files = signingKeyFiles(identityUid ?? '', keys);
  const altered = Object.values(SIGNING_DATA).filter(
    (name) => data[name]?.equals(Buffer.from(files[name])) !== true,
  );
  return { identityUid, keys: held, altered };
}

function halfInPem(data: SigningData, kid: string): PrivateJwk | undefined {
  const pem = data[SIGNING_DATA.privateKey];
  const jwk = pem === undefined ? undefined : readPrivateKeyPem(pem);
  return jwk !== undefined && jwkThumbprint(jwk) === kid ? jwk : undefined;
}

/** Its digest holds, and it says what it can say: each state but Retiring once, each key once and under its own name. */
function believed(data: SigningData): PublishedKeys | undefined {
  const file = readPublishedKeys(textOf(data, SIGNING_DATA.published));
  if (file === undefined || digestOf(file) !== file.sha256) return undefined;
  const single = file.keys.filter(({ state }) => state !== 'Retiring').map(({ state }) => state);
  const kids = file.keys.map(({ kid }) => kid);
  const isSound =
    new Set(single).size === single.length &&
    new Set(kids).size === kids.length &&
    file.keys.every(({ kid, jwk }) => jwkThumbprint(jwk) === kid);
  return isSound ? file : undefined;
}

function recovered(mounted: readonly MountedKey[]): readonly StoredKey[] {
  const active = mounted.find(({ state }) => state === 'Active');
  const next = mounted.find(({ state, kid }) => state === 'Next' && kid !== active?.kid);
  return [active, next]
    .filter((key) => key !== undefined)
    .map(({ kid, state, since, until, jwk }) => ({
      kid,
      state,
      createdMs: Math.max(0, since - LEAD_SECONDS + LEEWAY_SECONDS) * 1000,
      since,
      ...(until === undefined ? {} : { until }),
      jwk: publicHalf(jwk),
      privateJwk: jwk,
    }));
}

function isWhole({ kid, jwk }: MountedKey): boolean {
  return jwkThumbprint(jwk) === kid && isWholeKey(jwk);
}

function publicHalf({ d: _, ...jwk }: PrivateJwk): PublicJwk {
  return jwk;
}

function digestOf(published: PublishedKeys): string {
  return hash('sha256', digestedText(published), 'base64url');
}

/** What is no UTF-8 is found out all the same: its bytes are compared with those that would be written. */
function textOf(data: SigningData, name: SigningDataKey): string {
  const octets = data[name];
  return octets === undefined || octets.length > KEY_FILE_LIMIT ? '' : octets.toString('utf8');
}
