import { createPublicKey, generateKeyPairSync, sign, verify, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { readSubjectDer } from '../../../src/crypto/certificate-fields.ts';
import { type CrlContents, signCrl } from '../../../src/crypto/crl.ts';
import { isSignedBy, type RevocationList, readRevocationLists } from '../../../src/crypto/crl-reader.ts';
import { contextTag, DerWriter, der, TAG } from '../../../src/crypto/der.ts';
import { encodePem } from '../../../src/crypto/pem.ts';
import { bitString, ECDSA_SIGNATURE, extension, OID, writeTime } from '../../../src/crypto/x509-encoding.ts';
import { openssl, verifyWithCrl } from '../../support/openssl.ts';
import { issuedLeaf, storedAuthority, T0 } from './fixture.ts';

const DAY_MS = 86_400_000;
const HIGH = `ff${'00'.repeat(15)}`;
const LOW = `01${'ab'.repeat(15)}`;

const contents: CrlContents = {
  number: T0,
  thisUpdateMs: T0,
  nextUpdateMs: T0 + 7 * DAY_MS,
  entries: [
    { serialHex: LOW, revokedAtMs: T0 - 60_000, reason: 'privilegeWithdrawn' },
    { serialHex: HIGH, revokedAtMs: T0, reason: 'cessationOfOperation' },
  ],
};
const authority = storedAuthority();

describe('signCrl', () => {
  it('writes the fields of RFC 5280, as OpenSSL reads them', async () => {
    const said = await openssl(['crl', '-in', 'list.crl', '-noout', '-text', '-nameopt', 'RFC2253'], {
      'list.crl': signCrl(contents, authority),
    });
    const keyId = authority.keyIdentifier.toString('hex').toUpperCase().match(/../g)?.join(':');
    const lines = said.split('\n').map((line) => line.trim());
    const numberAt = lines.indexOf('X509v3 CRL Number:') + 1;
    lines[numberAt] = String(Number(lines[numberAt])); // some versions write it in hexadecimal
    expect(lines.join('\n')).to.contain(
      [
        'Certificate Revocation List (CRL):',
        'Version 2 (0x1)',
        'Signature Algorithm: ecdsa-with-SHA256',
        `Issuer: serialNumber=${authority.id},CN=agent-trust authority,O=example.org`,
        'Last Update: Jan  1 00:00:00 2026 GMT',
        'Next Update: Jan  8 00:00:00 2026 GMT',
        'CRL extensions:',
        'X509v3 Authority Key Identifier:',
        keyId,
        'X509v3 CRL Number:',
        String(T0),
        'Revoked Certificates:',
        `Serial Number: ${LOW.toUpperCase()}`,
        'Revocation Date: Dec 31 23:59:00 2025 GMT',
        'CRL entry extensions:',
        'X509v3 CRL Reason Code:',
        'Privilege Withdrawn',
        `Serial Number: ${HIGH.toUpperCase()}`,
        'Revocation Date: Jan  1 00:00:00 2026 GMT',
        'CRL entry extensions:',
        'X509v3 CRL Reason Code:',
        'Cessation Of Operation',
      ].join('\n'),
    );
  });

  for (const keySize of [256, 384] as const) {
    it(`makes what openssl verify -crl_check goes by, on P-${keySize}`, async () => {
      const signer = storedAuthority({ keySize });
      const [dead, alive] = [await issuedLeaf(signer), await issuedLeaf(signer)];
      const entry = { serialHex: dead.serialHex, revokedAtMs: T0, reason: 'privilegeWithdrawn' } as const;
      const list = signCrl({ ...contents, entries: [entry] }, signer);
      const check = (certificate: string, crl: string): Promise<string> =>
        verifyWithCrl({ roots: signer.certificatePem, certificate, crl, atMs: T0 + 60_000 });
      expect(await check(alive.certificatePem, list)).to.equal('OK');
      expect(await check(dead.certificatePem, list)).to.contain('certificate revoked');
      expect(await check(dead.certificatePem, signCrl({ ...contents, entries: [] }, signer))).to.equal('OK');
    });
  }

  it('makes lists of two authorities that stand in one file', async () => {
    const other = storedAuthority();
    const [dead, alive] = [await issuedLeaf(other), await issuedLeaf(authority)];
    const entry = { serialHex: dead.serialHex, revokedAtMs: T0, reason: 'cessationOfOperation' } as const;
    const crl = signCrl(contents, authority) + signCrl({ ...contents, entries: [entry] }, other);
    const roots = authority.certificatePem + other.certificatePem;
    const atMs = T0 + 60_000;
    expect(await verifyWithCrl({ roots, crl, certificate: alive.certificatePem, atMs })).to.equal('OK');
    expect(await verifyWithCrl({ roots, crl, certificate: dead.certificatePem, atMs })).to.contain('revoked');
  });

  it('signs with RSA', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const crl = signCrl(contents, { ...authority, privateKey });
    expect(await openssl(['crl', '-in', 'list.crl', '-noout', '-text'], { 'list.crl': crl })).to.contain(
      'Signature Algorithm: sha256WithRSAEncryption',
    );
    const { toBeSigned, signature } = firstOf(crl)?.signed ?? fail();
    expect(verify('sha256', toBeSigned, createPublicKey(privateKey), signature)).to.equal(true);
  });

  it('throws for a key that signs no lists', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(() => signCrl(contents, { ...authority, privateKey })).to.throw(TypeError);
  });
});

