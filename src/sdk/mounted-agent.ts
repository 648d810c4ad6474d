/** An agent out of its folder: it makes tokens and verifies those that it gets, and asks nobody. */

import { TOKEN_CRYPTO } from '../crypto/jose/token-crypto.ts';
import { type Refusal, refuse } from '../domain/token/refusal.ts';
import type { ReplayStore } from '../domain/token/replay/replay-store.ts';
import type { ServerPolicy } from '../domain/token/state/server-policy.ts';
import type { TokenRefusal } from '../domain/token/verify/examine.ts';
import type { TokenRequest, Verifier } from '../domain/token/verify/verifier.ts';
import { type Accepted, verify } from '../domain/token/verify/verify.ts';
import { authoritiesOf } from './authorities.ts';
import { type DelegatedToken, delegate, type TokenWish } from './delegate.ts';
import type { AgentDirectory } from './files/agent-directory.ts';
import type { AgentFiles } from './files/agent-files.ts';
import type { AgentCore } from './http/agent-core.ts';
import type { LoadFailed } from './load-failed.ts';
import { storeMismatch } from './store-choice.ts';

/** What an agent is made from beside its folder. */
export interface MountedAgentOptions {
  /** Where used tokens are remembered; undefined for an agent that only calls others. */
  readonly store: ReplayStore | undefined;
  /** Whether nobody has named the store. */
  readonly isStoreDefault: boolean;
  /** Under which the agent is reached beside its names in the cluster. */
  readonly origins: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: () => number;
}

/** What verifies by the files of one moment. */
interface Verifying {
  readonly files: AgentFiles;
  readonly verifier: Verifier;
  /** Why the store must not do it. */
  readonly mismatch: LoadFailed | undefined;
}

const NO_STORE = refuse('store_unavailable', 'This agent was loaded without a store of used tokens.');

/** The agent. It does not close its folder. */
export class MountedAgent implements AgentCore {
  readonly #directory: AgentDirectory;
  readonly #options: MountedAgentOptions;
  /** Made anew with each change of the files. */
  #verifying: Verifying;

  /** @throws LoadFailed when an option is not of its form or does not fit to what policy.json says. */
  constructor(directory: AgentDirectory, options: MountedAgentOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#verifying = this.#newVerifying();
    if (this.#verifying.mismatch !== undefined) throw this.#verifying.mismatch;
  }

  get current(): AgentFiles {
    return this.#directory.current;
  }

  /** `<namespace>/<name of its AgentIdentity>`; that of its ServiceAccount where policy.json does not know it. */
  get name(): string {
    const { identity, namespace, bundle } = this.current;
    const known = bundle?.policy.agents.get(identity)?.name;
    return known ?? `${namespace}/${identity.slice(identity.lastIndexOf('/') + 1)}`;
  }

  /** What policy.json says of its server. */
  get server(): ServerPolicy | undefined {
    const { identity, bundle } = this.current;
    return bundle?.policy.agents.get(identity)?.server;
  }

  onChange(listener: () => void): () => void {
    return this.#directory.onChange(listener);
  }

  /** Makes a token as {@link delegate} says, from the files of this moment. */
  delegate(wish: TokenWish): DelegatedToken | Refusal {
    return delegate(wish, { files: this.current, nowMs: this.#options.nowMs });
  }

  /**
   * Verifies a request by the files of this moment, and uses its token.
   *
   * @returns Also `store_unavailable` when policy.json says meanwhile that this store must not do it. Errors: none.
   */
  async verify(request: TokenRequest): Promise<Accepted | TokenRefusal> {
    const { store, nowMs } = this.#options;
    if (store === undefined) return NO_STORE;
    if (this.#verifying.files !== this.current) this.#verifying = this.#newVerifying();
    const { mismatch, verifier } = this.#verifying;
    if (mismatch !== undefined) return refuse('store_unavailable', mismatch.message);
    return verify(request, verifier, { nowSeconds: nowMs() / 1000, store });
  }

  #storeMismatch(): LoadFailed | undefined {
    const { store, isStoreDefault: isDefault } = this.#options;
    const { identity } = this.current;
    return store === undefined
      ? undefined
      : storeMismatch({ store, isDefault, identity, server: this.server });
  }

  #newVerifying(): Verifying {
    const files = this.current;
    const authorities = authoritiesOf(this.server, this.#options.origins);
    const state = files.bundle?.state;
    return {
      files,
      verifier: { self: files.identity, authorities, state, crypto: TOKEN_CRYPTO },
      mismatch: this.#storeMismatch(),
    };
  }
}
