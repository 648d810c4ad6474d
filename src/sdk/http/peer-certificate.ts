/** The certificate of the other end of a connection: whose it is, and whether it still counts. */

import { hash, X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { type CertificateFields, readCertificateFields, readX509 } from '../../crypto/certificate-fields.ts';
import type { IssuedCertificate } from '../../crypto/revoked-certificates.ts';
import { isIssuedBy } from '../../crypto/signing-authority.ts';
import { isAgentId } from '../../domain/token/text-forms.ts';
import type { Peer } from '../../domain/token/verify/verifier.ts';
import type { ConnectionFiles } from './agent-core.ts';

/** A certificate below a root that was trusted. */
interface ProvenCertificate extends IssuedCertificate {
  /** SHA-256 of the root. */
  readonly root: string;
}

/** Of a connection whose handshake found the chain of the peer to be good. */
interface ProvenPeer extends ProvenCertificate {
  readonly spiffeId: string;
  readonly thumbprint: string;
  readonly notAfterSeconds: number;
}

/** Who may have issued the certificate of a peer. */
interface Issuers {
  /** Those that are trusted, by their SHA-256. */
  readonly roots: ReadonlyMap<string, X509Certificate>;
  /** What this agent itself sends: Node 24.21 and others say nothing of what a client has sent, nodejs/node#65579. */
  readonly intermediates: readonly X509Certificate[];
}

const MAX_CHAIN = 10;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const peers = new WeakMap<TLSSocket, ProvenPeer>();
const knownIssuers = new WeakMap<ConnectionFiles, Issuers>();

/**
 * The agent that a certificate names.
 *
 * @returns Undefined when it has not exactly one URI, or that is no SPIFFE ID of an agent. Errors: none.
 */
export function spiffeIdOf(der: Buffer): string | undefined {
  const fields = readCertificateFields(der);
  return fields && agentOf(fields);
}

/**
 * The peer of a connection, for a request that came now.
 *
 * @returns `untrusted` without a certificate, with one whose chain is not good, and with one whose root is trusted no more.
 */
export function tlsPeerOf(socket: TLSSocket, files: ConnectionFiles): Peer {
  const known = peers.get(socket);
  const proven = known !== undefined && issuersOf(files).roots.has(known.root) ? known : prove(socket, files);
  if (proven === undefined) return { kind: 'untrusted' };
  const { spiffeId, thumbprint, notAfterSeconds } = proven;
  const isRevoked = isRevokedNow(proven, files);
  return { kind: 'tls', spiffeId, certificate: { thumbprint, notAfterSeconds, isRevoked } };
}

/** Whether a certificate is revoked by the files of this moment, whatever they said at the handshake. */
export function isRevokedNow(certificate: IssuedCertificate, { bundle }: ConnectionFiles): boolean {
  return bundle?.revokedCertificates.has(certificate) ?? false;
}

/**
 * A certificate as it came in a handshake that found its chain to be good.
 *
 * @returns Who issued it; undefined when it is not read, or no trusted root is above it.
 */
export function issuedCertificate(
  leaf: DetailedPeerCertificate,
  files: ConnectionFiles,
): ProvenCertificate | undefined {
  const fields = readCertificateFields(leaf.raw);
  const above = fields && issuerOf(leaf, issuersOf(files));
  return above && { ...above, serialHex: fields.serialHex };
}

function agentOf({ uris }: CertificateFields): string | undefined {
  const [uri] = uris;
  return uri !== undefined && uris.length === 1 && isAgentId(uri) ? uri : undefined;
}

/** The certificate does not change while a connection lasts. */
function prove(socket: TLSSocket, files: ConnectionFiles): ProvenPeer | undefined {
  const proven = socket.authorized ? peerOf(socket.getPeerCertificate(true), files) : undefined;
  if (proven !== undefined) peers.set(socket, proven);
  return proven;
}

function peerOf(leaf: DetailedPeerCertificate, files: ConnectionFiles): ProvenPeer | undefined {
  const fields = readCertificateFields(leaf.raw);
  const spiffeId = fields && agentOf(fields);
  const issued = issuedCertificate(leaf, files);
  if (fields === undefined || spiffeId === undefined || issued === undefined) return undefined;
  return {
    ...issued,
    spiffeId,
    thumbprint: hash('sha256', leaf.raw, 'base64url'),
    notAfterSeconds: Math.floor(fields.notAfterMs / 1000),
  };
}

/**
 * Who issued a certificate, by signatures up to a root. Node puts together what a peer has sent by names and key identifiers
 * alone, and anybody can make a certificate with those of another.
 */
function issuerOf(
  leaf: DetailedPeerCertificate,
  { roots, intermediates }: Issuers,
): Pick<ProvenCertificate, 'issuerDer' | 'root'> | undefined {
  let issuerDer: Buffer | undefined;
  let certificate = readX509(leaf.raw);
  let sent: DetailedPeerCertificate | undefined = leaf;
  for (let above = 0; above < MAX_CHAIN && certificate !== undefined; above++) {
    const last: X509Certificate = certificate;
    // First, as OpenSSL does: a peer may send anything in its place.
    const root = roots.entries().find(([, each]) => isIssuedBy(last, each));
    if (root !== undefined) return { issuerDer: issuerDer ?? root[1].raw, root: root[0] };
    sent = sent?.issuerCertificate as DetailedPeerCertificate | undefined;
    const next = sent && readX509(sent.raw);
    certificate = [...(next === undefined ? [] : [next]), ...intermediates].find((each) =>
      isIssuedBy(last, each),
    );
    issuerDer ??= certificate?.raw;
  }
  return undefined;
}

function issuersOf(files: ConnectionFiles): Issuers {
  const known = knownIssuers.get(files);
  if (known !== undefined) return known;
  const { caPem, certificatePem } = files.tls;
  const roots = new Map(read(caPem).map((root) => [hash('sha256', root.raw, 'base64url'), root]));
  const issuers = { roots, intermediates: read(certificatePem).slice(1) };
  knownIssuers.set(files, issuers);
  return issuers;
}

function read(pem: string): readonly X509Certificate[] {
  return (pem.match(PEM_CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
}
