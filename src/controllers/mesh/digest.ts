/** What of a policy object decides something: compared as a short text, so that no cache has to keep whole objects. */

import { hash } from 'node:crypto';
import { OWN_PREFIX } from '../../api/group.ts';
import { canonical } from '../../domain/mesh/canonical.ts';
import type { KubeObject } from '../../kube/object.ts';

/** A policy object as the server sends it. */
export interface PolicyObject extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>;
}

const ARGO = 'argocd.argoproj.io';
const DIGEST_BYTES = 16;

/**
 * Equal for objects that are equal in everything that is ours or changes their effect: spec, our labels and annotations,
 * those of Istio (`istio.io/dry-run` would disarm the object), Argo CD's tracking (which would prune it), owners (with
 * which it would be garbage). Whatever else others add to the metadata does not count.
 */
export function policyDigest({ metadata, spec = {} }: PolicyObject): string {
  const { labels, annotations, ownerReferences = [] } = metadata;
  return shortDigest(canonical([counted(labels), counted(annotations), ownerReferences, spec]));
}

/** 22 characters that stand for a text. There is one in memory for each object, so none is a slice of something longer. */
export function shortDigest(text: string): string {
  return hash('sha256', text, 'buffer').subarray(0, DIGEST_BYTES).toString('base64url');
}

/** The labels or annotations that count. */
export function counted(entries: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => isCounted(key)));
}

/** Those that do not. */
export function uncounted(entries: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => !isCounted(key)));
}

function isCounted(key: string): boolean {
  const prefix = key.slice(0, Math.max(0, key.indexOf('/')));
  return (
    key.startsWith(OWN_PREFIX) || prefix === 'istio.io' || prefix.endsWith('.istio.io') || prefix === ARGO
  );
}
