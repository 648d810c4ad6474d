/** Whether a certificate is on a revocation list that its issuer has signed. */

import { hash } from 'node:crypto';
import { readCertificateFields, readSubjectDer, readX509 } from './certificate-fields.ts';
import { isSignedBy, type RevocationList } from './crl-reader.ts';

/** A certificate, by who signed it and its number. */
export interface IssuedCertificate {
  /** The certificate of the authority that signed it, DER; proven up to a trusted root, or it is anybody's. */
  readonly issuerDer: Buffer;
  /** Lower-case hexadecimal without leading zero octet. */
  readonly serialHex: string;
}

/** The certificates on the lists of a file. */
export class RevokedCertificates {
  readonly #lists: readonly RevocationList[];
  /** Lists that an issuer has signed, by the SHA-256 of its certificate. There are as many as there are authorities. */
  readonly #byIssuer = new Map<string, readonly RevocationList[]>();

  constructor(lists: readonly RevocationList[]) {
    this.#lists = lists;
  }

  /**
   * Whether a certificate is revoked. A list counts if the issuer has signed it; its signature is checked when somebody asks for
   * the first time, since only then the issuer is known for sure.
   */
  has({ issuerDer, serialHex }: IssuedCertificate): boolean {
    const id = hash('sha256', issuerDer, 'base64url');
    let lists = this.#byIssuer.get(id);
    if (lists === undefined) {
      const issuer = readX509(issuerDer);
      lists = issuer === undefined ? [] : this.#lists.filter((list) => isSignedBy(list, issuer));
      this.#byIssuer.set(id, lists);
    }
    return lists.some(({ entries }) => entries.has(serialHex));
  }

  /**
   * Whether each list that says to be of one of these authorities, by name and key, is signed by it. Those of others are not looked at.
   *
   * @param authoritiesDer Their certificates.
   */
  agreesWith(authoritiesDer: readonly Buffer[]): boolean {
    return authoritiesDer.every((der) => {
      const issuer = readX509(der);
      const subjectDer = readSubjectDer(der);
      const keyIdentifier = readCertificateFields(der)?.subjectKeyIdentifier;
      const own = this.#lists.filter(
        (list) =>
          subjectDer?.equals(list.issuerDer) === true && keyIdentifier?.equals(list.keyIdentifier) === true,
      );
      return own.every((list) => issuer !== undefined && isSignedBy(list, issuer));
    });
  }
}
