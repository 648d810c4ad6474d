/** Roots that may stand in the trust bundle of a Secret without anybody having put them there. */

import { bundleDigests } from '../../crypto/bundle-digests.ts';

/** More than all that are trusted at once; those of former generations are the first to be forgotten. */
const REMEMBERED_ROOTS = 128;

/** Those that are trusted, whoever led when they were published, and those that this process trusted before. */
export class KnownRoots {
  /** The one that was noted last is the last. */
  readonly #digests = new Set<string>();
  #noted: string | undefined;

  /** Takes note of the bundle that is in use, PEM. */
  note(bundlePem: string): void {
    if (bundlePem === this.#noted) return;
    this.#noted = bundlePem;
    for (const digest of bundleDigests(Buffer.from(bundlePem))) {
      this.#digests.delete(digest);
      this.#digests.add(digest);
    }
    for (const oldest of this.#digests) {
      if (this.#digests.size <= REMEMBERED_ROOTS) return;
      this.#digests.delete(oldest);
    }
  }

  /** Whether a bundle with these certificates, by `bundleDigests`, holds some, and no others than known ones. */
  areAll(digests: readonly string[]): boolean {
    return digests.length > 0 && digests.every((digest) => this.#digests.has(digest));
  }
}
