/** Authorities as other people make them: well, and in every way that is wrong. */

import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { contextTag, DerWriter, der, objectIdentifier, TAG } from '../../../src/crypto/der.ts';
import { encodePem } from '../../../src/crypto/pem.ts';
import {
  bitString,
  distinguishedName,
  extension,
  extensionsField,
  OID,
  VERSION_3,
  writeValidity,
} from '../../../src/crypto/x509-encoding.ts';

/** The moment of the tests, milliseconds since the Unix epoch. */
export const GIVEN_NOW_MS: number = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

/** A certificate with its key. */
export interface GivenCa {
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyObject;
  readonly keyPem: string;
  readonly subject: Buffer;
  readonly keyId: Buffer;
}

/** A kind of key. */
export type GivenKey = 'p-256' | 'p-384' | 'p-521' | 'ed25519' | { readonly rsaBits: number };

/** What is to be made; the defaults are those of a good authority. */
export interface GivenCaOptions {
  readonly name?: string;
  /** Default: signs itself. */
  readonly issuer?: GivenCa;
  readonly key?: GivenKey;
  readonly keyOf?: GivenCa;
  readonly life?: { readonly notBeforeMs: number; readonly notAfterMs: number };
  readonly hash?: 'sha1' | 'sha256';
  /** `undefined` leaves the extension out. */
  readonly basicConstraints?: {
    readonly isAuthority?: boolean;
    readonly pathLength?: number;
    readonly isPlain?: boolean;
  };
  readonly keyUsages?: readonly ('digitalSignature' | 'keyCertSign' | 'cRLSign')[];
  readonly extendedKeyUsages?: readonly string[];
  readonly nameConstraints?: GivenConstraints;
  readonly uri?: string;
  readonly hasKeyIdentifiers?: boolean;
  /** Further extensions, encoded. */
  readonly more?: readonly Buffer[];
}

/** Bases by kind: number of the choice in GeneralName. */
export interface GivenConstraints {
  readonly permitted?: readonly (readonly [choice: 2 | 4 | 6 | 7, base: string | Buffer])[];
  readonly excluded?: readonly (readonly [choice: 2 | 4 | 6 | 7, base: string | Buffer])[];
  readonly minimum?: number;
}

const SIGNATURES = {
  ec: { sha1: '1.2.840.10045.4.1', sha256: '1.2.840.10045.4.3.2' },
  rsa: { sha1: '1.2.840.113549.1.1.5', sha256: '1.2.840.113549.1.1.11' },
  ed25519: { sha1: '1.3.101.112', sha256: '1.3.101.112' },
} as const;
const USAGE_BITS = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 } as const;
const TRUE = der(TAG.boolean, Buffer.of(0xff));

