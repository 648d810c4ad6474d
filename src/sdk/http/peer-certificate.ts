/** The certificate of the other end of a connection: whose it is, and whether it still counts. */

import { hash, X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { type CertificateFields, readCertificateFields } from '../../crypto/certificate-fields.ts';
import type { IssuedCertificate } from '../../crypto/revoked-certificates.ts';
import { isAgentId } from '../../domain/token/text-forms.ts';
import type { Peer } from '../../domain/token/verify/verifier.ts';
import type { ConnectionFiles } from './agent-core.ts';

/** Of a connection whose handshake found the chain of the peer to be good. */
interface ProvenPeer extends IssuedCertificate {
  readonly spiffeId: string;
  readonly thumbprint: string;
  readonly notAfterSeconds: number;
  /** SHA-256 of the root that the chain ended at. */
  readonly root: string;
}

const MAX_CHAIN = 10;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const peers = new WeakMap<TLSSocket, ProvenPeer | undefined>();
const rootsOf = new WeakMap<ConnectionFiles, ReadonlySet<string>>();

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
  const proven = peers.has(socket) ? peers.get(socket) : remember(socket);
  if (proven === undefined || !trustedRoots(files).has(proven.root)) return { kind: 'untrusted' };
  const { spiffeId, thumbprint, notAfterSeconds } = proven;
  const isRevoked = isRevokedNow(proven, files);
  return { kind: 'tls', spiffeId, certificate: { thumbprint, notAfterSeconds, isRevoked } };
}

/** Whether a certificate is revoked by the files of this moment, whatever they said at the handshake. */
export function isRevokedNow(certificate: IssuedCertificate, { bundle }: ConnectionFiles): boolean {
  return bundle?.revokedCertificates.has(certificate) ?? false;
}

/** A certificate as it came in a handshake; undefined when it has none above it or is not read. */
export function issuedCertificate(leaf: DetailedPeerCertificate): IssuedCertificate | undefined {
  const fields = readCertificateFields(leaf.raw);
  const issuerDer = (leaf.issuerCertificate as DetailedPeerCertificate | undefined)?.raw;
  return fields === undefined || issuerDer === undefined
    ? undefined
    : { issuerDer, serialHex: fields.serialHex };
}

function agentOf({ uris }: CertificateFields): string | undefined {
  const [uri] = uris;
  return uri !== undefined && uris.length === 1 && isAgentId(uri) ? uri : undefined;
}

/** The certificate does not change while a connection lasts. */
function remember(socket: TLSSocket): ProvenPeer | undefined {
  const proven = socket.authorized ? read(socket.getPeerCertificate(true)) : undefined;
  peers.set(socket, proven);
  return proven;
}

function read(leaf: DetailedPeerCertificate): ProvenPeer | undefined {
  const fields = readCertificateFields(leaf.raw);
  const spiffeId = fields && agentOf(fields);
  const issued = issuedCertificate(leaf);
  if (fields === undefined || spiffeId === undefined || issued === undefined) return undefined;
  return {
    ...issued,
    spiffeId,
    thumbprint: hash('sha256', leaf.raw, 'base64url'),
    notAfterSeconds: Math.floor(fields.notAfterMs / 1000),
    root: hash('sha256', rootOf(leaf).raw, 'base64url'),
  };
}

/** The last of a chain is its own issuer, or names none. */
function rootOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate {
  let last = leaf;
  for (let above = 0; above < MAX_CHAIN; above++) {
    const issuer = last.issuerCertificate as DetailedPeerCertificate | undefined;
    if (issuer === undefined || issuer === last) break;
    last = issuer;
  }
  return last;
}

function trustedRoots(files: ConnectionFiles): ReadonlySet<string> {
  const known = rootsOf.get(files);
  if (known !== undefined) return known;
  const pems = files.tls.caPem.match(PEM_CERTIFICATE) ?? [];
  const roots = new Set(pems.map((pem) => hash('sha256', new X509Certificate(pem).raw, 'base64url')));
  rootsOf.set(files, roots);
  return roots;
}
