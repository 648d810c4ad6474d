/**
 * Everything that one reconcile of an identity reads, in two parts: what caches say of the identity itself, which is enough
 * to decide who may call it, and then the rest. After it nothing is decided on any further read.
 */

import type { AgentIdentity } from '../../api/agent-identity.ts';
import { AGENT_IDENTITY } from '../../api/group.ts';
import { takenDnsNames } from '../../cluster/dns-claims.ts';
import { BY_UID, isAgentAccount, olderClaimant } from '../../cluster/identity-view.ts';
import { resolveAgent } from '../../domain/delegation/resolve-agent.ts';
import {
  type Eligibility,
  type IdentitySituation,
  judgeEligibility,
} from '../../domain/identity/eligibility.ts';
import { type ResolvedIdentity, resolveAgentIdentity } from '../../domain/identity/resolve.ts';
import type { TakenDnsName } from '../../domain/identity/taken-dns-name.ts';
import { unservedFields } from '../../domain/identity/unserved.ts';
import { type ResolvedServer, resolveServer } from '../../domain/mesh/resolve-server.ts';
import type { KubeClient } from '../../kube/client.ts';
import { NAMESPACE, SECRET, SERVICE_ACCOUNT } from '../../kube/core-types.ts';
import { type Key, keyOf, splitKey } from '../../kube/object.ts';
import type { AuthorityState } from '../authority/authority-state.ts';
import { BY_AGENT, type ClusterView, type GovernedNamespace } from '../cluster-view.ts';
import type { Secret } from './secret.ts';
import {
  agentsOf,
  ownerUids,
  type SecretJudge,
  type SecretRecord,
  secretRecord,
  verifiedRecord,
} from './secret-record.ts';

/** What the caches say of an identity, with nothing asked of anybody. */
export interface SeenIdentity {
  readonly identity: AgentIdentity;
  readonly resolved: ResolvedIdentity;
  /** How it is called. */
  readonly server: ResolvedServer;
  /** What can be judged of it so far: a role and a ServiceAccount count as there. */
  readonly situation: IdentitySituation;
}

/** An identity that exists, with its surroundings. */
export interface IdentityInputs extends SeenIdentity {
  readonly kind: 'identity';
  readonly eligibility: Eligibility;
  /** The Secret of the wanted name, whoever's it is; undefined also when it is one of `orphans`. */
  readonly secret: SecretRecord | undefined;
  /** The same for the Secret with the signing keys. */
  readonly signing: SecretRecord | undefined;
  /** Secrets of former identities of this name: their keys may not live on. */
  readonly orphans: readonly SecretRecord[];
  /** Secrets of this identity under names that the spec had before. */
  readonly outdated: readonly SecretRecord[];
  /** DNS names it wants and another identity has. */
  readonly takenDnsNames: readonly TakenDnsName[];
  readonly authority: Exclude<AuthorityState, { kind: 'pending' }>;
}

/** The identity is gone, confirmed by the API server. */
export interface GoneInputs {
  readonly kind: 'gone';
  readonly orphans: readonly SecretRecord[];
}

/** Caches of this namespace are not there yet; they wake the key. */
export interface NotYet {
  readonly kind: 'not-yet';
}

/** What gathering needs. */
export interface GatherPorts {
  readonly view: ClusterView;
  readonly client: Pick<KubeClient, 'find'>;
  readonly authority: () => AuthorityState;
  readonly judge: SecretJudge;
  /** Keys whose Secret may be another than the cache shows: a write said so. It is then read from the server. */
  readonly contested: ReadonlySet<Key>;
}

/** Sees an identity; undefined when the cache has none of this key. */
export function seeIdentity({ view }: Pick<GatherPorts, 'view'>, key: Key): SeenIdentity | undefined {
  const { namespace = '', name } = splitKey(key);
  const identity = view.identities.get(key);
  if (identity === undefined) return undefined;
  const resolved = resolveAgentIdentity(name, identity.spec);
  const server = resolveServer(identity.spec, (account) => isAgentAccount(view, account));
  const situation: IdentitySituation = {
    namespace,
    serviceAccountName: resolved.serviceAccountName,
    namespaceScope: view.scopeOf(namespace),
    namespaceAccess: 'allowed',
    invalidFields: [
      ...resolved.invalidFields,
      ...resolveAgent({ namespace, name }, identity.spec).invalidFields,
      ...server.invalidFields,
    ],
    unservedFields: unservedFields({ ...identity.spec }),
    isDeleting: identity.metadata.deletionTimestamp !== undefined,
    isSuspended: resolved.isSuspended,
    serviceAccountExists: true,
    olderClaimant: olderClaimant(view, { ...identity.metadata, ...resolved }),
  };
  return { identity, resolved, server, situation };
}

/** Reads the rest; asks the server only for what a cache cannot be believed about: that something is not there. */
export async function gatherIdentity(
  ports: GatherPorts,
  seen: SeenIdentity,
  signal: AbortSignal,
): Promise<IdentityInputs | NotYet> {
  const { identity, resolved } = seen;
  const { namespace } = identity.metadata;
  const governed = ports.view.governed(namespace);
  const access = accessOf(governed);
  const authority = ports.authority();
  if (access === 'unknown' || authority.kind === 'pending') return { kind: 'not-yet' };
  const situation = { ...seen.situation, namespaceAccess: access };
  const eligibility = await judgeWithAccount(ports, situation, signal);
  const found =
    governed === undefined || access === 'refused'
      ? NO_SECRETS
      : await gatherSecrets(ports, { governed, identity, resolved }, signal);
  if (await isAnyOwnerAlive(ports, found.orphans, signal)) return { kind: 'not-yet' };
  const taken = takenDnsNames(ports.view, identity, 'older');
  return { kind: 'identity', ...seen, situation, eligibility, ...found, takenDnsNames: taken, authority };
}

