/**
 * How far each identity has come with its issuer. The private key of a leaf that is asked for lives here and nowhere else:
 * after a crash there is another key, and another request.
 */

import type { AuthorityCertificate } from '../../crypto/authority-reader.ts';
import type { KeyPair } from '../../crypto/key-pair.ts';
import type { IssuedLeaf } from '../../crypto/leaf.ts';
import type { Key } from '../../kube/object.ts';
import type { LeafAnswer } from './answer.ts';
import type { CertificateRequest } from './kinds.ts';

/** Asked; `isSent`: the request is on the server, as far as is known. */
export interface Asked {
  readonly kind: 'asked';
  readonly fits: string;
  readonly keyPair: KeyPair;
  readonly request: CertificateRequest;
  readonly askedAtMs: number;
  isSent: boolean;
}

/** Verified, and in the ledger. */
export interface Issued {
  readonly kind: 'issued';
  readonly fits: string;
  readonly leaf: IssuedLeaf;
  readonly anchor: AuthorityCertificate;
  readonly issuedAtMs: number;
}

/** Came to nothing. */
export interface Refused {
  readonly kind: 'refused';
  readonly fits: string;
  readonly generation: number;
  readonly answer: Extract<LeafAnswer, { kind: 'refused' }>;
}

export type Stage = Asked | Issued | Refused;

/** Stages by key of the identity. */
export class Stages {
  readonly #stages = new Map<Key, Stage>();
  readonly #keys = new Map<string, Key>();
  readonly #listeners: ((requestName: string) => void)[] = [];

  get(key: Key): Stage | undefined {
    return this.#stages.get(key);
  }

  /** Puts a stage in the place of the one before. */
  set(key: Key, stage: Stage): void {
    this.delete(key);
    this.#stages.set(key, stage);
    if (stage.kind === 'asked') this.#keys.set(stage.request.metadata.name, key);
  }

  /** Forgets the stage, and overwrites the key of one that was asked for. */
  delete(key: Key): void {
    const stage = this.#stages.get(key);
    this.#stages.delete(key);
    if (stage?.kind !== 'asked') return;
    stage.keyPair.pkcs8Der.fill(0);
    const { name } = stage.request.metadata;
    this.#keys.delete(name);
    for (const listener of this.#listeners) listener(name);
  }

  /** Key of the identity that waits for a request, if one does. */
  waitsFor(requestName: string): Key | undefined {
    return this.#keys.get(requestName);
  }

  /** Calls `listener` with the name of a request that nobody waits for any more. */
  onLeft(listener: (requestName: string) => void): void {
    this.#listeners.push(listener);
  }
}
