/** PEM (RFC 7468): written fast, read strictly and never beyond a size. */

/** Largest PEM texts that are read, in bytes. A Secret can hold a megabyte, and parsing it would stop everything. */
export const PEM_LIMIT_BYTES = {
  privateKey: 13_000,
  certificate: 36_500,
  chain: 95_000,
  bundle: 330_000,
} as const;

/** What stands between the dashes. */
export type PemLabel = 'CERTIFICATE' | 'PRIVATE KEY' | 'EC PRIVATE KEY' | 'RSA PRIVATE KEY' | 'X509 CRL';

/** The contents of each block in order, or why the text was not read; `problem` continues a sentence. */
export type PemResult =
  | { readonly kind: 'blocks'; readonly blocks: readonly Buffer[] }
  | { readonly kind: 'problem'; readonly problem: string };

const LINE_CHARACTERS = 64;
// Sticky, and every part is a class without overlap to the next: linear whatever the text.
const BLOCK = /\s*-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----(?:\r?\n|$)/y;
const LINE_BREAKS = /\r?\n/g;

/** One block with lines of 64 characters, ended by a line feed. */
export function encodePem(label: PemLabel, der: Buffer): string {
  const base64 = der.toString('base64');
  let text = `-----BEGIN ${label}-----\n`;
  for (let at = 0; at < base64.length; at += LINE_CHARACTERS) {
    text += `${base64.slice(at, at + LINE_CHARACTERS)}\n`;
  }
  return `${text}-----END ${label}-----\n`;
}

/** What `tls-combined.pem` holds: the private key, then the certificate, as HAProxy and others read it. */
export function combinedPem(certificatePem: string, privateKeyPem: string): string {
  return privateKeyPem + certificatePem;
}

/** What may be read. */
export interface PemForm {
  readonly label: PemLabel;
  readonly limitBytes: number;
  /** How many blocks there may be; at least one is wanted. */
  readonly maxBlocks: number;
}

/** A leaf, and what leads from it to a root. */
export const CHAIN_FORM: PemForm = { label: 'CERTIFICATE', limitBytes: PEM_LIMIT_BYTES.chain, maxBlocks: 10 };

/**
 * Reads PEM in which there are only blocks of one kind and space between them.
 *
 * @param text As found in a Secret; its size is looked at before anything else.
 * @returns
 *   - `blocks`: the content of each, one to `maxBlocks`, not empty.
 *   - `problem`: too large, empty, text outside the blocks, another label, more blocks, or base64 that is not exactly how
 *     its octets are written (RFC 7468 section 3, strict form, but for the length of lines).
 *
 * Errors: none.
 */
export function decodePem(text: Uint8Array, { label, limitBytes, maxBlocks }: PemForm): PemResult {
  if (text.length > limitBytes) return problemOf(`was larger than ${limitBytes} bytes`);
  const characters = Buffer.from(text.buffer, text.byteOffset, text.length).toString('latin1');
  const end = characters.trimEnd().length;
  if (end === 0) return problemOf('was empty');
  const blocks: Buffer[] = [];
  for (BLOCK.lastIndex = 0; BLOCK.lastIndex < end; ) {
    const [, found, body = ''] = BLOCK.exec(characters) ?? [];
    const block = found === label ? decodeBase64(body.replace(LINE_BREAKS, '')) : undefined;
    if (block === undefined) return problemOf(`was not PEM of type ${label}`);
    if (blocks.push(block) > maxBlocks) return problemOf(`held more than ${maxBlocks} PEM blocks`);
  }
  return { kind: 'blocks', blocks };
}

/** Octets, or `undefined` when another text would stand for the same octets. */
function decodeBase64(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64');
  return octets.length > 0 && octets.toString('base64') === text ? octets : undefined;
}

function problemOf(problem: string): PemResult {
  return { kind: 'problem', problem };
}
