/** What is known of the agents of the cluster: their AgentIdentities, and which of them may be served. */

import type { AgentIdentity } from '../api/agent-identity.ts';
import { AGENT_IDENTITY, OWN_PREFIX } from '../api/group.ts';
import { hostInNamespace, serviceOfHost } from '../domain/certificate/dns-name.ts';
import { namesOf } from '../domain/identity/resolve.ts';
import { Cache, type CacheOptions } from '../kube/cache.ts';
import type { Key, KubeObject } from '../kube/object.ts';
import { SharedTexts } from '../kube/shared-texts.ts';

type Status = NonNullable<AgentIdentity['status']>;

/** How many different texts of conditions are looked for. */
const SHARED_TEXTS = 1024;

/** How an agent's namespace stands to this installation; `never`: it holds no agents, whatever anybody says. */
export type NamespaceScope = 'governed' | 'outside' | 'never';

/** Index of the identities by `<namespace>/<ServiceAccount>`. */
export const BY_SERVICE_ACCOUNT = 'serviceAccount';
/** Index of the identities by `<namespace>/<Secret>`: who wants to write it. */
export const BY_SECRET = 'secret';
/** Index of the identities by `<namespace>/<ServiceAccount>` of each caller that they let in beside agents. */
export const BY_CALLER = 'caller';
/** Index of the identities by namespace. */
export const BY_NAMESPACE = 'namespace';
/** Index of the identities by `<namespace>/<host>` of each DNS name they want beside their own, and of its Service. */
export const BY_DNS_HOST = 'dnsHost';
/** Index of the identities by UID. */
export const BY_UID = 'uid';
/** How the view is made. */
export interface IdentityViewOptions {
  /** Client, log, clock and whatever else every cache needs. */
  readonly cache: Pick<CacheOptions<unknown, KubeObject>, 'client' | 'clock' | 'log' | 'timing'>;
  /** Namespaces that are served; `*` is all of them. */
  readonly namespaces: readonly string[] | '*';
  readonly operatorNamespace: string;
  /** Whether statuses are kept, which are half of an object. Default true. */
  readonly keepsStatus?: boolean;
}

/** The cache of all AgentIdentities; nothing is read before it is started. */
export class IdentityView {
  readonly identities: Cache<AgentIdentity, AgentIdentity>;
  readonly #namespaces: ReadonlySet<string> | '*';
  readonly #operatorNamespace: string;

  constructor({ cache, namespaces, operatorNamespace, keepsStatus = true }: IdentityViewOptions) {
    this.#namespaces = namespaces === '*' ? '*' : new Set(namespaces);
    this.#operatorNamespace = operatorNamespace;
    const texts = new SharedTexts(SHARED_TEXTS);
    this.identities = new Cache<AgentIdentity, AgentIdentity>({
      ...cache,
      type: AGENT_IDENTITY,
      project: (identity) => agentIdentityRecord(identity, keepsStatus ? texts : undefined),
      indexes: {
        [BY_NAMESPACE]: ({ metadata }) => [metadata.namespace],
        [BY_UID]: ({ metadata }) => [metadata.uid],
        [BY_SERVICE_ACCOUNT]: (identity) => [accountOf(identity)],
        [BY_CALLER]: ({ spec }) => [
          ...new Set((spec.callers ?? []).flatMap(({ serviceAccounts }) => serviceAccounts)),
        ],
        [BY_SECRET]: (identity) => secretsOf(identity),
        [BY_DNS_HOST]: (identity) => dnsHostsOf(identity),
      },
    });
  }

