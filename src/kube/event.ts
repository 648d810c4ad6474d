/** Events of events.k8s.io/v1: what a caller says, and the object that is made of it. */

import { randomBytes } from 'node:crypto';
import { microTime } from './micro-time.ts';
import type { KubeObject } from './object.ts';

/** ObjectReference of core/v1, the fields that are used. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Absent for a cluster-scoped object. */
  readonly namespace?: string;
  readonly uid: string;
}

/** Something to tell the user who looks at an object. */
export interface EventInput {
  readonly regarding: Regarding;
  readonly type: 'Normal' | 'Warning';
  /** Why, PascalCase; at most 128 characters. */
  readonly reason: string;
  /** What was done, PascalCase; at most 128 characters. */
  readonly action: string;
  /** A sentence for people; cut to 1,024 bytes. Never keys, tokens or Secret data. */
  readonly note: string;
}

/** EventSeries: how often something was seen, and when last. The server wants a count of at least 2. */
export interface EventSeries {
  readonly count: number;
  readonly lastObservedTime: string;
}

/** Event of events.k8s.io/v1. */
export interface KubeEvent extends KubeObject, EventInput {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly eventTime: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
}

/** Who reports. */
export interface EventReporter {
  /** Qualified name, such as `example.com/controller`. */
  readonly reportingController: string;
  /** At most 128 characters; the name of the pod. */
  readonly reportingInstance: string;
}

/** Limit of the API server (`pkg/apis/core/validation/events.go`), bytes. */
const MAX_NOTE_BYTES = 1024;

/** Limit of the API server for reason, action and reportingInstance, characters. */
const MAX_WORD_CHARS = 128;

/** Leaves room for the suffix within the 253 characters of a name. */
const MAX_PREFIX_CHARS = 230;

const ELLIPSIS = '…';

/**
 * The object for one event that happened at `atMs` (milliseconds since the Unix epoch). Events about cluster-scoped
 * objects live in the namespace `default`, which the API server asks for.
 */
export function newEvent(input: EventInput, reporter: EventReporter, atMs: number): KubeEvent {
  const { regarding, type } = input;
  return {
    metadata: { name: eventName(regarding.name), namespace: regarding.namespace ?? 'default' },
    eventTime: microTime(atMs),
    reportingController: reporter.reportingController,
    reportingInstance: reporter.reportingInstance.slice(0, MAX_WORD_CHARS),
    regarding,
    type,
    reason: input.reason.slice(0, MAX_WORD_CHARS),
    action: input.action.slice(0, MAX_WORD_CHARS),
    note: cutNote(input.note),
  };
}

/** A note as it can be sent: itself, or what fits into 1,024 bytes of UTF-8 together with an ellipsis. */
export function cutNote(note: string): string {
  if (Buffer.byteLength(note) <= MAX_NOTE_BYTES) return note;
  const room = new Uint8Array(MAX_NOTE_BYTES - Buffer.byteLength(ELLIPSIS));
  return note.slice(0, new TextEncoder().encodeInto(note, room).read) + ELLIPSIS;
}

/** `<object>.<hex>`; characters that a name may not have, such as the colons of RBAC names, become hyphens. */
function eventName(objectName: string): string {
  const prefix = objectName
    .slice(0, MAX_PREFIX_CHARS)
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-');
  return `${prefix.replace(/[.-]+$/, '')}.${randomBytes(8).toString('hex')}`;
}
