/** What an identity says when the API server did not do what was asked. */

import { namespaceRoleMissing } from '../../domain/identity/eligibility.ts';
import type { Outcome } from '../../kube/controller.ts';
import { SECRET } from '../../kube/core-types.ts';
import { isKubeError, type KubeError } from '../../kube/errors.ts';
import {
  describeRefusal,
  judgeAnswer,
  TELL_AFTER_UNANSWERED,
  TERMINATING_MESSAGE,
  unansweredMessage,
} from '../api-answer.ts';
import type { Context, Result } from './context.ts';
import { refused, reportOf } from './outcome.ts';

/** Reports the failure, and gives when to try again. Throws what the loop is to repeat at its own pace. */
export async function explainFailure(context: Context, error: unknown): Promise<Outcome> {
  const { ports, key, inputs, wasContested, signal } = context;
  if (!isKubeError(error)) throw error;
  const answer = judgeAnswer(error, wasContested);
  if (answer === 'terminating' || answer === 'refused') {
    const { report, outcome } =
      answer === 'refused'
        ? await explained(context, error)
        : refused(context, { reason: 'NamespaceTerminating', message: TERMINATING_MESSAGE });
    await ports.report(inputs.identity, report, signal);
    return outcome;
  }
  if (answer === 'unanswered' && ports.attempts.unanswered(key) >= TELL_AFTER_UNANSWERED) {
    const message = unansweredMessage(error);
    const report = reportOf(context, { reason: 'IssueFailed', message, secret: inputs.secret });
    await ports.report(inputs.identity, report, signal);
  }
  throw error;
}

async function explained(context: Context, error: KubeError): Promise<Result> {
  const { ports, key, inputs } = context;
  const { namespace, generation } = inputs.identity.metadata;
  if (error.code === 'KUBE_FORBIDDEN' && !(await mayReadSecrets(context))) {
    return refused(context, { reason: 'NamespaceRoleMissing', message: namespaceRoleMissing(namespace) });
  }
  const leaf = inputs.secret?.facts.content.certificate;
  const { failure, retryAtMs } = ports.attempts.failed(key, {
    nowMs: ports.nowMs(),
    generation,
    notAfterMs: leaf?.kind === 'certificate' ? leaf.notAfterMs : undefined,
  });
  const message = `${describeRefusal(error)}. It is tried again by itself; a quota or an admission policy may be what refuses it.`;
  ports.events.failed(inputs.identity, message);
  const report = reportOf(context, { reason: 'IssueFailed', message, secret: inputs.secret });
  return { report: { ...report, failure }, outcome: { kind: 'recheck', atMs: retryAtMs } };
}

/** A quota and a policy forbid a write as well as a missing role does; only the role forbids reading. */
async function mayReadSecrets({ ports, inputs, signal }: Context): Promise<boolean> {
  const { namespace } = inputs.identity.metadata;
  try {
    await ports.client.listPage(SECRET, { namespace, limit: 1, metadataOnly: true }, { signal });
    return true;
  } catch (error) {
    if (isKubeError(error, 'KUBE_FORBIDDEN')) return false;
    throw error;
  }
}