describe('readRevocationLists', () => {
  it('reads what was written, with thousands of entries', () => {
    const entries = Array.from({ length: 5_000 }, (_, at) => ({
      serialHex: (at + 1).toString(16).padStart(31, '0').padStart(32, '8'),
      revokedAtMs: T0 + at * 1000,
      reason: at % 2 === 0 ? ('privilegeWithdrawn' as const) : ('cessationOfOperation' as const),
    }));
    const [list, ...more] =
      readRevocationLists(Buffer.from(signCrl({ ...contents, entries }, authority))) ?? [];
    expect(more).to.deep.equal([]);
    const { issuerDer, keyIdentifier, number, thisUpdateMs, nextUpdateMs } = list ?? fail();
    expect({ number, thisUpdateMs, nextUpdateMs }).to.deep.equal({
      number: T0,
      thisUpdateMs: T0,
      nextUpdateMs: T0 + 7 * DAY_MS,
    });
    expect([...(list?.entries ?? [])]).to.deep.equal(
      entries.map(({ serialHex, ...rest }) => [serialHex, rest]),
    );
    expect(issuerDer.equals(authority.subjectDer)).to.equal(true);
    expect(keyIdentifier.equals(authority.keyIdentifier)).to.equal(true);
  });

  it('reads a list without entries, and dates from 2050 on', () => {
    const nextUpdateMs = Date.UTC(2050, 0, 1);
    const list = firstOf(signCrl({ ...contents, nextUpdateMs, entries: [] }, authority));
    expect([list?.nextUpdateMs, list?.entries.size]).to.deep.equal([nextUpdateMs, 0]);
  });

  const good = signCrl(contents, authority);
  const rows: readonly (readonly [string, string])[] = [
    ['an empty text', ''],
    ['a certificate', authority.certificatePem],
    ['text around it', `# a comment\n${good}`],
    ['a text cut short', good.slice(0, -40)],
    ['more than 64 lists', good.repeat(65)],
    ['a text that is too large', good + ' '.repeat(900 * 1024)],
    ['a list that ends before it begins', signCrl({ ...contents, nextUpdateMs: T0 - 1000 }, authority)],
    ['a serial number that stands twice', resigned({ entries: [entryOf(1), entryOf(1)] })],
    ['a reason that is not known', resigned({ entries: [entryOf(1, 8)] })],
    ['entries that are there and none', resigned({ entries: [] })],
    ['version 1', resigned({ version: 0 })],
    ['a critical extension', resigned({ more: [extension('2.5.29.27', integer(1), 'critical')] })],
    ['an extension that is not known', resigned({ more: [extension('1.2.3.4', integer(1))] })],
    ['a negative serial number', resigned({ entries: [entryOf(-1)] })],
    ['a number that is too large', resigned({ number: Buffer.alloc(8, 0x7f) })],
    ['a time that does not exist', resigned({ thisUpdate: '261301000000Z' })],
    ['a time without seconds', resigned({ thisUpdate: '2601010000Z' })],
    ['something behind the list', encodePem('X509 CRL', Buffer.concat([derOf(good), Buffer.of(5, 0)]))],
    ['a length that is not the shortest', encodePem('X509 CRL', longerLength(derOf(good)))],
  ];
  for (const [what, text] of rows) {
    it(`does not read ${what}`, () => {
      expect(readRevocationLists(Buffer.from(text))).to.equal(undefined);
    });
  }

  it('reads the list that the broken ones above are made from', () => {
    expect(firstOf(resigned({ entries: [entryOf(1), entryOf(2)] }))?.entries.size).to.equal(2);
  });

  it('reads nothing when a bit is flipped, or nothing that the authority has signed', () => {
    const der = derOf(good);
    const accepted: number[] = [];
    for (let at = 0; at < der.length * 8; at++) {
      const flipped = Buffer.from(der);
      flipped[at >> 3] = (flipped[at >> 3] ?? 0) ^ (1 << (at & 7));
      const list = firstOf(encodePem('X509 CRL', flipped));
      if (list !== undefined && isSignedBy(list, authority.certificate)) accepted.push(at);
    }
    expect(accepted).to.deep.equal([]);
  });
});

