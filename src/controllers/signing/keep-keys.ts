/**
 * Keeps the signing Secret of one identity true: plan, act, tell. It has its own failures, so that neither it nor the
 * certificate waits for the other.
 */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import type { ReadyReason } from '../../api/conditions.ts';
import { jwkThumbprint } from '../../crypto/jose/jwk.ts';
import { generatePrivateJwk } from '../../crypto/jose/private-jwk.ts';
import {
  readSigningKeyFiles,
  type SigningKeys,
  type StoredKey,
  signingKeyFiles,
} from '../../crypto/jose/signing-key-files.ts';
import type { ResolvedIdentity } from '../../domain/identity/resolve.ts';
import { SIGNING_SECRET_TYPE } from '../../domain/signing/facts.ts';
import type { HeldKey, SigningKey } from '../../domain/signing/keys.ts';
import type { NewKey } from '../../domain/signing/plan.ts';
import { planSigningKeys } from '../../domain/signing/plan.ts';
import {
  planSigningSecret,
  type SigningSecretPlan,
  type SigningSecretWish,
} from '../../domain/signing/secret-plan.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type Key, keyOf } from '../../kube/object.ts';
import { type ActPorts, sameSecret, sendSecret } from '../identity/act.ts';
import type { Attempts } from '../identity/attempts.ts';
import type { Secret } from '../identity/secret.ts';
import { framedSecret } from '../identity/secret-object.ts';
import { type SecretRecord, secretRecord } from '../identity/secret-record.ts';
import { explainSigningFailure } from './failure.ts';
import type { KeyMemory } from './key-memory.ts';
import type { SigningOutcome } from './outcome.ts';
import { isMendingKeys, type SigningEvents } from './signing-events.ts';
import { keysOf, signingFacts } from './signing-record.ts';
import { signingWish } from './signing-wish.ts';

/** What keeping is made of. */
export interface SigningKeeperOptions extends Pick<ActPorts, 'client' | 'writer' | 'judge' | 'observe'> {
  readonly nowMs: () => number;
  /** Of these Secrets alone. */
  readonly attempts: Attempts;
  readonly memory: KeyMemory;
  readonly events: SigningEvents;
}

/** An identity that is served, and its signing Secret. */
export interface SigningInput {
  readonly identity: AgentIdentity;
  readonly resolved: Pick<ResolvedIdentity, 'signing'>;
  /** The Secret of the wanted name, whoever's it is. */
  readonly secret: SecretRecord | undefined;
  /** It was read from the server, because an earlier write showed that the cache may be behind. */
  readonly wasContested: boolean;
  /** When the keys of the identity were last taken away. */
  readonly wipedAtMs: number | undefined;
}

type Write = Extract<SigningSecretPlan, { kind: 'write' }>;

const CONFLICT_RECHECK_MS = 10_000;

/** One for the process. */
export class SigningKeeper {
  readonly #options: SigningKeeperOptions;

  constructor(options: SigningKeeperOptions) {
    this.#options = options;
  }

  /** At most one write. Never throws for what the API server answers. */
  async keep(input: SigningInput, signal: AbortSignal): Promise<SigningOutcome> {
    const wish = signingWish(input);
    try {
      return await this.#keep(input, wish, signal);
    } catch (error) {
      const { attempts, events, memory, nowMs } = this.#options;
      // Then nobody knows what the Secret holds.
      if (isKubeError(error) && error.lost) memory.forget(keyOf(input.identity.metadata));
      const keys = input.secret === undefined ? [] : keysOf(input.secret, wish.identityUid);
      const at = { ...input, keys, target: wish.secret, nowMs: nowMs() };
      return explainSigningFailure({ attempts, events }, at, error);
    }
  }

  /** The Secret was wiped, or the identity is gone. */
  forget(key: Key): void {
    this.#options.memory.forget(key);
    this.#options.attempts.forget(key);
  }

