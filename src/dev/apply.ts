/**
 * Applies manifests, as kubectl and the API server would: every object is checked against the schema of its kind and reviewed
 * by what reviews it at admission. What is refused stays as it was before.
 */

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { reviewBoundary } from '../admission/boundary.ts';
import { reviewIdentity } from '../admission/identity.ts';
import { reviewPolicy } from '../admission/policy.ts';
import type { Reviewer } from '../admission/review.ts';
import { DELEGATION_POLICY } from '../api/group.ts';
import type { TokenRevocation } from '../api/token-revocation.ts';
import type { PolicyId } from '../domain/delegation/facts.ts';
import { NAMESPACE } from '../kube/core-types.ts';
import { type KubeObject, keyOf, type ResourceType } from '../kube/object.ts';
import { LaptopCluster, type LaptopClusterOptions } from './laptop-cluster.ts';
import type { Manifest } from './manifests.ts';
import { rankOf, schemaProblems, typeOf } from './schema.ts';

/** What an object keeps for as long as it is there. */
export interface ObjectBirth {
  readonly uid: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** What there was before. Keys are kind, namespace and name, and of an agent its ServiceAccount too. */
export interface Before {
  readonly births: Readonly<Record<string, ObjectBirth>>;
  /** As they were accepted. */
  readonly accepted: ReadonlyMap<string, KubeObject>;
}

/** What came of it. */
export interface Applied extends Before {
  readonly cluster: LaptopCluster;
  /** Each with its place, for people; may have several lines. */
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
  /** Kinds that nothing is made of, each with how many objects. */
  readonly passedOver: ReadonlyMap<string, number>;
}

/** What is applied, and to what. */
export interface ApplyOptions extends LaptopClusterOptions {
  readonly manifests: readonly Manifest[];
  /** Of objects that name none. */
  readonly namespace: string;
  readonly before: Before;
}

interface Wanted {
  readonly type: ResourceType;
  readonly key: string;
  /** `AgentIdentity ai-agents/agent-writer` */
  readonly title: string;
  readonly object: KubeObject;
  readonly manifest: Manifest;
}

type Verdict = { readonly refused?: string; readonly warnings?: readonly string[] };

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const NEVER_CHANGES =
  'a TokenRevocation cannot change, because what it has revoked stays so; create another one';

/** Applies all of them to a cluster without objects. */
export async function applyManifests(options: ApplyOptions): Promise<Applied> {
  const { manifests, namespace } = options;
  const ending = new AbortController();
  try {
    const cluster = await LaptopCluster.start(options, ending.signal);
    const wanted = manifests
      .flatMap((manifest) => wantedOf(manifest, namespace) ?? [])
      .sort((a, b) => rankOf(a.type) - rankOf(b.type));
    for (const each of namespacesWithoutManifest(wanted)) cluster.put(NAMESPACE, each);
    const applied = applyInOrder(cluster, wanted, options);
    const warnings = [...new Set([...applied.warnings, ...policyProblems(cluster, wanted)])];
    return { ...applied, warnings, cluster, passedOver: passedOver(manifests) };
  } finally {
    ending.abort();
  }
}

function applyInOrder(
  cluster: LaptopCluster,
  wanted: readonly Wanted[],
  { before, nowMs }: Pick<ApplyOptions, 'before' | 'nowMs'>,
): Pick<Applied, 'births' | 'accepted' | 'refusals' | 'warnings'> {
  const createdAt = new Date(nowMs()).toISOString().replace(/\.\d{3}Z/, 'Z');
  const judges = judgesOf(cluster);
  const seen = new Map<string, Manifest>();
  const births: Record<string, ObjectBirth> = {};
  const accepted = new Map<string, KubeObject>();
  const refusals: string[] = [];
  const warnings: string[] = [];
  for (const each of wanted) {
    const { key, type, title, manifest } = each;
    const first = seen.get(title);
    if (first !== undefined) {
      refusals.push(`${manifest.where()}: ${title} is at ${first.where()} already: take one of them out`);
      continue;
    }
    seen.set(title, manifest);
    const birth = before.births[key] ?? { uid: randomUUID(), createdAt };
    const object = born(each.object, birth);
    const previous = before.accepted.get(key);
    const verdict = judge(judges, { ...each, object }, previous);
    if (verdict.refused !== undefined) refusals.push(verdict.refused);
    // Of a swarm that is new as a whole everybody gains everything.
    const told = before.accepted.size === 0 ? [] : (verdict.warnings ?? []);
    warnings.push(...told.map((text) => `${manifest.where()}: ${title}: ${text}`));
    births[key] = birth;
    const kept = verdict.refused === undefined ? object : previous;
    if (kept === undefined) continue;
    accepted.set(key, kept);
    cluster.put(type, kept);
  }
  return { births, accepted, refusals, warnings };
}

/** What no target of a rule gets: agents that do not exist, for example. */
function policyProblems({ book }: LaptopCluster, wanted: readonly Wanted[]): readonly string[] {
  return wanted
    .filter(({ type }) => type === DELEGATION_POLICY)
    .flatMap(({ object, title, manifest }) => {
      const report = book.graph.policyReport(keyOf(object.metadata) as PolicyId);
      return (report?.problems ?? []).map(({ message }) => `${manifest.where()}: ${title}: ${message}`);
    });
}

function wantedOf(manifest: Manifest, defaultNamespace: string): Wanted | undefined {
  const { object } = manifest;
  const type = typeOf(object);
  if (type === undefined) return undefined;
  const { namespace: _, ...metadata } = object.metadata;
  const namespace = type.namespaced ? (object.metadata.namespace ?? defaultNamespace) : undefined;
  const placed = { ...object, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) } };
  const path = keyOf(placed.metadata);
  const key = `${type.kind}/${path}${accountOf(type, placed)}`;
  return { type, key, title: `${type.kind} ${path}`, object: labelled(type, placed), manifest };
}

