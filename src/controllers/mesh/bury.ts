/**
 * What becomes of the mesh objects of an agent whose AgentIdentity is gone: closed while a pod runs as that agent, since
 * without them the pods would be open to everybody, and removed after the last.
 */

import { AGENT_IDENTITY } from '../../api/group.ts';
import { BY_SERVICE_ACCOUNT } from '../../cluster/identity-view.ts';
import { NAMESPACE } from '../../kube/core-types.ts';
import { isNamespaceTerminating } from '../../kube/errors.ts';
import { type Key, splitKey } from '../../kube/object.ts';
import { isKept, keepObjects } from './keep-objects.ts';
import { POD } from './kinds.ts';
import type { MeshPorts } from './mesh-ports.ts';
import type { MeshScope } from './mesh-view.ts';
import { ownRecords } from './object-cache.ts';
import { isGuarded, scopeAccess } from './scope-access.ts';
import { tombstonePlan } from './wanted.ts';

/** `gone`: nothing is left. `stands`: the end of the last pod wakes the key. `not-yet`: look again soon. */
export type Burial = 'gone' | 'stands' | 'not-yet';

/**
 * Idempotent; the key is that of an identity that no cache shows.
 *
 * @throws KubeError when the server does not do what was asked.
 */
export async function buryObjects(ports: MeshPorts, key: Key, signal: AbortSignal): Promise<Burial> {
  const { view, mesh } = ports;
  const { namespace = '', name } = splitKey(key);
  const scope = view.governed(namespace) === undefined ? undefined : mesh.scope(namespace);
  if (scope === undefined) return 'gone';
  if (!view.identities.hasSynced) return 'not-yet';
  const access = scopeAccess(mesh, scope);
  if (access !== 'allowed') {
    return access === 'refused' && (await isNamespaceGone(ports, namespace, signal)) ? 'gone' : 'not-yet';
  }
  // Of nobody of ours: what others call like that is their business while no agent has the name.
  if (![...ownRecords(scope, key).values()].some(({ isOurs }) => isOurs)) return 'gone';
  // A cache that misses an identity must not cut it off.
  const identity = await ports.client.find(AGENT_IDENTITY, { namespace, name }, { signal });
  if (identity !== undefined) return 'not-yet';
  const grave = { key, namespace, name, scope, accounts: accountsOf(scope, key, name) };
  try {
    return await settle(ports, grave, signal);
  } catch (error) {
    // They go with their namespace.
    if (isNamespaceTerminating(error)) return 'stands';
    throw error;
  }
}

/** The role may go before the rest of its namespace: then no cache tells of the end. */
async function isNamespaceGone(
  { namespaces, client }: MeshPorts,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (!namespaces.hasSynced || namespaces.get(name) !== undefined) return false;
  return (await client.find(NAMESPACE, { name }, { signal })) === undefined;
}

interface Grave {
  readonly key: Key;
  readonly namespace: string;
  readonly name: string;
  readonly scope: MeshScope;
  /** The ServiceAccounts whose pods the objects select; more than one only if somebody altered some. */
  readonly accounts: readonly [string, ...string[]];
}

async function settle(ports: MeshPorts, grave: Grave, signal: AbortSignal): Promise<Burial> {
  const { key, scope, namespace, accounts } = grave;
  const remove = async (): Promise<Burial> => {
    await keepObjects(ports, { agent: key, scope, wanted: {} }, signal);
    return 'gone';
  };
  const [serviceAccountName] = accounts;
  const heirs = ports.view.identities.byIndex(BY_SERVICE_ACCOUNT, `${namespace}/${serviceAccountName}`);
  if (heirs.length > 0) {
    return heirs.some((heir) => isGuarded({ ...ports, scope }, heir)) ? remove() : 'not-yet';
  }
  if (isRecordedOnly(grave)) return remove();
  const keeping = {
    agent: key,
    scope,
    wanted: tombstonePlan(ports, { ...grave, serviceAccountName }).objects,
  };
  if (!(await isAnyPodLeft(ports, grave, signal))) return remove();
  if (!isKept(keeping)) await keepObjects(ports, keeping, signal);
  // The end of a pod wakes whoever has a tombstone by then: one that ended before, or is in no cache, wakes nobody.
  return ports.mesh.podsOf(namespace, serviceAccountName).length > 0 ? 'stands' : 'not-yet';
}

/** Nothing of it ever refused a call. */
function isRecordedOnly({ scope, key }: Grave): boolean {
  const records = ownRecords(scope, key);
  return !(['allow', 'fence', 'net', 'verify'] as const).some((role) => records.has(role));
}

/** Asks the server before it says no: a cache may not know of the newest pod. */
async function isAnyPodLeft(
  { mesh, client }: MeshPorts,
  { namespace, accounts, scope }: Grave,
  signal: AbortSignal,
): Promise<boolean> {
  if (!scope.pods.hasSynced) return true;
  for (const account of accounts) {
    if (mesh.podsOf(namespace, account).length > 0) return true;
    const fieldSelector = `spec.serviceAccountName=${account},status.phase!=Succeeded,status.phase!=Failed`;
    const page = { namespace, fieldSelector, limit: 1, metadataOnly: true };
    if ((await client.listPage(POD, page, { signal })).items.length > 0) return true;
  }
  return false;
}

/** The one that most objects select first. */
function accountsOf(scope: MeshScope, key: Key, name: string): Grave['accounts'] {
  const counts = new Map<string, number>();
  for (const { account } of ownRecords(scope, key).values()) {
    if (account !== undefined) counts.set(account, (counts.get(account) ?? 0) + 1);
  }
  const [first = name, ...others] = [...counts.keys()].sort(
    (a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0),
  );
  return [first, ...others];
}
