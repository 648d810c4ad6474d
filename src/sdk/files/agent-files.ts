/** All files of an agent, each part counted as a whole: who it is, the key that it signs with, the bundle. */

import type { Signer } from '../../crypto/jose/signer.ts';
import { type AgentBundle, readBundle } from './bundle-files.ts';
import { type FileProblem, fileProblem, isProblem } from './file-problem.ts';
import type { FolderFiles } from './folder-reading.ts';
import { readSigner } from './signing-files.ts';
import { type AgentIdentity, isSameTls, readIdentity } from './tls-files.ts';

/** All of them. Never changed: a new reading is another object. */
export interface AgentFiles extends AgentIdentity {
  readonly signer: Signer;
  /** Undefined while none was ever right. */
  readonly bundle: AgentBundle | undefined;
}

/** What a reading means. */
export interface AgentFilesOutcome {
  /** The known ones when nothing is new; undefined when there is no identity or no key. */
  readonly files: AgentFiles | undefined;
  /** Parts that are not right. As long as there is a known one, that goes on to count. */
  readonly problems: readonly FileProblem[];
}

/**
 * Finds out what a reading means.
 *
 * @param known What counts now.
 * @param nowMs Milliseconds since the Unix epoch.
 *
 * Errors: none.
 */
export function readAgentFiles(
  folder: FolderFiles,
  known: AgentFiles | undefined,
  nowMs: number,
): AgentFilesOutcome {
  const problems: FileProblem[] = [];
  const orKnown = <T extends object>(read: T | FileProblem, before: T | undefined): T | undefined => {
    if (!isProblem(read)) return read;
    problems.push(read);
    return before;
  };
  const identity = orKnown<AgentIdentity>(readSameIdentity(folder, known, nowMs), known);
  const signer = orKnown(readSigner(folder, known?.signer), known?.signer);
  if (identity === undefined || signer === undefined) return { files: undefined, problems };
  const reader = { identity, known: known?.bundle, nowMs };
  const bundle = orKnown<AgentBundle>(readBundle(folder, reader), known?.bundle);
  const isUnchanged =
    known !== undefined &&
    isSameTls(identity.tls, known.tls) &&
    signer === known.signer &&
    bundle === known.bundle;
  return { files: isUnchanged ? known : { ...identity, signer, bundle }, problems };
}

/** Of a running agent the certificate changes, but not whose it is. */
function readSameIdentity(
  folder: FolderFiles,
  known: AgentIdentity | undefined,
  nowMs: number,
): AgentIdentity | FileProblem {
  const read = readIdentity(folder, nowMs);
  if (isProblem(read) || known === undefined || read.identity === known.identity) return read;
  const file = 'tls/tls.crt';
  return fileProblem('certificate_of_another', file, `${file} is the certificate of another agent.`);
}
