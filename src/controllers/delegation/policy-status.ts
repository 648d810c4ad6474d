/** What a DelegationPolicy says of itself: one pure function from what was found to the whole status. */

import {
  DELEGATION_REASONS,
  type DelegationReason,
  RESOLVED_REFS_REASONS,
  type ResolvedRefsReason,
} from '../../api/conditions.ts';
import type { DelegationPolicy } from '../../api/delegation-policy.ts';
import type { DelegationPolicyStatus } from '../../api/generated/delegationpolicies.ts';
import type { PolicyReport } from '../../domain/delegation/policy-report.ts';
import { nameSome, type PolicyAcceptance } from '../../domain/delegation/resolve-acceptance.ts';
import { stampedConditions, type WantedCondition } from '../stamped-conditions.ts';

/** Everything the status is made of. */
export interface PolicySituation {
  readonly acceptance: PolicyAcceptance;
  /** Plurals of the kinds that have not been listed yet. */
  readonly missing: readonly string[];
  /** What the graph makes of the policy; undefined when it is not accepted or the graph lacks something. */
  readonly report: PolicyReport | undefined;
}

/** What a condition says, but for its type. */
type Said = Omit<WantedCondition, 'type'>;

/** Limits of the schema. */
const MAX_PROBLEMS = 16;
const MAX_MESSAGE = 1024;
/** What only an edit of the policy, or of the operator's settings, mends. */
const STALLED: readonly DelegationReason[] = ['InvalidSpec', 'NamespaceNotGoverned'];

/**
 * The status to store, in full.
 *
 * @param nowMs Milliseconds since the Unix epoch.
 */
export function policyStatus(
  policy: DelegationPolicy,
  situation: PolicySituation,
  nowMs: number,
): DelegationPolicyStatus {
  const { report } = situation;
  const ready = readiness(situation);
  const wanted: WantedCondition[] = [
    { type: 'Ready', ...ready },
    { type: 'Accepted', ...acceptance(situation) },
    { type: 'ResolvedRefs', ...resolvedRefs(situation) },
  ];
  if (ready.reason === 'GraphIncomplete') wanted.push({ type: 'Reconciling', ...ready, status: 'True' });
  if ((STALLED as readonly string[]).includes(ready.reason)) {
    wanted.push({ type: 'Stalled', ...ready, status: 'True' });
  }
  return {
    observedGeneration: policy.metadata.generation,
    ...(report === undefined
      ? {}
      : {
          edgeCount: report.edgeCount,
          emptyEdges: report.emptyEdges,
          longestChain: report.longestChain,
          problems: report.problems
            .slice(0, MAX_PROBLEMS)
            .map(({ message, ...problem }) => ({ ...problem, message: message.slice(0, MAX_MESSAGE) })),
        }),
    conditions: stampedConditions(policy, wanted, nowMs),
  };
}

function said(reason: DelegationReason, message: string): Said {
  return { status: DELEGATION_REASONS[reason].ready, reason, message };
}

function readiness(situation: PolicySituation): Said {
  const { acceptance: judged, missing, report } = situation;
  if (judged.kind === 'refused') return said(judged.reason, judged.message);
  if (missing.length > 0) return said('GraphIncomplete', graphIncomplete(missing));
  const { edgeCount = 0, emptyEdges = 0, problems = [] } = report ?? {};
  const empty = emptyEdges === 0 ? '' : `, nothing over ${emptyEdges} more`;
  const more = problems.length === 0 ? '' : '; see status.problems';
  return said('Accepted', `The policy counts: it grants over ${edgeCount} edges${empty}${more}.`);
}

function acceptance({ acceptance: judged }: PolicySituation): Said {
  if (judged.kind === 'refused') return said(judged.reason, judged.message);
  return said('Accepted', 'The policy counts.');
}

function resolvedRefs({ report }: PolicySituation): Said {
  const refs = (reason: ResolvedRefsReason, message: string): Said => {
    return { status: RESOLVED_REFS_REASONS[reason], reason, message };
  };
  if (report === undefined) return refs('Pending', 'Looked at as soon as the policy counts.');
  const problems = report.problems.filter(({ reason }) => ['NotFound', 'NotAccepted'].includes(reason));
  const [first] = problems;
  if (first === undefined) return refs('ResolvedRefs', 'Every agent that a rule names is there and accepts.');
  const reason = problems.some((problem) => problem.reason === 'NotFound') ? 'NotFound' : 'NotAccepted';
  return refs(reason, `${nameSome([...new Set(problems.map(({ message }) => message))])}.`);
}

/** The sentence for a graph that lacks something. */
export function graphIncomplete(missing: readonly string[]): string {
  return `The API server does not list ${missing.join(', ')}: nothing new is granted until it does. helm upgrade puts definitions and ClusterRole back.`;
}
