/** A swarm of many agents, and reviews of edits of it as the API server would ask for them. */

import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import type { DelegationPolicy } from '../../src/api/delegation-policy.ts';
import type { OpenLoopRequest } from './open-loop.ts';

const AGENTS_PER_NAMESPACE = 100;
const RULES_PER_POLICY = 10;
const TARGETS_PER_RULE = 10;
/** Every agent holds these; nobody holds `destroy`. */
const HELD = [{ name: 'read_file', resources: ['/data/*'] }, { name: 'kubectl_get' }];

/** Objects to be created. */
export interface Swarm {
  readonly namespaces: readonly string[];
  readonly identities: readonly AgentIdentity[];
  readonly policies: readonly DelegationPolicy[];
}

/** So many agents, a hundred in a namespace; each may delegate to ten others, by one rule of a policy of ten. */
export function swarmOf(agents: number): Swarm {
  const namespaces = Array.from(
    { length: Math.ceil(agents / AGENTS_PER_NAMESPACE) },
    (_none, at) => `bench-${at}`,
  );
  const indexes = Array.from({ length: AGENTS_PER_NAMESPACE }, (_none, at) => at);
  return {
    namespaces,
    identities: namespaces.flatMap((namespace) => indexes.map((at) => identity(namespace, at))),
    policies: namespaces.flatMap((namespace) =>
      indexes.filter((at) => at % RULES_PER_POLICY === 0).map((at) => policy(namespace, at)),
    ),
  };
}

/** The creation of a pod of some agent. */
export function podReview({ identities }: Swarm, index: number): OpenLoopRequest {
  const { namespace, name } = pick(identities, index).metadata;
  const container = (at: number): object => ({
    name: `container-${at}`,
    image: 'registry.example.org/agent:1.0',
    env: Array.from({ length: 10 }, (_none, number) => ({
      name: `SETTING_${number}`,
      value: 'x'.repeat(20),
    })),
    volumeMounts: [{ name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' } },
  });
  const object = {
    metadata: { generateName: `${name}-`, namespace, labels: { app: name } },
    spec: {
      serviceAccountName: name,
      containers: [container(0), container(1)],
      volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }],
    },
  };
  return review({ plural: 'pods', object, allowed: true, contains: '"patchType":"JSONPatch"' });
}

/** An edit of our kinds: seven in ten of policies, one of these refused, three of identities. */
export function kindReview(swarm: Swarm, index: number): OpenLoopRequest {
  const make = KIND_REVIEWS[index % KIND_REVIEWS.length] ?? newIdentity;
  return make(swarm, index);
}

const KIND_REVIEWS: readonly ((swarm: Swarm, index: number) => OpenLoopRequest)[] = [
  addedRule,
  newPolicy,
  addedRule,
  raisedCeiling,
  addedRule,
  newPolicy,
  addedRule,
  raisedCeiling,
  widening,
  newIdentity,
];

function identity(namespace: string, at: number): AgentIdentity {
  const spec = { serviceAccountName: `agent-${at}`, capabilities: HELD };
  return { metadata: { name: `agent-${at}`, namespace }, spec } as unknown as AgentIdentity;
}

function policy(namespace: string, first: number): DelegationPolicy {
  const rules = Array.from({ length: RULES_PER_POLICY }, (_none, at) => rule(first + at));
  return { metadata: { name: `policy-${first}`, namespace }, spec: { rules } } as unknown as DelegationPolicy;
}

function rule(from: number, capability = 'read_file', distance = 1): object {
  const to = Array.from(
    { length: TARGETS_PER_RULE },
    (_none, at) => `agent-${(from + distance + at) % AGENTS_PER_NAMESPACE}`,
  );
  const resources = capability === 'read_file' ? { resources: ['/data/reports/*'] } : {};
  return { from: `agent-${from}`, to, capabilities: [{ name: capability, ...resources }] };
}

function addedRule({ policies }: Swarm, index: number): OpenLoopRequest {
  const old = pick(policies, index);
  const rules = [...(old.spec.rules ?? []), rule(index % AGENTS_PER_NAMESPACE, 'kubectl_get', 30)];
  return review({ plural: 'delegationpolicies', old, object: { ...old, spec: { rules } }, allowed: true });
}

function newPolicy({ namespaces }: Swarm, index: number): OpenLoopRequest {
  const at = index % AGENTS_PER_NAMESPACE;
  const next = (at + 1) % AGENTS_PER_NAMESPACE;
  const object = {
    metadata: { name: `new-${index}`, namespace: pick(namespaces, index) },
    spec: { rules: [rule(at, 'kubectl_get', 40), rule(next, 'kubectl_get', 40)] },
  };
  return review({ plural: 'delegationpolicies', object, allowed: true });
}

function widening({ policies }: Swarm, index: number): OpenLoopRequest {
  const old = pick(policies, index);
  const rules = [...(old.spec.rules ?? []), rule(index % AGENTS_PER_NAMESPACE, 'destroy')];
  return review({ plural: 'delegationpolicies', old, object: { ...old, spec: { rules } }, allowed: false });
}

function raisedCeiling({ identities }: Swarm, index: number): OpenLoopRequest {
  const old = pick(identities, index);
  const capabilities = [{ name: 'read_file' }, { name: 'kubectl_get' }, { name: 'kubectl_apply' }];
  const object = { ...old, spec: { ...old.spec, capabilities } };
  return review({ plural: 'agentidentities', old, object, allowed: true });
}

function newIdentity({ namespaces }: Swarm, index: number): OpenLoopRequest {
  const object = identity(pick(namespaces, index), AGENTS_PER_NAMESPACE + index);
  return review({ plural: 'agentidentities', object, allowed: true });
}

interface Review {
  readonly plural: string;
  readonly object: {
    readonly metadata: { readonly namespace: string; readonly name?: string };
    readonly spec: object;
  };
  readonly old?: object;
  readonly allowed: boolean;
  /** Part of the answer. */
  readonly contains?: string;
}

function review({ plural, object, old, allowed, contains = '' }: Review): OpenLoopRequest {
  const uid = crypto.randomUUID();
  const { namespace, name } = object.metadata;
  const request = {
    uid,
    operation: old === undefined ? 'CREATE' : 'UPDATE',
    resource: { resource: plural },
    namespace,
    name,
    object,
    oldObject: old ?? null,
  };
  return {
    path: `/review/${plural}?timeout=5s`,
    body: JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }),
    check(answer) {
      const { response } = JSON.parse(answer) as { response: { uid: string; allowed: boolean } };
      const isRight = response.uid === uid && response.allowed === allowed && answer.includes(contains);
      if (!isRight) throw new Error(`a review of ${plural} was answered with ${answer.slice(0, 1_000)}`);
    },
  };
}

/** Some item, each as often as the others. */
function pick<T extends string | object>(items: readonly T[], index: number): T {
  const item = items[(index * 7919) % items.length];
  if (item === undefined) throw new Error('the swarm is empty');
  return item;
}