/** Makes one. */
export function givenCa(options: GivenCaOptions = {}): GivenCa {
  const { name = 'Example CA', issuer, hash = 'sha256' } = options;
  const key = options.keyOf?.key ?? newKey(options.key ?? 'p-256');
  const spki = publicDer(key);
  const keyId = createHash('sha1').update(spki).digest();
  const subject = name === '' ? der(TAG.sequence) : distinguishedName([[OID.commonName, name]]);
  const { notBeforeMs, notAfterMs } = options.life ?? {
    notBeforeMs: GIVEN_NOW_MS - DAY_MS,
    notAfterMs: GIVEN_NOW_MS + 365 * DAY_MS,
  };
  const signingKey = issuer?.key ?? key;
  const algorithm = algorithmOf(signingKey, hash);
  const validity = new DerWriter();
  writeValidity(validity, notBeforeMs, notAfterMs);
  const toBeSigned = der(
    TAG.sequence,
    VERSION_3,
    der(TAG.integer, Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    issuer?.subject ?? subject,
    validity.copy(),
    subject,
    spki,
    extensionsField(extensionsOf(options, { keyId, issuerKeyId: issuer?.keyId })),
  );
  const signature = sign(signingKey.asymmetricKeyType === 'ed25519' ? null : hash, toBeSigned, signingKey);
  const certificate = der(TAG.sequence, toBeSigned, algorithm, bitString(signature));
  const keyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { der: certificate, pem: encodePem('CERTIFICATE', certificate), key, keyPem, subject, keyId };
}

function extensionsOf(
  options: GivenCaOptions,
  { keyId, issuerKeyId }: { readonly keyId: Buffer; readonly issuerKeyId: Buffer | undefined },
): readonly Uint8Array[] {
  const { basicConstraints = {}, keyUsages = ['keyCertSign', 'cRLSign'], hasKeyIdentifiers = true } = options;
  const { isAuthority = true, pathLength, isPlain = false } = basicConstraints;
  const usages = keyUsages.reduce((bits, usage) => bits | USAGE_BITS[usage], 0);
  const length = pathLength === undefined ? [] : [der(TAG.integer, Buffer.of(pathLength))];
  const constraints = der(TAG.sequence, ...(isAuthority ? [TRUE, ...length] : []));
  const list = [
    extension(OID.basicConstraints, constraints, isPlain ? 'plain' : 'critical'),
    extension(OID.keyUsage, der(TAG.bitString, Buffer.of(0, usages)), 'critical'),
  ];
  if (hasKeyIdentifiers) {
    list.push(extension(OID.subjectKeyIdentifier, der(TAG.octetString, keyId)));
    const name = der(contextTag(0, 'primitive'), issuerKeyId ?? keyId);
    list.push(extension(OID.authorityKeyIdentifier, der(TAG.sequence, name)));
  }
  if (options.extendedKeyUsages !== undefined) {
    const oids = options.extendedKeyUsages.map(objectIdentifier);
    list.push(extension(OID.extendedKeyUsage, der(TAG.sequence, ...oids)));
  }
  if (options.uri !== undefined) {
    const uri = der(contextTag(6, 'primitive'), Buffer.from(options.uri));
    list.push(extension(OID.subjectAltName, der(TAG.sequence, uri)));
  }
  const { nameConstraints } = options;
  if (nameConstraints !== undefined)
    list.push(extension(OID.nameConstraints, constraintsDer(nameConstraints), 'critical'));
  return [...list, ...(options.more ?? [])];
}

function constraintsDer({ permitted, excluded, minimum }: GivenConstraints): Buffer {
  const distance = minimum === undefined ? [] : [der(contextTag(0, 'primitive'), Buffer.of(minimum))];
  const subtrees = (tag: number, bases: GivenConstraints['permitted']): readonly Buffer[] =>
    bases === undefined
      ? []
      : [
          der(
            contextTag(tag, 'constructed'),
            ...bases.map(([choice, base]) =>
              der(
                TAG.sequence,
                der(
                  contextTag(choice, choice === 4 ? 'constructed' : 'primitive'),
                  Buffer.from(base as string),
                ),
                ...distance,
              ),
            ),
          ),
        ];
  return der(TAG.sequence, ...subtrees(0, permitted), ...subtrees(1, excluded));
}

function algorithmOf(key: KeyObject, hash: 'sha1' | 'sha256'): Buffer {
  const type = key.asymmetricKeyType === 'rsa' ? 'rsa' : key.asymmetricKeyType === 'ec' ? 'ec' : 'ed25519';
  const oid = objectIdentifier(SIGNATURES[type][hash]);
  return der(TAG.sequence, oid, ...(type === 'rsa' ? [Buffer.of(0x05, 0x00)] : []));
}

function newKey(kind: GivenKey): KeyObject {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (typeof kind === 'object') return generateKeyPairSync('rsa', { modulusLength: kind.rsaBits }).privateKey;
  return generateKeyPairSync('ec', { namedCurve: kind.toUpperCase() }).privateKey;
}

function publicDer(key: KeyObject): Buffer {
  return createPublicKey(key as unknown as Parameters<typeof createPublicKey>[0]).export({
    type: 'spki',
    format: 'der',
  });
}
