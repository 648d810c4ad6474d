/** What is told to people about a policy when its status changes. */

import type { DelegationPolicy } from '../../api/delegation-policy.ts';
import type { EventReason } from '../../api/event-reasons.ts';
import type { DelegationPolicyStatus } from '../../api/generated/delegationpolicies.ts';
import { DELEGATION_POLICY, GROUP, VERSION } from '../../api/group.ts';
import { nameSome } from '../../domain/delegation/resolve-acceptance.ts';
import type { EventSink } from '../event-sink.ts';

type Status = DelegationPolicyStatus;
type Problem = NonNullable<Status['problems']>[number];

/**
 * Tells what `status` says and the status that is stored in `policy` did not: that the policy does not count, and
 * problems that are new. What an operator that was started again finds as it was is no news.
 */
export function tellPolicyChange(sink: EventSink, policy: DelegationPolicy, status: Status): void {
  const { name, namespace, uid } = policy.metadata;
  const apiVersion = `${GROUP}/${VERSION}`;
  const warn = (reason: EventReason, note: string): void =>
    sink.record({
      regarding: { apiVersion, kind: DELEGATION_POLICY.kind, name, namespace, uid },
      type: 'Warning',
      reason,
      action: 'Accept',
      note,
    });
  const ready = readyOf(status);
  if (ready?.status === 'False' && ready.reason !== readyOf(policy.status)?.reason) {
    warn('Refused', `${ready.reason}: ${ready.message}`);
  }
  const { problems: old = [] } = policy.status ?? {};
  const { problems = [] } = status;
  const news = problems.filter((problem) => !old.some((other) => isSameProblem(problem, other)));
  if (news.length > 0) warn('CapabilityWithheld', `${nameSome(news.map(({ message }) => message))}.`);
}

function isSameProblem(left: Problem, right: Problem): boolean {
  return (['rule', 'to', 'capability', 'reason'] as const).every((key) => left[key] === right[key]);
}

function readyOf(
  status: Status | undefined,
): Pick<NonNullable<Status['conditions']>[number], 'status' | 'reason' | 'message'> | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}