/** With another ServiceAccount it is another agent, which in a cluster would have to be created anew. */
function accountOf({ kind }: ResourceType, object: KubeObject): string {
  if (kind !== 'AgentIdentity') return '';
  const { spec } = object as { readonly spec?: { readonly serviceAccountName?: unknown } };
  const account = spec?.serviceAccountName;
  return `@${typeof account === 'string' ? account : object.metadata.name}`;
}

function labelled(type: ResourceType, object: KubeObject): KubeObject {
  if (type !== NAMESPACE) return object;
  const labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name };
  return { ...object, metadata: { ...object.metadata, labels } };
}

function namespacesWithoutManifest(wanted: readonly Wanted[]): readonly KubeObject[] {
  const there = new Set(
    wanted.filter(({ type }) => type === NAMESPACE).map(({ object }) => object.metadata.name),
  );
  const names = new Set(
    wanted.map(({ object }) => object.metadata.namespace ?? '').filter((name) => name !== ''),
  );
  return [...names.difference(there)].map((name) => labelled(NAMESPACE, { metadata: { name, uid: name } }));
}

function born(object: KubeObject, { uid, createdAt }: ObjectBirth): KubeObject {
  return { ...object, metadata: { ...object.metadata, uid, creationTimestamp: createdAt } };
}

type Judges = Readonly<Record<string, (wanted: Wanted, previous: KubeObject | undefined) => Verdict>>;

function judgesOf(cluster: LaptopCluster): Judges {
  const reviewed =
    (reviewer: Reviewer) =>
    ({ object }: Wanted, previous: KubeObject | undefined): Verdict => {
      const { name, namespace, uid = '' } = object.metadata;
      const answer = reviewer({
        uid,
        name,
        object,
        ...(namespace === undefined ? {} : { namespace }),
        ...(previous === undefined ? { operation: 'CREATE' } : { operation: 'UPDATE', oldObject: previous }),
      });
      return answer.kind === 'refused' ? { refused: answer.message } : { warnings: answer.warnings ?? [] };
    };
  return {
    AgentIdentity: reviewed(reviewIdentity(cluster)),
    CapabilityBoundary: reviewed(reviewBoundary(cluster)),
    DelegationPolicy: reviewed(reviewPolicy(cluster)),
    TokenRevocation: ({ object }, previous) => judgeRevocation(cluster, object as TokenRevocation, previous),
  };
}

function judgeRevocation(
  { revocations }: LaptopCluster,
  revocation: TokenRevocation,
  previous: KubeObject | undefined,
): Verdict {
  if (previous !== undefined && !isDeepStrictEqual((previous as TokenRevocation).spec, revocation.spec))
    return { refused: `spec: ${NEVER_CHANGES}` };
  const judged = revocations.judged(revocation);
  return judged.kind === 'invalid' ? { refused: judged.invalidFields.join('; ') } : {};
}

function judge(judges: Judges, wanted: Wanted, previous: KubeObject | undefined): Verdict {
  const { type, title, object, manifest } = wanted;
  const { namespace = 'x' } = object.metadata;
  if (!LABEL.test(namespace))
    return {
      refused: `${manifest.where(['metadata', 'namespace'])}: ${title}: metadata.namespace is no name of a namespace`,
    };
  const problems = schemaProblems(type, manifest.object);
  if (problems.length > 0)
    return {
      refused: problems
        .map(({ path, says }) => `${manifest.where(path)}: ${title}: ${fieldName(path)} ${says}`)
        .join('\n'),
    };
  const verdict = judges[type.kind]?.(wanted, previous) ?? {};
  return verdict.refused === undefined
    ? verdict
    : { refused: `${manifest.where()}: ${title} is refused: ${verdict.refused}` };
}

/** As kubectl writes it: `spec.rules[0].to`. */
function fieldName(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (name, step) => (typeof step === 'number' ? `${name}[${step}]` : name === '' ? step : `${name}.${step}`),
    '',
  );
}

function passedOver(manifests: readonly Manifest[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { object } of manifests)
    if (typeOf(object) === undefined) counts.set(object.kind, (counts.get(object.kind) ?? 0) + 1);
  return counts;
}
