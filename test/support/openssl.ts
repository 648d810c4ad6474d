/** OpenSSL as a second opinion that shares no code with the project. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Runs OpenSSL in a folder with these files; resolves with what it prints, or with its complaint. */
export async function openssl(
  args: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'agent-trust-openssl-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    const { stdout } = await promisify(execFile)('openssl', args, { cwd: directory });
    return stdout;
  } catch (error) {
    return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What `openssl verify -crl_check` is asked; all PEM. */
export interface CrlQuestion {
  readonly roots: string;
  readonly crl: string;
  /** With what leads to a root behind it. */
  readonly certificate: string;
  /** Default: any. */
  readonly purpose?: 'sslserver';
  /** Milliseconds since the Unix epoch; now by default. */
  readonly atMs?: number;
}

/** Whether `openssl verify -crl_check -x509_strict` accepts a certificate: `OK`, or what it says instead. */
export async function verifyWithCrl({
  roots,
  crl,
  certificate,
  purpose,
  atMs,
}: CrlQuestion): Promise<string> {
  const use = purpose === undefined ? [] : ['-purpose', purpose];
  const at = atMs === undefined ? [] : ['-attime', String(Math.floor(atMs / 1000))];
  const said = await openssl(
    [
      ...['verify', '-x509_strict', '-crl_check', ...use, ...at, '-no-CApath', '-no-CAstore'],
      ...['-CAfile', 'ca.crt', '-CRLfile', 'ca.crl', '-untrusted', 'tls.crt', 'tls.crt'],
    ],
    { 'ca.crt': roots, 'ca.crl': crl, 'tls.crt': certificate },
  );
  return said.trim() === 'tls.crt: OK' ? 'OK' : said;
}
