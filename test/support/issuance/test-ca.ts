/** CAs as issuers of cert-manager have them: they sign what a request says, or whatever a test wants instead. */

import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import type { asn1 as Asn1Types } from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';
import { contextTag, DerWriter, der, objectIdentifier, TAG } from '../../../src/crypto/der.ts';
import { encodePem } from '../../../src/crypto/pem.ts';
import {
  bitString,
  distinguishedName,
  extension,
  extensionsField,
  keyIdentifier,
  OID,
  VERSION_3,
  writeValidity,
} from '../../../src/crypto/x509-encoding.ts';

type Element = Asn1Types.Asn1;

/** What a request asks for, each part as it is encoded. */
export interface ParsedRequest {
  readonly subjectDer: Buffer;
  readonly spkiDer: Buffer;
  readonly extensions: readonly Buffer[];
}

/** When a certificate is valid; milliseconds since the Unix epoch, whole seconds. */
export interface Times {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** How a CA is made. */
export interface CAOptions extends Times {
  readonly name: string;
  readonly issuer?: TestCA;
  readonly pathLength?: number;
  /** Default true. */
  readonly isAuthority?: boolean;
  readonly rsaBits?: number;
  readonly more?: readonly Buffer[];
}

/** How a leaf is signed. */
export interface SigningOptions extends Times {
  readonly serial?: Buffer;
  /** Default is SHA-256. */
  readonly hash?: 'sha1';
  /** Default is that of the CA. */
  readonly authorityKeyId?: Buffer;
}

const AUTHORITY_USAGE = extension(OID.keyUsage, der(TAG.bitString, Buffer.of(1, 0x06)), 'critical');
const NULL = Buffer.of(0x05, 0x00);
const TRUE = der(TAG.boolean, Buffer.of(0xff));
const ALGORITHMS = {
  ec: { sha256: OID.ecdsaWithSha256, sha1: '1.2.840.10045.4.1' },
  rsa: { sha256: OID.sha256WithRsa, sha1: '1.2.840.113549.1.1.5' },
} as const;

/** One CA. */
export class TestCA {
  readonly certificateDer: Buffer;
  readonly subjectDer: Buffer;
  readonly #key: KeyObject;
  readonly #spkiDer: Buffer;

  constructor({ name, issuer, pathLength, isAuthority = true, rsaBits, more = [], ...times }: CAOptions) {
    const pair =
      rsaBits === undefined
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: rsaBits });
    this.#key = pair.privateKey;
    this.#spkiDer = pair.publicKey.export({ type: 'spki', format: 'der' });
    this.subjectDer = distinguishedName([[OID.commonName, name]]);
    const path = pathLength === undefined ? [] : [der(TAG.integer, Buffer.of(pathLength))];
    const constraints = isAuthority ? der(TAG.sequence, TRUE, ...path) : der(TAG.sequence);
    this.certificateDer = (issuer ?? this).#sign(
      {
        subjectDer: this.subjectDer,
        spkiDer: this.#spkiDer,
        extensions: [AUTHORITY_USAGE, extension(OID.basicConstraints, constraints, 'critical'), ...more],
      },
      times,
    );
  }

  get pem(): string {
    return encodePem('CERTIFICATE', this.certificateDer);
  }

  /** Signs a leaf; basicConstraints and key identifiers are added to what the request says. */
  sign(request: ParsedRequest, options: SigningOptions): string {
    const leafOnly = extension(OID.basicConstraints, der(TAG.sequence), 'critical');
    const extensions = [...request.extensions, leafOnly];
    return encodePem('CERTIFICATE', this.#sign({ ...request, extensions }, options));
  }

  /** The same with nothing added but key identifiers. */
  signAsIs(request: ParsedRequest, options: SigningOptions): string {
    return encodePem('CERTIFICATE', this.#sign(request, options));
  }

  #sign(request: ParsedRequest, options: SigningOptions): Buffer {
    const { serial = Buffer.concat([Buffer.of(0x11), randomBytes(15)]), hash = 'sha256' } = options;
    const kind = this.#key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ec';
    const parameters = kind === 'rsa' ? [NULL] : [];
    const algorithm = der(TAG.sequence, objectIdentifier(ALGORITHMS[kind][hash]), ...parameters);
    const own = options.authorityKeyId ?? Buffer.from(keyIdentifier(this.#spkiDer));
    const writer = new DerWriter();
    writeValidity(writer, options.notBeforeMs, options.notAfterMs);
    const toBeSigned = der(
      TAG.sequence,
      VERSION_3,
      der(TAG.integer, serial),
      algorithm,
      this.subjectDer,
      writer.copy(),
      request.subjectDer,
      request.spkiDer,
      extensionsField([
        ...request.extensions,
        extension(OID.subjectKeyIdentifier, der(TAG.octetString, keyIdentifier(request.spkiDer))),
        extension(OID.authorityKeyIdentifier, der(TAG.sequence, der(contextTag(0, 'primitive'), own))),
      ]),
    );
    return der(TAG.sequence, toBeSigned, algorithm, bitString(sign(hash, toBeSigned, this.#key)));
  }
}

/** Reads a request in PEM, and checks its signature. @throws Error when that is wrong. */
export function parseRequest(pem: Buffer): ParsedRequest {
  const base64 = pem.toString('latin1').replace(/-----[A-Z ]+-----|\s/g, '');
  const request = asn1.fromDer(Buffer.from(base64, 'base64').toString('latin1'), {
    strict: true,
    parseAllBytes: true,
    decodeBitStrings: false,
  });
  const [info, , signature] = childrenOf(request);
  const [, subject, spki, attributes] = childrenOf(info);
  const spkiDer = derOf(spki);
  const publicKey = createPublicKey({ key: spkiDer, format: 'der', type: 'spki' });
  const octets = Buffer.from(String(signature?.value).slice(1), 'latin1');
  const hash = publicKey.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256';
  if (!verify(hash, derOf(info), publicKey, octets))
    throw new Error('the request is not signed by its own key');
  const [attribute] = childrenOf(attributes);
  const [extensions] = childrenOf(childrenOf(attribute)[1]);
  return { subjectDer: derOf(subject), spkiDer, extensions: childrenOf(extensions).map(derOf) };
}

/** Public key of another pair. */
export function otherKey(): Buffer {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return publicKey.export({ type: 'spki', format: 'der' });
}

function childrenOf(element: Element | undefined): readonly Element[] {
  if (element === undefined || !Array.isArray(element.value)) throw new Error('the request is no PKCS#10');
  return element.value;
}

function derOf(element: Element | undefined): Buffer {
  if (element === undefined) throw new Error('the request is no PKCS#10');
  return Buffer.from(asn1.toDer(element).getBytes(), 'latin1');
}
