/** What an admission webhook is asked and what it answers: admission.k8s.io/v1 AdmissionReview, the fields that are used. */

/** The question. */
export interface AdmissionRequest<T = unknown> {
  readonly uid: string;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  /** Absent for objects of the cluster. */
  readonly namespace?: string;
  /** Empty while the server is still to make a name of `generateName`. */
  readonly name?: string;
  /** As it would be stored. */
  readonly object: T;
  /** As it is stored; absent on CREATE. */
  readonly oldObject?: T;
}

/** One step of an RFC 6902 JSON Patch; `path` is an RFC 6901 pointer. */
export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

/** The answer. A refusal is a value; an error means that nothing could be decided, and the server makes a refusal of it. */
export type AdmissionAnswer =
  | {
      readonly kind: 'allowed';
      /** Shown to whoever asked; the API server cuts each at 256 characters and all together at 4096. */
      readonly warnings?: readonly string[];
      readonly patch?: readonly PatchOperation[];
    }
  | {
      readonly kind: 'refused';
      /** For people: what, where, why, the way out; several lines when there are several reasons. */
      readonly message: string;
      readonly warnings?: readonly string[];
    };

/** Decides at once, from what is known; never asks anybody. */
export type Reviewer = (request: AdmissionRequest) => AdmissionAnswer;
