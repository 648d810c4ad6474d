/** ServiceAccount tokens for processes outside of pods, and the folder a pod would find them in. */

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdminClient } from './admin-client.ts';
import { CommandError } from './command-error.ts';

/** A ServiceAccount. */
export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

/** A token that is bound to no object. */
export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
}

/**
 * Asks for a token through the TokenRequest API (authentication.k8s.io/v1).
 *
 * @param expirationSeconds lifetime; the API server takes 600 at least.
 * @throws CommandError `TOKEN_REFUSED`, for example because there is no such ServiceAccount.
 */
export async function requestToken(
  client: AdminClient,
  { namespace, name }: ServiceAccountName,
  expirationSeconds: number,
): Promise<IssuedToken> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { status, body } = await client('POST', path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds },
  });
  if (status !== 201) {
    throw new CommandError(
      'TOKEN_REFUSED',
      `no token for ServiceAccount ${namespace}/${name}: status ${status}`,
    );
  }
  const { status: issued } = body as { status: { token: string; expirationTimestamp: string } };
  return { token: issued.token, expiresAtMs: Date.parse(issued.expirationTimestamp) };
}

/** Where to keep a folder, and how to get tokens for it. */
export interface TokenFolderOptions {
  readonly directory: string;
  readonly namespace: string;
  /** Root of the API server's certificate, PEM. */
  readonly ca: string;
  readonly request: () => Promise<IssuedToken>;
}

const RETRY_MS = 2000;

/** A folder like /var/run/secrets/kubernetes.io/serviceaccount; the token is replaced after 80 % of its life. */
export class TokenFolder {
  readonly directory: string;
  readonly #request: () => Promise<IssuedToken>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor({ directory, namespace, ca, request }: TokenFolderOptions) {
    this.directory = directory;
    this.#request = request;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, 'ca.crt'), ca);
    writeFileSync(join(directory, 'namespace'), namespace);
  }

  /** Makes the folder with a first token. */
  static async create(options: TokenFolderOptions): Promise<TokenFolder> {
    const issued = await options.request();
    const folder = new TokenFolder(options);
    folder.#write(issued);
    return folder;
  }

  /** No further tokens. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #write({ token, expiresAtMs }: IssuedToken): void {
    const next = join(this.directory, '.token');
    writeFileSync(next, token, { mode: 0o600 });
    renameSync(next, join(this.directory, 'token'));
    this.#refreshAfter(Math.max(0, expiresAtMs - Date.now()) * 0.8);
  }

  #refreshAfter(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#refresh(), delayMs).unref();
  }

  async #refresh(): Promise<void> {
    try {
      const issued = await this.#request();
      if (!this.#closed) this.#write(issued);
    } catch {
      // the API server may be down for a test's sake; the old token still has a fifth of its life
      this.#refreshAfter(RETRY_MS);
    }
  }
}