  /** Whether agents of a namespace are served, and if not, whether they ever could be. */
  scopeOf(namespace: string): NamespaceScope {
    if (namespace === this.#operatorNamespace || namespace.startsWith('kube-')) return 'never';
    return this.#namespaces === '*' || this.#namespaces.has(namespace) ? 'governed' : 'outside';
  }
}

/** Keys of the Secrets that an identity wants to write. */
function secretsOf({ metadata, spec }: AgentIdentity): readonly Key[] {
  const { secretName, signingSecretName } = namesOf(metadata.name, spec);
  return [...new Set([secretName, signingSecretName])].map((name) => `${metadata.namespace}/${name}`);
}

/** Key of its ServiceAccount. */
function accountOf({ metadata, spec }: Pick<AgentIdentity, 'metadata' | 'spec'>): Key {
  return `${metadata.namespace}/${namesOf(metadata.name, spec).serviceAccountName}`;
}

/** Keys of the hosts that an identity wants to be named for, and of the Services that they belong to. */
export function dnsHostsOf({ metadata: { namespace }, spec }: AgentIdentity): readonly Key[] {
  const hosts = (spec.certificate?.dnsNames ?? [])
    .map((dnsName) => hostInNamespace(dnsName, namespace))
    .filter((host) => host !== undefined);
  return [...new Set(hosts.flatMap((host) => [host, serviceOfHost(host)]))].map(
    (host) => `${namespace}/${host}`,
  );
}

/** Keeps of the metadata what is used; managedFields alone are a quarter of an object. Without `texts` no status. */
function agentIdentityRecord(
  { metadata, spec, status }: AgentIdentity,
  texts: SharedTexts | undefined,
): AgentIdentity {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp } = metadata;
  const { deletionTimestamp, annotations = {} } = metadata;
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      generation,
      creationTimestamp,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      // Others may be large: kubectl keeps the whole manifest in one.
      annotations: Object.fromEntries(
        Object.entries(annotations).filter(([key]) => key.startsWith(OWN_PREFIX)),
      ),
    },
    spec: spec ?? {},
    ...(status === undefined || texts === undefined ? {} : { status: withSharedTexts(status, texts) }),
  };
}

/** Conditions are most of what is kept of an agent, and those of thousands of agents say the same. */
function withSharedTexts(status: Status, texts: SharedTexts): Status {
  if (status.conditions === undefined) return status;
  const conditions = status.conditions.map((condition) => ({
    ...condition,
    type: texts.of(condition.type),
    reason: texts.of(condition.reason),
    message: texts.of(condition.message),
    lastTransitionTime: texts.of(condition.lastTransitionTime),
  }));
  return { ...status, conditions };
}

/** Keys of the identities with the ServiceAccount of `identity`, itself among them if it is still there. */
export function identitiesOnAccountOf(
  view: IdentityView,
  identity: Pick<AgentIdentity, 'metadata' | 'spec'>,
): readonly Key[] {
  return view.identities.byIndex(BY_SERVICE_ACCOUNT, accountOf(identity));
}

/** Whether a ServiceAccount is the identity of an agent that is served. */
export function isAgentAccount(
  view: IdentityView,
  { namespace, serviceAccountName }: { readonly namespace: string; readonly serviceAccountName: string },
): boolean {
  const agents = view.identities.byIndex(BY_SERVICE_ACCOUNT, `${namespace}/${serviceAccountName}`);
  return agents.length > 0 && view.scopeOf(namespace) === 'governed';
}

/** Name of the identity that has the same ServiceAccount and came first: it keeps it. */
export function olderClaimant(
  view: IdentityView,
  identity: Pick<AgentIdentity['metadata'], 'namespace' | 'uid' | 'creationTimestamp'> & {
    readonly serviceAccountName: string;
  },
): string | undefined {
  return view.identities
    .byIndex(BY_SERVICE_ACCOUNT, `${identity.namespace}/${identity.serviceAccountName}`)
    .map((key) => view.identities.get(key)?.metadata)
    .filter((other) => other !== undefined)
    .find((other) => other.uid !== identity.uid && isOlder(other, identity))?.name;
}

/** What tells the ages of identities apart. */
export type Age = Pick<AgentIdentity['metadata'], 'creationTimestamp' | 'uid'>;

/** Whether one of two identities came first; those of one second are told apart by their UIDs. */
export function isOlder(one: Age, other: Age): boolean {
  const age = ({ creationTimestamp, uid }: Age): string => `${creationTimestamp} ${uid}`;
  return age(one) < age(other);
}
