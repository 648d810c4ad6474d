/**
 * Brings the objects of one target to what they should be: compares with what the caches have, reads what differs from
 * the server, plans the order of the writes on that, and carries them out one after the other.
 */

import type { MeshObject, MeshObjects, MeshRole, MeshWrite } from '../../domain/mesh/model.ts';
import { meshObjectName } from '../../domain/mesh/names.ts';
import { planWrites } from '../../domain/mesh/order.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError, KubeError } from '../../kube/errors.ts';
import { type Key, type ObjectMeta, splitKey } from '../../kube/object.ts';
import { counted, type PolicyObject, policyDigest, uncounted } from './digest.ts';
import { MESH_ROLES, typeOfRole } from './kinds.ts';
import type { MeshScope } from './mesh-view.ts';
import { cacheOfRole, ownRecords } from './object-cache.ts';
import { isOurs } from './policy-record.ts';

/** What keeping needs. Writes of the client need the Lease. */
export interface KeepPorts {
  readonly client: Pick<KubeClient, 'find' | 'create' | 'replace' | 'delete'>;
}

/** Whose objects, and what they should be. */
export interface Keeping {
  readonly agent: Key;
  readonly scope: MeshScope;
  readonly wanted: MeshObjects;
}

/** What was there before the first write. */
export interface Kept {
  readonly writes: number;
  /** Objects under our names that said they were of nobody of ours, by role. */
  readonly squatted: readonly MeshRole[];
}

interface Observed {
  readonly objects: Partial<Record<MeshRole, MeshObject>>;
  /** Of the objects that were read from the server: each write is over exactly that state. */
  readonly metadata: Map<MeshRole, ObjectMeta>;
  readonly squatted: readonly MeshRole[];
}

/** Stands for owners in the comparison: with one an object would be garbage when that is gone. */
const OWNED = 'agenttrust.dev/owned-by';
const MAX_ROUNDS = 3;
const OVERTAKEN = ['KUBE_CONFLICT', 'KUBE_ALREADY_EXISTS', 'KUBE_NOT_FOUND'] as const;

/**
 * Keeps them. Writes of others in between are met by reading again, at most three times.
 *
 * @throws KubeError when the server does not do what was asked; KUBE_INVALID when it stored something else.
 */
export async function keepObjects(ports: KeepPorts, keeping: Keeping, signal: AbortSignal): Promise<Kept> {
  for (let round = 1; ; round++) {
    const observed = await observe(ports, keeping, { live: round > 1, signal });
    const writes = planWrites(observed.objects, keeping.wanted);
    try {
      for (const write of writes) await carryOut(ports, { keeping, observed, write }, signal);
      return { writes: writes.length, squatted: observed.squatted };
    } catch (error) {
      if (round === MAX_ROUNDS || !isKubeError(error, ...OVERTAKEN)) throw error;
    }
  }
}

/** Whether the caches have everything as it should be. */
export function isKept({ agent, scope, wanted }: Keeping): boolean {
  const records = ownRecords(scope, agent);
  return MESH_ROLES.every((role) => records.get(role)?.digest === digestOf(wanted[role]));
}

function digestOf(object: MeshObject | undefined): string | undefined {
  return object === undefined ? undefined : policyDigest(object);
}

/** `live`: the caches are not to be believed. */
async function observe(
  { client }: KeepPorts,
  { agent, scope, wanted }: Keeping,
  { live, signal }: { readonly live: boolean; readonly signal: AbortSignal },
): Promise<Observed> {
  const { namespace = '', name } = splitKey(agent);
  const records = ownRecords(scope, agent);
  const observed = { objects: {} as Observed['objects'], metadata: new Map(), squatted: [] as MeshRole[] };
  for (const role of MESH_ROLES) {
    const want = wanted[role];
    const record = records.get(role);
    const isWanted = want !== undefined && record?.digest === policyDigest(want);
    if (!live && isWanted) observed.objects[role] = want;
    else if (record !== undefined || (live && cacheOfRole(scope, role) !== undefined)) {
      const target = { namespace, name: meshObjectName(role, { namespace, name }) };
      const found = await client.find<PolicyObject>(typeOfRole(role), target, { signal });
      if (found === undefined) continue;
      observed.metadata.set(role, found.metadata);
      observed.objects[role] = comparable(found, role);
      if (!isOurs(found)) observed.squatted.push(role);
    }
  }
  return observed;
}

