/** Certificate requests (PKCS#10): what an issuer is asked to sign. Source: RFC 2986, RFC 5280 section 4.2. */

import { createPrivateKey, sign } from 'node:crypto';
import type { LeafProfile } from '../domain/certificate/profile.ts';
import { contextTag, der, objectIdentifier, TAG } from './der.ts';
import type { KeyPair } from './key-pair.ts';
import { bitString, distinguishedName, ECDSA_SIGNATURE, extension, OID } from './x509-encoding.ts';

/** extensionRequest, RFC 2985 section 5.4.2. */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const VERSION_1 = der(TAG.integer, Buffer.of(0));
const NULL = Buffer.of(0x05, 0x00);
// Bit 0 of eight, seven unused.
const DIGITAL_SIGNATURE = extension(OID.keyUsage, der(TAG.bitString, Buffer.of(7, 0x80)), 'critical');

/**
 * Makes the request for a leaf, with its names and usages.
 *
 * @param profile Its names are checked already and ASCII.
 * @param keyPair Of the kind that the profile asks for. It signs the request and is left as it is.
 * @returns DER.
 * @throws Whatever OpenSSL reports.
 */
export function createCertificateRequest(profile: LeafProfile, { spkiDer, pkcs8Der }: KeyPair): Buffer {
  const info = der(TAG.sequence, VERSION_1, subjectOf(profile), spkiDer, attributesOf(profile));
  const privateKey = createPrivateKey({ key: pkcs8Der, format: 'der', type: 'pkcs8' });
  const { hash, algorithm } = signatureOf(profile.key);
  return der(TAG.sequence, info, algorithm, bitString(sign(hash, info, privateKey)));
}

function subjectOf({ organization, commonName }: LeafProfile): Buffer {
  return distinguishedName([
    ...(organization === undefined ? [] : [[OID.organization, organization] as const]),
    ...(commonName === undefined ? [] : [[OID.commonName, commonName] as const]),
  ]);
}

function attributesOf({ spiffeId, dnsNames, extendedKeyUsages }: LeafProfile): Buffer {
  const names = [
    der(contextTag(6, 'primitive'), Buffer.from(spiffeId)),
    ...dnsNames.map((name) => der(contextTag(2, 'primitive'), Buffer.from(name))),
  ];
  const extensions = der(
    TAG.sequence,
    DIGITAL_SIGNATURE,
    extension(
      OID.extendedKeyUsage,
      der(TAG.sequence, ...extendedKeyUsages.map((usage) => objectIdentifier(OID[usage]))),
    ),
    extension(OID.subjectAltName, der(TAG.sequence, ...names)),
  );
  const request = der(TAG.sequence, objectIdentifier(EXTENSION_REQUEST), der(TAG.set, extensions));
  return der(contextTag(0, 'constructed'), request);
}

function signatureOf(key: LeafProfile['key']): { readonly hash: string; readonly algorithm: Uint8Array } {
  if (key.algorithm === 'ECDSA') return ECDSA_SIGNATURE[key.size];
  return { hash: 'sha256', algorithm: der(TAG.sequence, objectIdentifier(OID.sha256WithRsa), NULL) };
}
