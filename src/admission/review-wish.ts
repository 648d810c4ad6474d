/** What is the same for all kinds that people write wishes in: what is never refused, and what is never decided blindly. */

import { isDeepStrictEqual } from 'node:util';
import type { Warning } from '../domain/admission/effect-warnings.ts';
import { agentName } from '../domain/admission/wording.ts';
import type { AgentId } from '../domain/delegation/facts.ts';
import type { Known } from './known.ts';
import { type RefusalPart, refusalText } from './refusal.ts';
import type { AdmissionAnswer, AdmissionRequest, Reviewer } from './review.ts';
import { limitedWarnings } from './warnings.ts';

/** What is read of an object whatever its kind. */
export interface Wish {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: object;
}

/** An object as it is stored, if it is, and as it would be. */
export interface WishEdit<T> {
  /** Empty for objects of the cluster. */
  readonly namespace: string;
  readonly before: T | undefined;
  readonly after: T;
}

/** The decision; warnings are asked for only when nothing is refused. */
export interface Judgement {
  readonly refusals: readonly RefusalPart[];
  readonly warnings: () => readonly Warning[];
}

/** What is particular about a kind. */
export interface WishKind<T extends Wish> {
  readonly kind: string;
  readonly isNamespaced: boolean;
  /** Whether an object has the shape that `judge` expects. */
  readonly isShape: (value: unknown) => value is T;
  /** Whether an edit cuts off what it is about, so that nothing may stand in its way. */
  readonly isKill: (after: T) => boolean;
  readonly judge: (known: Known, edit: WishEdit<T>) => Judgement;
}

/** Makes the reviewer of a kind. It asks nobody, changes nothing, and refuses what it does not understand. */
export function wishReviewer<T extends Wish>(known: Known, kind: WishKind<T>): Reviewer {
  return (request) => {
    if (request.operation === 'DELETE') return ALLOWED;
    const edit = readEdit(request, kind);
    if (edit === undefined) {
      return refused(
        `this ${kind.kind} is not understood: its fields are not of the types that the schema says`,
      );
    }
    return isNoWish(edit, kind) ? ALLOWED : decide(known, edit, kind);
  };
}

const ALLOWED: AdmissionAnswer = { kind: 'allowed' };

function readEdit<T extends Wish>(
  request: AdmissionRequest,
  { isNamespaced, isShape }: WishKind<T>,
): WishEdit<T> | undefined {
  const { operation, namespace = '', object, oldObject } = request;
  const isKnown = operation === 'CREATE' || operation === 'UPDATE';
  if (!isKnown || isNamespaced !== (namespace !== '') || !isShape(object)) return undefined;
  // A stored object of an odd shape granted nothing, so all of the new one is new.
  const before = operation === 'UPDATE' && isShape(oldObject) ? oldObject : undefined;
  return { namespace, before, after: object };
}

/** Nothing is asked for that was not there: metadata, finalizers, a kill. */
function isNoWish<T extends Wish>({ before, after }: WishEdit<T>, { isKill }: WishKind<T>): boolean {
  return (
    before?.metadata.deletionTimestamp !== undefined ||
    isKill(after) ||
    (before !== undefined && isDeepStrictEqual(before.spec, after.spec))
  );
}

function decide<T extends Wish>(known: Known, edit: WishEdit<T>, { judge }: WishKind<T>): AdmissionAnswer {
  const { namespace } = edit;
  if (namespace !== '' && known.view.scopeOf(namespace) !== 'governed') {
    const warning = `namespace ${namespace} is not served by agent-trust: this has no effect there`;
    return { kind: 'allowed', warnings: limitedWarnings([() => warning]) };
  }
  const { missing } = known.book;
  if (missing.length > 0) return refused(`not ready: ${missing.join(', ')} are not known yet; try again`);
  const { refusals, warnings } = judge(known, edit);
  const message = refusalText(refusals, (agent: AgentId) => agentName(agent, namespace));
  if (message !== undefined) return refused(message);
  const told = limitedWarnings(warnings());
  return told.length === 0 ? ALLOWED : { kind: 'allowed', warnings: told };
}

function refused(message: string): AdmissionAnswer {
  return { kind: 'refused', message };
}
