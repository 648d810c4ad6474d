/** AdmissionReview of admission.k8s.io/v1 as it goes over the wire: the question read, the answer written. */

import type { AdmissionAnswer, AdmissionRequest } from '../admission/review.ts';

/** A question about an object of a kind, or why it is none; `problem` names no content. */
export type ParsedReview =
  | { readonly kind: 'review'; readonly request: AdmissionRequest }
  | { readonly kind: 'unreadable'; readonly problem: string };

const OPERATIONS: readonly string[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];
const API_VERSION = 'admission.k8s.io/v1';
const KIND = 'AdmissionReview';

/**
 * Reads a question.
 *
 * @param body The JSON that the API server sent.
 * @param plural What is to be reviewed: a question about another kind is none.
 *
 * Errors: none.
 */
export function parseReview(body: Buffer, plural: string): ParsedReview {
  let review: unknown;
  try {
    review = JSON.parse(body.toString('utf8'));
  } catch {
    return unreadable('the body is not JSON');
  }
  const { apiVersion, kind, request } = recordOf(review);
  if (apiVersion !== API_VERSION || kind !== KIND)
    return unreadable(`the body is no ${KIND} of ${API_VERSION}`);
  const { uid, operation, namespace, name, resource, object, oldObject } = recordOf(request);
  if (typeof uid !== 'string' || uid === '') return unreadable('request.uid is missing');
  if (!isOperation(operation)) return unreadable('request.operation is none');
  if (recordOf(resource)['resource'] !== plural) return unreadable(`request.resource is not ${plural}`);
  return {
    kind: 'review',
    request: {
      uid,
      operation,
      object: object ?? undefined,
      ...(typeof namespace === 'string' ? { namespace } : {}),
      ...(typeof name === 'string' ? { name } : {}),
      ...(oldObject === null || oldObject === undefined ? {} : { oldObject }),
    },
  };
}

/** Writes an answer. A refusal is shown to whoever asked as `Forbidden`. */
export function reviewResponse(uid: string, answer: AdmissionAnswer): string {
  const warnings =
    answer.warnings === undefined || answer.warnings.length === 0 ? {} : { warnings: answer.warnings };
  if (answer.kind === 'refused') {
    const status = { code: 403, reason: 'Forbidden', message: answer.message };
    return written({ uid, allowed: false, status, ...warnings });
  }
  const { patch = [] } = answer;
  const patched =
    patch.length === 0
      ? {}
      : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  return written({ uid, allowed: true, ...patched, ...warnings });
}

/** Writes the answer to a question that could not be decided; `errorId` stands in the log beside the error. */
export function failureResponse(uid: string, errorId: string): string {
  const message = `could not be decided because of an error of the webhook, and is refused for that reason. Its log says more under errorId ${errorId}.`;
  return written({ uid, allowed: false, status: { code: 500, reason: 'InternalError', message } });
}

function written(response: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ apiVersion: API_VERSION, kind: KIND, response });
}

function unreadable(problem: string): ParsedReview {
  return { kind: 'unreadable', problem };
}

function isOperation(value: unknown): value is AdmissionRequest['operation'] {
  return typeof value === 'string' && OPERATIONS.includes(value);
}

/** An object as it is, anything else as an empty one. */
function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
