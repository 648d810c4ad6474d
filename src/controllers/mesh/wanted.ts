/** What the mesh objects of an identity should be, from everything that is known. */

import { ANNOTATION_OWNER_UID, LABEL_AGENT, LABEL_MANAGED, LABEL_TOMBSTONE } from '../../api/group.ts';
import type { AgentId } from '../../domain/delegation/facts.ts';
import type { RefusalReason } from '../../domain/identity/eligibility.ts';
import { namesOf } from '../../domain/identity/resolve.ts';
import { lintMeshObject } from '../../domain/mesh/lint.ts';
import type { Account, MeshFacts, MeshPlan, MeshTarget } from '../../domain/mesh/model.ts';
import { planMesh } from '../../domain/mesh/plan.ts';
import { dataPlaneOf } from '../../domain/mesh/resolve-data-plane.ts';
import { resolveTarget } from '../../domain/mesh/resolve-target.ts';
import type { Key } from '../../kube/object.ts';
import type { MeshInput, MeshPorts } from './mesh-ports.ts';

/** What should be there. */
export interface Wanted {
  readonly target: MeshTarget;
  readonly facts: MeshFacts;
  /** Undefined: what is there stays as it is. */
  readonly plan: MeshPlan | undefined;
  /** Why it is not what the spec asks for. */
  readonly problem:
    | { readonly kind: 'pending'; readonly message: string }
    | { readonly kind: 'failed'; readonly message: string }
    | undefined;
}

const CLOSED = ['closed', 'killed', 'tombstone'];

/** Decides it. `isThere`: there are objects of this agent on the server already. */
export function wantedObjects(ports: MeshPorts, input: MeshInput, isThere: boolean): Wanted {
  const target = targetOf(ports, input);
  const facts = factsOf(ports, target);
  const base = { target, facts };
  if (!ports.book.isComplete && !CLOSED.includes(target.state)) {
    const message = `The API server does not list ${ports.book.missing.join(', ')}, so that nothing new is let in. helm upgrade puts definitions and roles back.`;
    const isLeft = isThere || target.state === 'dry-run';
    return { ...base, plan: isLeft ? undefined : closedPlan(base), problem: { kind: 'pending', message } };
  }
  const plan = planMesh(target, facts);
  const [violation] = Object.values(plan.objects).flatMap((object) =>
    lintMeshObject(object).map(({ path, rule }) => `${object.metadata.name} ${path}: ${rule}`),
  );
  if (violation === undefined) return { ...base, plan, problem: undefined };
  const message = `Istio would refuse what the spec asks for (${violation}), so nobody may call. Correct routes or callers.`;
  return {
    ...base,
    plan: target.state === 'dry-run' ? undefined : closedPlan(base),
    problem: { kind: 'failed', message },
  };
}

/** What stays of an agent that is gone while its pods run. */
export function tombstonePlan(
  ports: MeshPorts,
  agent: { readonly namespace: string; readonly name: string; readonly serviceAccountName: string },
): MeshPlan {
  const target: MeshTarget = {
    ...agent,
    labels: { ...labelsOf(agent.name), [LABEL_TOMBSTONE]: 'true' },
    annotations: {},
    state: 'tombstone',
    port: 0,
    routes: [],
    callers: [],
    delegators: [],
  };
  return planMesh(target, factsOf(ports, target));
}

/** The ServiceAccount of an agent, if there is such an agent. */
function accountOfAgent({ view }: Pick<MeshPorts, 'view'>, agent: Key): Account | undefined {
  const identity = view.identities.get(agent);
  if (identity === undefined) return undefined;
  const { name, namespace } = identity.metadata;
  return { namespace, serviceAccountName: namesOf(name, identity.spec).serviceAccountName };
}

function targetOf(ports: MeshPorts, input: MeshInput): MeshTarget {
  const { namespace, name, uid } = input.identity.metadata;
  const id: AgentId = `${namespace}/${name}`;
  return resolveTarget({
    namespace,
    name,
    serviceAccountName: input.serviceAccountName,
    labels: labelsOf(name),
    annotations: { [ANNOTATION_OWNER_UID]: uid },
    server: input.server,
    refusal: refusalOf(input),
    edges: ports.book.graph.edgesInto(id),
    accountOf: (agent) => accountOfAgent(ports, agent),
  });
}

/** What cuts an agent off does so whatever else is in the way: a role that is missing for its Secret lifts nothing. */
function refusalOf({ identity: { metadata, spec }, refusal }: MeshInput): RefusalReason | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'Deleting';
  return spec.suspended === true ? 'Quarantined' : refusal;
}

function factsOf({ mesh, namespaces, settings }: MeshPorts, { namespace, name }: MeshTarget): MeshFacts {
  const { trustDomain, authorizerProvider } = settings;
  const labels = namespaces.get(namespace)?.labels ?? {};
  return {
    trustDomain,
    servesIstio: mesh.servesIstio === true,
    dataPlane: dataPlaneOf(labels, mesh.waypointOf(`${namespace}/${name}`, namespace)),
    ...(authorizerProvider === undefined ? {} : { authorizerProvider }),
  };
}

function closedPlan({ target, facts }: Pick<Wanted, 'target' | 'facts'>): MeshPlan {
  return planMesh({ ...target, state: 'closed', routes: [], callers: [], delegators: [] }, facts);
}

function labelsOf(name: string): MeshTarget['labels'] {
  return { [LABEL_MANAGED]: 'true', [LABEL_AGENT]: name };
}
