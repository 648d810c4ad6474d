/** What the controllers need to know of the authority. */

import type { LeafSigner } from '../../crypto/leaf.ts';
import type { AuthorityFacts } from '../../domain/certificate/plan.ts';

/** An authority that can sign. */
export interface ReadyAuthority {
  readonly kind: 'ready';
  /** The generation that signs. */
  readonly signing: AuthorityFacts;
  readonly signer: LeafSigner;
  /** Certificate of the generation that signs, PEM. */
  readonly signingPem: string;
  /** Every generation whose leaves are accepted, the signing one among them. */
  readonly trusted: readonly AuthorityFacts[];
  /** By id of those that are no roots: what stands behind their leaves, PEM. */
  readonly intermediatesPem: ReadonlyMap<string, string>;
  /** Roots of all trusted generations, PEM: what belongs into `ca.crt`. */
  readonly bundlePem: string;
  /** Of `bundlePem`, lower-case hexadecimal. */
  readonly bundleSha256: string;
}

/** Not looked at yet, ready, or a sentence that says why not and what to do. */
export type AuthorityState =
  | { readonly kind: 'pending' }
  | ReadyAuthority
  | { readonly kind: 'unavailable'; readonly message: string };
