/**
 * The keys that this process has seen written, by identity. A Secret that says something else was altered: what it lost is
 * still published, and what somebody put there is not believed, not even a former content.
 */

import { isDeepStrictEqual } from 'node:util';
import type { HeldKey } from '../../domain/signing/keys.ts';
import type { Key } from '../../kube/object.ts';

interface Written {
  readonly identityUid: string;
  readonly keys: readonly HeldKey[];
}

/** One for the process. Nothing here is needed for serving an identity. */
export class KeyMemory {
  readonly #written = new Map<Key, Written>();

  /** The keys to go on from: as they were written, each usable if it still is; what was found if nothing is known. */
  recall(key: Key, identityUid: string, found: readonly HeldKey[]): readonly HeldKey[] {
    const written = this.#written.get(key);
    if (written === undefined || written.identityUid !== identityUid) return found;
    const usable = new Set(found.filter(({ isUsable }) => isUsable).map(({ kid }) => kid));
    const keys = written.keys.map((each) => ({
      ...each,
      isUsable: each.state !== 'Retiring' && usable.has(each.kid),
    }));
    // The same list as in the cache, not another one for each identity.
    return isDeepStrictEqual(keys, found) ? found : keys;
  }

  /** The Secret is known to hold these. */
  remember(key: Key, identityUid: string, keys: readonly HeldKey[]): void {
    this.#written.set(key, { identityUid, keys });
  }

  /** What the Secret holds is not known: a write got no answer, the Secret was wiped, the identity is gone. */
  forget(key: Key): void {
    this.#written.delete(key);
  }
}
