/** From an identity and what the delegation graph says of it to the target that mesh policy is rendered for. */

import type { EffectiveEdge } from '../delegation/facts.ts';
import type { RefusalReason } from '../identity/eligibility.ts';
import type { Account, Delegator, MeshTarget } from './model.ts';
import type { ResolvedServer } from './resolve-server.ts';

/** What is known of the identity. */
export interface TargetInput {
  readonly namespace: string;
  /** Name of the AgentIdentity. */
  readonly name: string;
  readonly serviceAccountName: string;
  /** What every object carries. */
  readonly labels: MeshTarget['labels'];
  readonly annotations: MeshTarget['annotations'];
  readonly server: ResolvedServer;
  /** Why the identity is not served, if it is not. */
  readonly refusal: RefusalReason | undefined;
  /** Edges that end here. */
  readonly edges: readonly EffectiveEdge[];
  /** The ServiceAccount of an agent; undefined when it is gone. */
  readonly accountOf: (agent: EffectiveEdge['from']) => Account | undefined;
}

/** The agent is to be cut off, also where calls to it are only recorded. */
const CUT_OFF: readonly RefusalReason[] = ['Deleting', 'Quarantined'];
/** What the spec asks for is not known, or not served: nobody may call, unless nothing is enforced anyway. */
const UNKNOWN: readonly RefusalReason[] = ['InvalidSpec', 'NotServed'];

/**
 * The target as it should be. `ServiceAccountMissing` and whatever concerns Secrets leave it as it is: neither changes
 * who may call.
 */
export function resolveTarget(input: TargetInput): MeshTarget {
  const { namespace, name, serviceAccountName, labels, annotations, server, refusal } = input;
  const isUnknown = server.invalidFields.length > 0 || (refusal !== undefined && UNKNOWN.includes(refusal));
  const state = stateOf(server.isDryRun, isUnknown, refusal);
  const isClosed = state === 'killed' || isUnknown;
  return {
    namespace,
    name,
    serviceAccountName,
    labels,
    annotations,
    state,
    port: server.port,
    routes: isClosed ? [] : server.routes,
    callers: isClosed ? [] : server.callers,
    delegators: isClosed ? [] : input.edges.map((edge) => delegatorOf(edge, input)).filter(isKnown),
  };
}

function stateOf(
  isDryRun: boolean,
  isUnknown: boolean,
  refusal: RefusalReason | undefined,
): MeshTarget['state'] {
  if (refusal !== undefined && CUT_OFF.includes(refusal)) return 'killed';
  if (isDryRun) return 'dry-run';
  return isUnknown ? 'closed' : 'enforce';
}

function delegatorOf({ from, grants }: EffectiveEdge, { accountOf }: TargetInput): Delegator | undefined {
  const account = accountOf(from);
  if (account === undefined) return undefined;
  const names = new Set(grants.flatMap(({ capabilities }) => capabilities.map(({ name }) => name)));
  return { ...account, capabilities: [...names].sort() };
}

function isKnown(delegator: Delegator | undefined): delegator is Delegator {
  return delegator !== undefined;
}
