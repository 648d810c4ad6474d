import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { createCertificateRequest } from '../../../src/crypto/certificate-request.ts';
import { generateKeyPair } from '../../../src/crypto/key-pair.ts';
import type { KeyProfile } from '../../../src/domain/certificate/profile.ts';
import { profile } from './fixture.ts';

/** What `openssl req -verify -text` says of a request. */
async function opensslText(der: Buffer): Promise<string> {
  const asked = promisify(execFile)('openssl', ['req', '-inform', 'DER', '-verify', '-noout', '-text']);
  asked.child.stdin?.end(der);
  const { stdout, stderr } = await asked;
  return `${stdout}${stderr}`;
}

describe('createCertificateRequest', () => {
  const KEYS: readonly (readonly [KeyProfile, string])[] = [
    [{ algorithm: 'ECDSA', size: 256 }, 'ecdsa-with-SHA256'],
    [{ algorithm: 'ECDSA', size: 384 }, 'ecdsa-with-SHA384'],
    [{ algorithm: 'RSA', size: 2048 }, 'sha256WithRSAEncryption'],
  ];
  for (const [key, signature] of KEYS) {
    it(`makes what OpenSSL verifies, with ${key.algorithm} ${key.size}`, async () => {
      const keyPair = await generateKeyPair(key);
      const before = Buffer.from(keyPair.pkcs8Der);
      const text = await opensslText(createCertificateRequest({ ...profile, key }, keyPair));
      expect(text).to.match(/self-signature verify OK|verify OK/);
      expect(text).to.include(`Signature Algorithm: ${signature}`);
      expect(text).to.match(/Subject: O ?= ?ai-agents, CN ?= ?agent-deployer\.ai-agents/);
      expect(text).to.match(/X509v3 Key Usage: critical\s+Digital Signature\s/);
      expect(text).to.match(
        /X509v3 Extended Key Usage:\s+TLS Web Client Authentication, TLS Web Server Authentication\s/,
      );
      expect(text).to.match(
        new RegExp(
          `Subject Alternative Name:\\s+URI:${profile.spiffeId}, ${profile.dnsNames.map((name) => `DNS:${name}`).join(', ')}\\s`,
        ),
      );
      expect(keyPair.pkcs8Der).to.deep.equal(before);
    });
  }
});
