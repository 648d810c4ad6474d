/** Istio's own answers: the filters that istiod makes of policy objects, and what its webhook says of them. */

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { ensureIstioFilters } from '../../../hack/istio-filters/istio-filters.ts';
import type { PolicyObject } from './policy-object.ts';

/** An HTTP filter of Envoy. */
export type EnvoyFilter = Readonly<Record<string, unknown>>;

/** Pods whose filters are asked for. */
export interface Workload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Objects that live together, and the workloads among them. NetworkPolicies are passed over. */
export interface MeshCluster {
  readonly objects: readonly PolicyObject[];
  readonly workloads: readonly Workload[];
}

/** What the webhook answers; without `error` the object is admitted. */
export interface Verdict {
  readonly error?: string;
  readonly warning?: string;
}

/**
 * Asks for the filters of all workloads of all clusters at once.
 *
 * @param meshConfig Istio's own, at least `trustDomain` and `rootNamespace`.
 * @returns for each cluster, for each of its workloads, the filters in their order.
 * @throws Error with Istio's words for objects that the webhook refuses.
 */
export function istioFilters(
  meshConfig: Readonly<Record<string, unknown>>,
  clusters: readonly MeshCluster[],
): Promise<readonly (readonly (readonly EnvoyFilter[])[])[]> {
  const asked = clusters.map(({ objects, workloads }) => ({
    objects: objects.filter(({ kind }) => kind !== 'NetworkPolicy'),
    workloads,
  }));
  return ask('filters', { meshConfig, clusters: asked });
}

/** Asks Istio's webhook about each object. */
export function istioVerdicts(objects: readonly PolicyObject[]): Promise<readonly Verdict[]> {
  return ask('validate', objects);
}

async function ask<Answer>(mode: 'filters' | 'validate', question: unknown): Promise<Answer> {
  const child = spawn(await ensureIstioFilters(), [mode], { stdio: 'pipe' });
  const ended = Promise.withResolvers<number | null>();
  child.once('error', ended.reject).once('close', ended.resolve);
  child.stdin.on('error', () => undefined).end(JSON.stringify(question));
  const [answer, complaint, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended.promise,
  ]);
  if (status !== 0) throw new Error(`istio-filters ${mode}: ${complaint.trim()}`);
  return JSON.parse(answer) as Answer;
}
