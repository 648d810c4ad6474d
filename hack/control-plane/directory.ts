/** The folder of a control plane: made, filled with certificates and configuration, removed. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CommandError } from './command-error.ts';
import { API_SERVICE_ADDRESS, AUDIT_POLICY, type Layout } from './flags.ts';
import { kubeconfig } from './kubeconfig.ts';
import { createAuthority, createSigningKey, type KeyPair } from './pki.ts';

/**
 * Makes the folder, readable by its owner only.
 *
 * @param directory a folder that is new or empty; undefined: a new one in the system's temporary folder.
 * @returns its absolute path.
 * @throws CommandError `DIRECTORY_NOT_EMPTY`: it would be removed with everything in it.
 */
export function createDirectory(directory: string | undefined): string {
  if (directory === undefined) return mkdtempSync(join(tmpdir(), 'agent-trust-'));
  const path = resolve(directory);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (readdirSync(path).length > 0) {
    throw new CommandError('DIRECTORY_NOT_EMPTY', `${path} is not empty: name a folder that is new or empty`);
  }
  return path;
}

/** Removes a folder even while a killed process still finishes a write in it. */
export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** Removes everything but the logs, so that a failed start can be looked into and leaves no keys. */
export function removeAllButLogs({ directory, logs }: Layout): void {
  const paths = readdirSync(directory).map((name) => join(directory, name));
  for (const path of paths) if (path !== logs) removeDirectory(path);
}

/** What is needed to talk to the API server as administrator. */
export interface AdminAccess {
  /** Root of the API server's certificate, PEM. */
  readonly ca: string;
  readonly credentials: KeyPair;
}

/** Writes the certificates, keys, kubeconfigs and the audit policy of a new control plane. */
export function writeFiles(layout: Layout, server: string): AdminAccess {
  const authority = createAuthority('agent-trust test control plane');
  const ca = authority.certificate;
  const serving = authority.issue({
    commonName: 'kube-apiserver',
    dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
    ipAddresses: ['127.0.0.1', API_SERVICE_ADDRESS],
    usage: 'server',
  });
  const admin = authority.issue({ commonName: 'admin', organizations: ['system:masters'], usage: 'client' });
  const controllerManager = authority.issue({
    commonName: 'system:kube-controller-manager',
    usage: 'client',
  });
  const tokens = createSigningKey();
  const config = (user: string, credentials: KeyPair): string =>
    kubeconfig({ server, ca, user, credentials });

  for (const folder of [join(layout.directory, 'pki'), layout.logs]) mkdirSync(folder);
  const files = {
    [layout.caCertificate]: ca,
    [layout.serverCertificate]: serving.certificate,
    [layout.serverKey]: serving.privateKey,
    [layout.tokenSigningKey]: tokens.privateKey,
    [layout.tokenVerificationKey]: tokens.publicKey,
    [layout.adminKubeconfig]: config('admin', admin),
    [layout.controllerManagerKubeconfig]: config('kube-controller-manager', controllerManager),
    [layout.auditPolicy]: JSON.stringify(AUDIT_POLICY),
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(path, text, { mode: 0o600 });
  return { ca, credentials: admin };
}
