/** Contents of Secrets that this process is writing right now, so that their answers need not be inspected. */

import type { SecretContent } from '../../domain/certificate/facts.ts';
import { type Key, keyOf } from '../../kube/object.ts';
import type { Secret } from './secret.ts';

interface Known {
  readonly data: NonNullable<Secret['data']>;
  readonly content: SecretContent;
}

/** Holds a content for as long as its write is under way. */
export class KnownContents {
  readonly #known = new Map<Key, Known>();

  /** Runs `write`; while it runs, a Secret with exactly these data is known to hold `content`. */
  async during<T>(secret: Secret, content: SecretContent, write: () => Promise<T>): Promise<T> {
    const key = keyOf(secret.metadata);
    this.#known.set(key, { data: secret.data ?? {}, content });
    try {
      return await write();
    } finally {
      this.#known.delete(key);
    }
  }

  /** The content of a Secret whose data are those being written, or undefined. */
  of({ metadata, data = {} }: Secret): SecretContent | undefined {
    const known = this.#known.get(keyOf(metadata));
    if (known === undefined) return undefined;
    const names = Object.keys(known.data);
    const isSame =
      names.length === Object.keys(data).length && names.every((name) => data[name] === known.data[name]);
    return isSame ? known.content : undefined;
  }
}
