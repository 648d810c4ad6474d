/** A self-signed certificate for 127.0.0.1, made once per process. */

import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

/** Key and certificate, PEM. The certificate is its own CA. */
export interface LoopbackCertificate {
  readonly keyPem: string;
  readonly certificatePem: string;
}

let made: LoopbackCertificate | undefined;

/** Valid for an hour from now. */
export function loopbackCertificate(): LoopbackCertificate {
  made ??= make();
  return made;
}

function make(): LoopbackCertificate {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const key = forge.pki.privateKeyFromPem(keyPem);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  const name = [{ name: 'commonName', value: 'loopback' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true },
    { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
  ]);
  certificate.sign(key, forge.md.sha256.create());
  return { keyPem, certificatePem: forge.pki.certificateToPem(certificate) };
}