/** The ServiceAccount is asked for last and only if all else is well, so that a kill waits for no answer. */
async function judgeWithAccount(
  ports: GatherPorts,
  situation: IdentitySituation,
  signal: AbortSignal,
): Promise<Eligibility> {
  const eligibility = judgeEligibility(situation);
  const { namespace, serviceAccountName } = situation;
  if (eligibility.kind === 'refused' || ports.view.governed(namespace) === undefined) return eligibility;
  const serviceAccountExists = await accountExists(ports, namespace, serviceAccountName, signal);
  return judgeEligibility({ ...situation, serviceAccountExists });
}

/** What is left of an identity that the cache does not have. */
export async function gatherGone(
  ports: GatherPorts,
  key: Key,
  signal: AbortSignal,
): Promise<GoneInputs | NotYet> {
  const { namespace = '' } = splitKey(key);
  const governed = ports.view.governed(namespace);
  const found =
    governed === undefined ? [] : keptFor(governed, key).filter((secret) => isOrphan(ports.view, secret));
  const isRefused = governed?.secrets.state === 'refused';
  // The role may go before the rest of its namespace: then no cache tells of the end.
  const isOver =
    found.length > 0 &&
    isRefused &&
    (await ports.client.find(NAMESPACE, { name: namespace }, { signal })) === undefined;
  const orphans = isOver ? [] : found;
  return (await isAnyOwnerAlive(ports, orphans, signal)) ? { kind: 'not-yet' } : { kind: 'gone', orphans };
}

/** Asks the server: a cache that misses an identity must not cost it its key. */
async function isAnyOwnerAlive(
  { client }: GatherPorts,
  orphans: readonly SecretRecord[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const orphan of orphans) {
    for (const key of agentsOf(orphan)) {
      const { namespace, name } = splitKey(key);
      const identity = await client.find(AGENT_IDENTITY, { namespace, name }, { signal });
      if (ownerUids(orphan).includes(identity?.metadata.uid ?? '')) return true;
    }
  }
  return false;
}

function accessOf(governed: GovernedNamespace | undefined): 'allowed' | 'refused' | 'unknown' {
  if (governed === undefined) return 'allowed';
  const states = [governed.secrets.state, governed.bundles.state];
  if (states.includes('refused')) return 'refused';
  return states.every((state) => state === 'synced') ? 'allowed' : 'unknown';
}

const NO_SECRETS: SecretsFound = { secret: undefined, signing: undefined, orphans: [], outdated: [] };

type SecretsFound = Pick<IdentityInputs, 'secret' | 'signing' | 'orphans' | 'outdated'>;

interface SecretsOf {
  readonly governed: GovernedNamespace;
  readonly identity: AgentIdentity;
  readonly resolved: ResolvedIdentity;
}

async function gatherSecrets(ports: GatherPorts, of: SecretsOf, signal: AbortSignal): Promise<SecretsFound> {
  const { governed, identity, resolved } = of;
  const names = [resolved.secretName, resolved.signing.secretName] as const;
  const [certificate, keys] = [
    await secretNamed(ports, of, { name: names[0], signal }),
    await secretNamed(ports, of, { name: names[1], signal }),
  ];
  const others = keptFor(governed, keyOf(identity.metadata)).filter(
    ({ metadata }) => !names.includes(metadata.name),
  );
  const isOwn = (other: SecretRecord): boolean => ownerUids(other).includes(identity.metadata.uid);
  const isDead = (secret: SecretRecord): boolean => !isOwn(secret) && isOrphan(ports.view, secret);
  const alive = (secret: SecretRecord | undefined): SecretRecord | undefined =>
    secret === undefined || isDead(secret) ? undefined : secret;
  const secret = alive(certificate);
  return {
    secret: secret && verifiedRecord(secret, ports.judge.trusted),
    signing: alive(keys),
    orphans: [certificate, keys, ...others].filter((each) => each !== undefined).filter(isDead),
    outdated: others.filter(isOwn).map((each) => verifiedRecord(each, ports.judge.trusted)),
  };
}

async function secretNamed(
  { contested, client, judge }: GatherPorts,
  { governed, identity }: SecretsOf,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
): Promise<SecretRecord | undefined> {
  const { namespace } = identity.metadata;
  const cached = governed.secrets.get(keyOf({ namespace, name }));
  // A kill must not depend on a label that somebody could take off.
  const isCacheEnough = cached !== undefined || !isToBeWiped(identity);
  if (isCacheEnough && !contested.has(keyOf(identity.metadata))) return cached;
  const found = await client.find<Secret>(SECRET, { namespace, name }, { signal });
  return found === undefined ? undefined : secretRecord(found, judge);
}

function isToBeWiped({ metadata, spec }: AgentIdentity): boolean {
  return spec.suspended === true || metadata.deletionTimestamp !== undefined;
}

function keptFor({ secrets }: GovernedNamespace, key: Key): readonly SecretRecord[] {
  return secrets
    .byIndex(BY_AGENT, key)
    .map((secretKey) => secrets.get(secretKey))
    .filter((secret) => secret !== undefined);
}

/** It says whose it is, and none of those is alive. */
function isOrphan(view: ClusterView, secret: SecretRecord): boolean {
  const uids = ownerUids(secret);
  return uids.length > 0 && !uids.some((uid) => view.identities.byIndex(BY_UID, uid).length > 0);
}

async function accountExists(
  { view, client }: GatherPorts,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (view.serviceAccounts.get(keyOf({ namespace, name })) !== undefined) return true;
  return (await client.find(SERVICE_ACCOUNT, { namespace, name }, { signal })) !== undefined;
}
