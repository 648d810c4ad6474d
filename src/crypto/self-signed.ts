/** Certificates that vouch for themselves, with a key of their own. Source: RFC 5280 section 4.1. */

import { createPrivateKey, sign } from 'node:crypto';
import type { Validity } from '../domain/certificate/profile.ts';
import { DerWriter, der, TAG } from './der.ts';
import { generateEcKeyPair } from './key-pair.ts';
import { encodePem } from './pem.ts';
import { SerialSource } from './serial.ts';
import {
  bitString,
  ECDSA_SIGNATURE,
  extension,
  extensionsField,
  keyIdentifier,
  OID,
  VERSION_3,
  writeSerial,
  writeValidity,
} from './x509-encoding.ts';

/** What such a certificate says. */
export interface SelfSignedRequest {
  /** Name of subject and issuer, DER. */
  readonly subject: Buffer;
  /** Whole seconds. */
  readonly validity: Validity;
  /** Bits of the curve. */
  readonly keySize: 256 | 384;
  /** All but the subject key identifier, which comes last. */
  readonly extensions: readonly Uint8Array[];
}

/** Both as they are stored. */
export interface SelfSigned {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly privateKeyPem: string;
}

/**
 * Makes a key and its self-signed certificate.
 *
 * @throws Whatever OpenSSL reports.
 */
export function createSelfSigned({ subject, validity, keySize, extensions }: SelfSignedRequest): SelfSigned {
  const { spkiDer, pkcs8Der } = generateEcKeyPair(keySize);
  const { hash, algorithm } = ECDSA_SIGNATURE[keySize];
  const toBeSigned = der(
    TAG.sequence,
    VERSION_3,
    written((writer) => writeSerial(writer, new SerialSource().next())),
    algorithm,
    subject,
    written((writer) => writeValidity(writer, validity.notBeforeMs, validity.notAfterMs)),
    subject,
    spkiDer,
    extensionsField([
      ...extensions,
      extension(OID.subjectKeyIdentifier, der(TAG.octetString, keyIdentifier(spkiDer))),
    ]),
  );
  const privateKey = createPrivateKey({ key: pkcs8Der, format: 'der', type: 'pkcs8' });
  const certificate = der(TAG.sequence, toBeSigned, algorithm, bitString(sign(hash, toBeSigned, privateKey)));
  const privateKeyPem = encodePem('PRIVATE KEY', pkcs8Der);
  pkcs8Der.fill(0);
  return { certificatePem: encodePem('CERTIFICATE', certificate), privateKeyPem };
}

function written(write: (writer: DerWriter) => void): Buffer {
  const writer = new DerWriter();
  write(writer);
  return writer.copy();
}
