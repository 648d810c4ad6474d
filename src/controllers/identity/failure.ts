/** What an identity says when the API server did not do what was asked. */

import { namespaceRoleMissing } from '../../domain/identity/eligibility.ts';
import type { Outcome } from '../../kube/controller.ts';
import { SECRET } from '../../kube/core-types.ts';
import {
  isKubeError,
  isNamespaceTerminating,
  type KubeError,
  type KubeErrorCode,
} from '../../kube/errors.ts';
import type { Context, Result } from './context.ts';
import { refused, reportOf } from './outcome.ts';

/** The API server said no to this identity: tried again at the pace of issuing. Everything else goes at the loop's. */
const SAID_NO: readonly KubeErrorCode[] = ['KUBE_BAD_REQUEST', 'KUBE_FORBIDDEN', 'KUBE_INVALID'];
/** Nothing is wrong with the identity, and in a moment all is well. */
const PASSING: readonly KubeErrorCode[] = ['KUBE_ABORTED', 'KUBE_CONFLICT', 'KUBE_LEASE_NOT_HELD'];
/** So many in a row, some three seconds, before status says so. */
const TELL_AFTER_UNANSWERED = 6;

/** Reports the failure, and gives when to try again. Throws what the loop is to repeat at its own pace. */
export async function explainFailure(context: Context, error: unknown): Promise<Outcome> {
  const { ports, key, inputs, wasContested, signal } = context;
  if (!isKubeError(error) || PASSING.includes(error.code)) throw error;
  if (error.code === 'KUBE_ALREADY_EXISTS' && !wasContested) throw error;
  if (isNamespaceTerminating(error) || SAID_NO.includes(error.code)) {
    const { report, outcome } = await explained(context, error);
    await ports.report(inputs.identity, report, signal);
    return outcome;
  }
  if (ports.attempts.unanswered(key) >= TELL_AFTER_UNANSWERED) {
    const message = `${error.message}. It is tried again by itself, every few seconds.`;
    const report = reportOf(context, { reason: 'IssueFailed', message, secret: inputs.secret });
    await ports.report(inputs.identity, report, signal);
  }
  throw error;
}

async function explained(context: Context, error: KubeError): Promise<Result> {
  const { ports, key, inputs } = context;
  const { namespace, generation } = inputs.identity.metadata;
  if (isNamespaceTerminating(error)) {
    const message = 'The namespace is being deleted and takes no new objects.';
    return refused(context, { reason: 'NamespaceTerminating', message });
  }
  if (error.code === 'KUBE_FORBIDDEN' && !(await mayReadSecrets(context))) {
    return refused(context, { reason: 'NamespaceRoleMissing', message: namespaceRoleMissing(namespace) });
  }
  const leaf = inputs.secret?.facts.content.certificate;
  const { failure, retryAtMs } = ports.attempts.failed(key, {
    nowMs: ports.nowMs(),
    generation,
    notAfterMs: leaf?.kind === 'certificate' ? leaf.notAfterMs : undefined,
  });
  const fields = error.causes.map(({ field }) => field).filter((field) => field !== '');
  const where = fields.length === 0 ? '' : ` (${fields.join(', ')})`;
  const message = `${error.message}${where}. It is tried again by itself; a quota or an admission policy may be what refuses it.`;
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
