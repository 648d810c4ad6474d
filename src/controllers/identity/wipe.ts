/** Taking keys away: of identities that are gone or may not live, and Secrets under a former name. */

import { wipeSecret } from './act.ts';
import type { Context, IdentityPorts } from './context.ts';
import { isOwn, isOwnKeys, saysIsOwn } from './outcome.ts';
import type { SecretRecord } from './secret-record.ts';

/** Secrets of former identities. Nobody is left to tell; they are counted. */
export async function wipeOrphans(
  ports: IdentityPorts,
  orphans: readonly SecretRecord[],
  signal: AbortSignal,
): Promise<void> {
  for (const orphan of orphans) {
    const result = await wipeSecret(ports, orphan, signal);
    ports.events.wiped(undefined, orphan.metadata.name, result);
  }
}

/** Secrets of the identity under a name that its spec had before. */
export async function wipeOutdated(context: Context): Promise<void> {
  await wipeEach(context, context.inputs.outdated);
}

/** Everything that the identity holds. */
export async function wipeOwn(context: Context): Promise<void> {
  const { ports, key, inputs } = context;
  const { secret, signing, outdated } = inputs;
  const held = [
    ...[secret].filter((each) => isOwn(context, each)),
    ...[signing].filter((each) => saysIsOwn(context, each) || isOwnKeys(context, each)),
  ];
  await wipeEach(context, [...held.filter((each) => each !== undefined), ...outdated]);
  ports.attempts.wiped(key, ports.nowMs());
  ports.signing.forget(key);
}

async function wipeEach({ ports, inputs, signal }: Context, secrets: readonly SecretRecord[]): Promise<void> {
  for (const secret of secrets) {
    const result = await wipeSecret(ports, secret, signal);
    ports.events.wiped(inputs.identity, secret.metadata.name, result);
  }
}
