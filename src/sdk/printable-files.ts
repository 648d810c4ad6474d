/** The files of an agent in a form that may get into a log by mistake. */

import type { AgentFiles } from './files/agent-files.ts';
import type { TlsFiles } from './files/tls-files.ts';

const printable = new WeakMap<AgentFiles, AgentFiles>();

/** The same files; the private key can be read from them, but is no part of what is printed, spread or made into JSON. */
export function printableFiles(files: AgentFiles): AgentFiles {
  const known = printable.get(files);
  if (known !== undefined) return known;
  const made = { ...files, tls: withoutKeyInSight(files.tls) };
  printable.set(files, made);
  return made;
}

function withoutKeyInSight({ privateKeyPem, ...shown }: TlsFiles): TlsFiles {
  return Object.defineProperty({ ...shown, privateKeyPem }, 'privateKeyPem', { enumerable: false });
}