  async #keep(input: SigningInput, wish: SigningSecretWish, signal: AbortSignal): Promise<SigningOutcome> {
    const { attempts, events, memory, nowMs } = this.#options;
    const { identity, secret } = input;
    const key = keyOf(identity.metadata);
    const secretName = wish.secret.name;
    const found = secret === undefined ? [] : keysOf(secret, wish.identityUid);
    const keys = memory.recall(key, wish.identityUid, found);
    const atMs = nowMs();
    const plan = planSigningSecret(wish, { secret: secret && signingFacts(secret), keys }, atMs);
    if (plan.kind === 'refuse') return this.#refused(input, found, plan);
    if (plan.kind === 'keep') {
      memory.remember(key, wish.identityUid, keys);
      attempts.succeeded(key);
      return { kind: 'kept', secretName, keys, recheckAtMs: plan.recheckAtMs };
    }
    const mends = isMendingKeys(identity, plan);
    const pauseUntilMs = mends ? attempts.pauseUntilMs(key, atMs) : undefined;
    if (pauseUntilMs !== undefined) return this.#paused(input, found, pauseUntilMs);
    const written = await this.#write(plan, wish, secret, signal);
    memory.remember(key, wish.identityUid, written);
    if (mends) attempts.mended(key, atMs);
    attempts.succeeded(key);
    events.acted(identity, { secretName, plan, keys: written });
    const next = planSigningKeys(written, wish, atMs);
    const recheckAtMs = next.kind === 'keep' ? next.recheckAtMs : atMs;
    return { kind: 'kept', secretName, keys: written, recheckAtMs };
  }

  async #write(
    plan: Write,
    wish: SigningSecretWish,
    secret: SecretRecord | undefined,
    signal: AbortSignal,
  ): Promise<readonly HeldKey[]> {
    const { client, writer, judge, observe } = this.#options;
    const stored =
      secret === undefined ? NOTHING : readStored(await sameSecret(client, wish.secret, secret, signal));
    const keys = plan.keys.map((each) => ('kid' in each ? withHalf(each, stored) : made(each)));
    const files = signingKeyFiles(wish.identityUid, keys);
    const desired = framedSecret(wish.secret, SIGNING_SECRET_TYPE, files);
    const written = await sendSecret(writer, { replace: plan.replace, desired, secret }, signal);
    observe(written);
    return keysOf(secretRecord(written, judge), wish.identityUid);
  }

  #refused(
    { identity }: SigningInput,
    keys: readonly SigningKey[],
    plan: Extract<SigningSecretPlan, { kind: 'refuse' }>,
  ): SigningOutcome {
    return this.#failed(identity, keys, {
      reason: plan.reason,
      message: `${plan.message}.`,
      recheckAtMs: this.#options.nowMs() + CONFLICT_RECHECK_MS,
    });
  }

  #paused(
    { identity, resolved }: SigningInput,
    keys: readonly SigningKey[],
    untilMs: number,
  ): SigningOutcome {
    const until = new Date(untilMs).toISOString().replace(/\.\d{3}Z/, 'Z');
    const message = `The signing keys were mended more than six times within an hour, and are broken again. Next try at ${until}. Find who writes Secret ${resolved.signing.secretName}.`;
    return this.#failed(identity, keys, { reason: 'RepairLoop', message, recheckAtMs: untilMs });
  }

  #failed(
    identity: AgentIdentity,
    keys: readonly SigningKey[],
    failure: { readonly reason: ReadyReason; readonly message: string; readonly recheckAtMs: number },
  ): SigningOutcome {
    this.#options.events.failed(identity, failure.reason, failure.message);
    return { kind: 'failed', keys, ...failure };
  }
}

const NOTHING: SigningKeys = { identityUid: undefined, keys: [] };

function readStored({ data = {} }: Secret): SigningKeys {
  return readSigningKeyFiles(
    Object.fromEntries(Object.entries(data).map(([name, text]) => [name, Buffer.from(text, 'base64')])),
  );
}

function withHalf(key: SigningKey, { keys }: SigningKeys): StoredKey {
  return { ...key, privateJwk: keys.find(({ kid }) => kid === key.kid)?.privateJwk };
}

function made({ algorithm, ...life }: NewKey): StoredKey {
  const privateJwk = generatePrivateJwk(algorithm);
  const { d: _, ...jwk } = privateJwk;
  return { ...life, kid: jwkThumbprint(jwk), jwk, privateJwk };
}
