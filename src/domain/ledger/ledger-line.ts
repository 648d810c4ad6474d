/** One line of the issuance ledger: a leaf that was, or may have been, handed out. */

/** What is kept of each leaf. Nothing secret. */
export interface LedgerLine {
  /** UID of the AgentIdentity. */
  readonly identityUid: string;
  readonly namespace: string;
  readonly serviceAccountName: string;
  /** Serial number of the leaf, lower-case hexadecimal. */
  readonly serialHex: string;
  /** Last valid instant, milliseconds since the Unix epoch, whole seconds. */
  readonly notAfterMs: number;
  /** Identifier of the authority's generation that signed it, or of the CA of an issuer: the beginning of its SHA-256. */
  readonly generation: string;
}

/** A ledger takes no more lines beyond this, so that one object stays small. */
export const LINES_PER_LEDGER = 500;

/** `<identity uid> <namespace>/<service account> <serial> <notAfter> <generation>`, without a line end. */
export function formatLedgerLine(line: LedgerLine): string {
  const notAfter = new Date(line.notAfterMs).toISOString().replace('.000Z', 'Z');
  return `${line.identityUid} ${line.namespace}/${line.serviceAccountName} ${line.serialHex} ${notAfter} ${line.generation}`;
}

/** The line, or undefined for text that is none. The inverse of {@link formatLedgerLine}. */
export function parseLedgerLine(text: string): LedgerLine | undefined {
  const match =
    /^(\S{1,64}) ([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253}) ([0-9a-f]{2,40}) (\S{20}) (\S{1,64})$/.exec(text);
  if (match === null) return undefined;
  const [
    ,
    identityUid = '',
    namespace = '',
    serviceAccountName = '',
    serialHex = '',
    notAfter = '',
    generation = '',
  ] = match;
  const notAfterMs = Date.parse(notAfter);
  if (Number.isNaN(notAfterMs)) return undefined;
  return { identityUid, namespace, serviceAccountName, serialHex, notAfterMs, generation };
}
