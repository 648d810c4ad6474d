/** Reasons of the events that the operator emits, listed in docs/reference/events.md. */

export const EVENT_REASONS = {
  Issued: 'The first certificate of an identity was written.',
  Renewed: 'A certificate was replaced: it was due, or the message says what no longer held.',
  Repaired:
    'Something of ours was altered or deleted and is as it should be again. The message says what was wrong.',
  IssueFailed: 'Issuing or writing failed and is tried again.',
  Refused: 'An identity cannot be served; reason and way out stand in its condition Ready.',
  Wiped:
    'A Secret whose key nobody may hold any longer was emptied and deleted. The message says so when a finalizer of somebody else keeps it, empty.',
  AuthorityPrepared: 'A generation of the authority was made.',
  BundleTampered: 'The trust bundle of a namespace was altered and is mended.',
  RepairLoop: 'Something undoes a Secret again and again; mending it pauses.',
} as const;

/** A reason of an event. */
export type EventReason = keyof typeof EVENT_REASONS;
