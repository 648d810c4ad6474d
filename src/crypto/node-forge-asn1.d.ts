/** Only asn1 of node-forge is loaded: a tenth of the time and memory of the whole. This file has no types there. */
declare module 'node-forge/lib/asn1.js' {
  import type { asn1 } from 'node-forge';

  interface ReadOptions {
    readonly strict: boolean;
    readonly parseAllBytes: boolean;
    /** Off: octets of a BIT STRING that look like DER stay octets. */
    readonly decodeBitStrings: boolean;
  }

  const api: Omit<typeof asn1, 'fromDer'> & {
    fromDer(bytes: string, options: ReadOptions): asn1.Asn1;
  };
  export = api;
}