describe('isSignedBy', () => {
  const list = firstOf(signCrl(contents, authority)) ?? fail();

  it('accepts the authority that signed it', () => {
    expect(isSignedBy(list, authority.certificate)).to.equal(true);
  });

  it('refuses another authority, and one that has only the name or only the key', async () => {
    const other = storedAuthority();
    const sameName = firstOf(signCrl(contents, { ...other, subjectDer: authority.subjectDer })) ?? fail();
    const sameKeyId = firstOf(signCrl(contents, { ...authority, privateKey: other.privateKey })) ?? fail();
    expect(isSignedBy(list, other.certificate)).to.equal(false);
    expect(isSignedBy(sameName, other.certificate)).to.equal(false);
    expect(isSignedBy(sameKeyId, authority.certificate)).to.equal(false);
  });

  it('refuses a certificate that may not sign lists', async () => {
    const leaf = new X509Certificate((await issuedLeaf(authority)).certificatePem);
    const subjectDer = readSubjectDer(leaf.raw) ?? fail();
    const own = firstOf(signCrl(contents, { ...authority, subjectDer })) ?? fail();
    expect(isSignedBy(own, leaf)).to.equal(false);
  });
});

interface Parts {
  readonly version?: number;
  readonly number?: Uint8Array;
  readonly thisUpdate?: string;
  readonly entries?: readonly Buffer[];
  readonly more?: readonly Buffer[];
}

/** A list that the writer would never make, properly signed. */
function resigned({ version = 1, number = Buffer.of(9), thisUpdate, entries, more = [] }: Parts): string {
  const { algorithm } = ECDSA_SIGNATURE[256];
  const time = (instantMs: number): Buffer => {
    const writer = new DerWriter();
    writeTime(writer, instantMs);
    return writer.copy();
  };
  const keyId = der(contextTag(0, 'primitive'), authority.keyIdentifier);
  const toBeSigned = der(
    TAG.sequence,
    integer(version),
    algorithm,
    authority.subjectDer,
    thisUpdate === undefined ? time(T0) : der(TAG.utcTime, Buffer.from(thisUpdate)),
    time(T0 + DAY_MS),
    ...(entries === undefined ? [] : [der(TAG.sequence, ...entries)]),
    der(
      contextTag(0, 'constructed'),
      der(
        TAG.sequence,
        extension(OID.authorityKeyIdentifier, der(TAG.sequence, keyId)),
        extension(OID.crlNumber, der(TAG.integer, number)),
        ...more,
      ),
    ),
  );
  const signature = bitString(sign('sha256', toBeSigned, authority.privateKey));
  return encodePem('X509 CRL', der(TAG.sequence, toBeSigned, algorithm, signature));
}

function entryOf(serial: number, reason = 9): Buffer {
  const writer = new DerWriter();
  writeTime(writer, T0);
  const code = der(TAG.enumerated, Buffer.of(reason));
  return der(
    TAG.sequence,
    integer(serial),
    writer.copy(),
    der(TAG.sequence, extension(OID.reasonCode, code)),
  );
}

function integer(value: number): Buffer {
  return der(TAG.integer, Buffer.of(value & 0xff));
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
}

/** The same outer SEQUENCE with its length in three octets. */
function longerLength(list: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x30, 0x83, 0), list.subarray(2)]);
}

function firstOf(pem: string): RevocationList | undefined {
  return readRevocationLists(Buffer.from(pem))?.[0];
}

function fail(): never {
  throw new Error('it was not read');
}
