/**
 * Signing leaves: the hot path of the operator. What is the same for all leaves of an authority is encoded once; a leaf
 * then costs little more than its key and its signature.
 */

import { type KeyObject, sign } from 'node:crypto';
import type { LeafProfile, Validity } from '../domain/certificate/profile.ts';
import { contextTag, DerWriter, der, TAG } from './der.ts';
import type { KeyPair } from './key-pair.ts';
import { writeLeafExtensions, writeLeafSubject } from './leaf-encoding.ts';
import { encodePem } from './pem.ts';
import { SerialSource } from './serial.ts';
import {
  AUTHORITY_SIGNATURE,
  type AuthorityKeySize,
  extension,
  OID,
  type SignatureForm,
  VERSION_3,
  writeSerial,
  writeValidity,
} from './x509-encoding.ts';

/** What a signer needs of an authority. */
export interface SigningAuthority {
  /** ECDSA or RSA. */
  readonly privateKey: KeyObject;
  /** Bits; they decide how it signs. */
  readonly keySize: AuthorityKeySize;
  /** Its subject as encoded in its own certificate: names are compared octet by octet. */
  readonly subjectDer: Uint8Array;
  /** Its subject key identifier. */
  readonly keyIdentifier: Uint8Array;
  /** DER of what stands between its leaves and a root: itself first; absent when it is a root. */
  readonly intermediates?: readonly Buffer[];
}

/** A signed certificate. */
export interface SignedLeaf {
  readonly certificateDer: Buffer;
  /** 32 lower-case hexadecimal digits. */
  readonly serialHex: string;
}

/** A leaf with its private key, as a Secret holds them. Instants in milliseconds since the Unix epoch. */
export interface IssuedLeaf extends Validity {
  /** The leaf, then what stands between it and a root. */
  readonly certificatePem: string;
  /** How many stand behind the leaf; absent is none. */
  readonly intermediateCount?: number;
  /** PKCS#8. */
  readonly privateKeyPem: string;
  readonly serialHex: string;
}

/** Signs the leaves of one authority. */
export class LeafSigner {
  /** DER of what stands behind each leaf. */
  readonly intermediates: readonly Buffer[];
  readonly #intermediatesPem: string;
  readonly #privateKey: KeyObject;
  readonly #signature: SignatureForm;
  readonly #issuer: Uint8Array;
  readonly #authorityKeyId: Uint8Array;
  readonly #serials: SerialSource;
  readonly #toBeSigned = new DerWriter();
  readonly #certificate = new DerWriter();

  /** @param serials Where serial numbers come from; all signers may share one. */
  constructor(authority: SigningAuthority, serials: SerialSource = new SerialSource()) {
    const keyId = der(contextTag(0, 'primitive'), authority.keyIdentifier);
    this.#privateKey = authority.privateKey;
    this.#signature = AUTHORITY_SIGNATURE[authority.keySize];
    this.intermediates = authority.intermediates ?? [];
    this.#intermediatesPem = this.intermediates.map((each) => encodePem('CERTIFICATE', each)).join('');
    this.#issuer = authority.subjectDer;
    this.#authorityKeyId = extension(OID.authorityKeyIdentifier, der(TAG.sequence, keyId));
    this.#serials = serials;
  }

  /**
   * Signs the leaf of a new key pair and writes both as a Secret holds them. The key pair is used up: the bytes of its
   * private key are overwritten.
   *
   * @param profile What the leaf says; its names are checked already and ASCII.
   * @param validity Whole seconds.
   * @param keyPair Of the kind that the profile asks for, and never used before.
   * @throws Whatever OpenSSL reports.
   */
  issueLeaf(profile: LeafProfile, validity: Validity, { spkiDer, pkcs8Der }: KeyPair): IssuedLeaf {
    const privateKeyPem = encodePem('PRIVATE KEY', pkcs8Der);
    pkcs8Der.fill(0);
    const serialHex = this.#writeCertificate(profile, validity, spkiDer);
    const { notBeforeMs, notAfterMs } = validity;
    const certificatePem = encodePem('CERTIFICATE', this.#certificate.view()) + this.#intermediatesPem;
    const leaf = { certificatePem, privateKeyPem, serialHex, notBeforeMs, notAfterMs };
    const { length } = this.intermediates;
    return length === 0 ? leaf : { ...leaf, intermediateCount: length };
  }

  /**
   * Signs the leaf of a public key.
   *
   * @param profile What the leaf says; its names are checked already and ASCII.
   * @param validity Whole seconds.
   * @param spkiDer SubjectPublicKeyInfo, copied as it is: its kind is the caller's to check.
   * @returns A certificate with a new random serial number, RFC 5280 section 4.1.
   * @throws Whatever OpenSSL reports.
   */
  issue(profile: LeafProfile, validity: Validity, spkiDer: Uint8Array): SignedLeaf {
    const serialHex = this.#writeCertificate(profile, validity, spkiDer);
    return { certificateDer: this.#certificate.copy(), serialHex };
  }

  /** Leaves the certificate in its writer, last field first, and returns the serial number. */
  #writeCertificate(profile: LeafProfile, validity: Validity, spkiDer: Uint8Array): string {
    const serial = this.#serials.next();
    this.#writeToBeSigned(profile, validity, { spkiDer, serial });
    const toBeSigned = this.#toBeSigned.view();
    const { hash, algorithm } = this.#signature;
    const writer = this.#certificate;
    writer.clear();
    writer.bytes(sign(hash, toBeSigned, this.#privateKey));
    writer.octet(0); // no unused bits
    writer.wrap(TAG.bitString, 0);
    writer.bytes(algorithm);
    writer.bytes(toBeSigned);
    writer.wrap(TAG.sequence, 0);
    return serial.toString('hex');
  }

  /** Leaves the TBSCertificate in its writer, last field first. */
  #writeToBeSigned(
    profile: LeafProfile,
    { notBeforeMs, notAfterMs }: Validity,
    { spkiDer, serial }: { readonly spkiDer: Uint8Array; readonly serial: Uint8Array },
  ): void {
    const writer = this.#toBeSigned;
    writer.clear();
    writeLeafExtensions(writer, { profile, spkiDer, authorityKeyId: this.#authorityKeyId });
    writer.bytes(spkiDer);
    writeLeafSubject(writer, profile);
    writeValidity(writer, notBeforeMs, notAfterMs);
    writer.bytes(this.#issuer);
    writer.bytes(this.#signature.algorithm);
    writeSerial(writer, serial);
    writer.bytes(VERSION_3);
    writer.wrap(TAG.sequence, 0);
  }
}