/** An object as it was read, in the form in which it is planned. */
function comparable({ metadata, spec = {} }: PolicyObject, role: MeshRole): MeshObject {
  const { name, namespace = '', labels, annotations, ownerReferences = [] } = metadata;
  const { group, version, kind } = typeOfRole(role);
  const owners = ownerReferences.map(({ uid }) => uid).join();
  return {
    apiVersion: `${group}/${version}` as MeshObject['apiVersion'],
    kind: kind as MeshObject['kind'],
    metadata: {
      name,
      namespace,
      labels: counted(labels),
      annotations: { ...counted(annotations), ...(owners === '' ? {} : { [OWNED]: owners }) },
    },
    spec,
  };
}

interface Step {
  readonly keeping: Keeping;
  readonly observed: Observed;
  readonly write: MeshWrite;
}

async function carryOut(
  ports: KeepPorts,
  { keeping, observed, write }: Step,
  signal: AbortSignal,
): Promise<void> {
  const { role } = write;
  const cache = cacheOfRole(keeping.scope, role);
  const metadata =
    observed.metadata.get(role) ?? (await metadataOf(ports, { keeping, observed, write }, signal));
  if (write.verb === 'delete') {
    if (metadata === undefined) return;
    const { namespace, name, uid, resourceVersion } = metadata;
    const target = { namespace, name, uid, resourceVersion };
    const left = await ports.client.delete(typeOfRole(role), target, { signal });
    if (left === undefined) cache?.observeDeleted(metadata);
    observed.metadata.delete(role);
    return;
  }
  const stored =
    metadata === undefined
      ? await ports.client.create<PolicyObject>(typeOfRole(role), write.object, { signal })
      : await ports.client.replace<PolicyObject>(typeOfRole(role), over(write.object, metadata), { signal });
  cache?.observe(stored);
  observed.metadata.set(role, stored.metadata);
  if (policyDigest(stored) !== policyDigest(write.object)) throw altered(role, stored);
}

/** Of an object that was as wanted and is changed all the same on the way. */
async function metadataOf(
  { client }: KeepPorts,
  { keeping, observed, write }: Step,
  signal: AbortSignal,
): Promise<ObjectMeta | undefined> {
  const object = observed.objects[write.role];
  if (object === undefined) return undefined;
  const { namespace, name } = object.metadata;
  const found = await client.find<PolicyObject>(typeOfRole(write.role), { namespace, name }, { signal });
  const isAsPlanned = found !== undefined && policyDigest(found) === digestOf(keeping.wanted[write.role]);
  if (isAsPlanned) return found.metadata;
  throw new KubeError('KUBE_CONFLICT', `replace ${name}: it changed since it was looked at`);
}

/**
 * The object over the state that was read. Labels, annotations and finalizers of others stay, unless they count; owners
 * never do.
 */
function over(object: MeshObject, observed: ObjectMeta): PolicyObject {
  const { uid, resourceVersion, finalizers = [] } = observed;
  const { labels, annotations } = object.metadata;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      labels: { ...uncounted(observed.labels), ...labels },
      annotations: { ...withoutCopy(uncounted(observed.annotations)), ...annotations },
      finalizers,
    },
  };
}

function withoutCopy(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...others } = annotations;
  return others;
}

function altered(role: MeshRole, { metadata }: PolicyObject): KubeError {
  const { plural } = typeOfRole(role);
  return new KubeError(
    'KUBE_INVALID',
    `write ${plural} ${metadata.namespace}/${metadata.name}: something on the way, such as an admission webhook, made another object of it`,
  );
}
