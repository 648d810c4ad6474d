/** What OpenSSL thinks of the certificates: a second opinion that shares no code with the operator. */

import { execFile } from 'node:child_process';
import { requireCommand } from '../control-plane/require-command.ts';
import { Mismatch } from './mismatch.ts';

/**
 * `openssl verify -x509_strict` of each leaf.
 *
 * @param bundlePath PEM file of the trusted roots.
 * @param leafPaths PEM files, one leaf each.
 * @throws Mismatch with OpenSSL's words when one does not verify.
 */
export async function verifyLeaves(bundlePath: string, leafPaths: readonly string[]): Promise<void> {
  const openssl = requireCommand('openssl', 'apt-get install openssl');
  const { promise, resolve } = Promise.withResolvers<string>();
  const args = ['verify', '-x509_strict', '-CAfile', bundlePath, ...leafPaths];
  execFile(openssl, args, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`.trim()));
  const said = await promise;
  const expected = leafPaths.map((path) => `${path}: OK`).join('\n');
  if (said !== expected) throw new Mismatch(expected, said || 'nothing');
}
