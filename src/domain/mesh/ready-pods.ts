/** What keeps a pod of an agent from being behind its wall: one small check for each way of standing beside it. */

import { LABEL_IDENTITY } from './names.ts';
import type { CoverageFacts, Finding, PodFacts } from './ready-facts.ts';

const SHOWN_PODS = 5;
const MAX_COMMANDS = 2;

type PodCheck = (facts: CoverageFacts) => Finding | undefined;

/** The checks, the worst first. */
export const POD_CHECKS: readonly PodCheck[] = [
  hostNetwork,
  unlabelled,
  injectionOff,
  unmeshed,
  trafficExcluded,
];

function hostNetwork(facts: CoverageFacts): Finding | undefined {
  const pods = facts.pods.filter((pod) => pod.hostNetwork);
  return about(facts, pods, {
    reason: 'HostNetwork',
    verb: 'on the network of the node, where neither mesh nor NetworkPolicy reaches',
    wayOut: () => 'Take hostNetwork out of the pod template.',
  });
}

function unlabelled(facts: CoverageFacts): Finding | undefined {
  const pods = facts.pods.filter(({ labels }) => labels[LABEL_IDENTITY] !== facts.serviceAccountName);
  return about(facts, pods, {
    reason: 'UnlabelledPods',
    verb: `open to every caller, without the label ${LABEL_IDENTITY}=${facts.serviceAccountName}`,
    wayOut: (which) =>
      `Restart: ${restartCommands(which)}. If that does not help, put the label into the pod template.`,
  });
}

function injectionOff(facts: CoverageFacts): Finding | undefined {
  if (!hasMesh(facts)) return undefined;
  const pods = facts.pods.filter((pod) => !pod.isMeshed && pod.isInjectionOff);
  return about(facts, pods, {
    reason: 'InjectionOff',
    verb: 'kept out of the mesh by sidecar.istio.io/inject or istio.io/dataplane-mode of the pod template',
    wayOut: () => 'Take it out of the pod template.',
  });
}

function unmeshed(facts: CoverageFacts): Finding | undefined {
  if (!hasMesh(facts)) return undefined;
  const pods = facts.pods.filter((pod) => !pod.isMeshed && !pod.isInjectionOff && !pod.hostNetwork);
  return about(facts, pods, {
    reason: 'NotMeshed',
    verb: 'without a proxy of the mesh, so that only the NetworkPolicy holds',
    wayOut: (which) => `Restart, so that Istio takes them in: ${restartCommands(which)}.`,
  });
}

function trafficExcluded(facts: CoverageFacts): Finding | undefined {
  if (!hasMesh(facts)) return undefined;
  const pods = facts.pods.filter((pod) => pod.exclusions.length > 0);
  const names = [...new Set(pods.flatMap((pod) => pod.exclusions))].sort();
  return about(facts, pods, {
    reason: 'TrafficExcluded',
    verb: `called past the proxy because of ${names.slice(0, SHOWN_PODS).join(', ')}`,
    wayOut: () => 'Take that out of the pod template.',
  });
}

function hasMesh({ servesIstio, dataPlane }: CoverageFacts): boolean {
  return servesIstio && dataPlane !== 'none';
}

interface Words {
  readonly reason: string;
  /** What the pods are. */
  readonly verb: string;
  readonly wayOut: (pods: readonly PodFacts[]) => string;
}

function about(facts: CoverageFacts, pods: readonly PodFacts[], words: Words): Finding | undefined {
  if (pods.length === 0) return undefined;
  const { reason, verb, wayOut } = words;
  const names = pods.map(({ name }) => name).sort();
  const shown = names.slice(0, SHOWN_PODS).join(', ');
  const more = names.length > SHOWN_PODS ? ` and ${names.length - SHOWN_PODS} more` : '';
  const be = pods.length === 1 ? 'is' : 'are';
  const message = `${pods.length} of ${facts.pods.length} pods ${be} ${verb}: ${shown}${more}. ${wayOut(pods)}`;
  return { reason, message };
}

/** The commands that make new pods in place of these, separated by semicolons; at most two of them. */
export function restartCommands(pods: readonly Pick<PodFacts, 'workload'>[]): string {
  const workloads = [...new Set(pods.map(({ workload }) => workload))].filter((name) => name !== undefined);
  if (workloads.length === 0) return 'kubectl delete pod, and create it again';
  return workloads
    .sort()
    .slice(0, MAX_COMMANDS)
    .map((workload) => `kubectl rollout restart ${workload}`)
    .join('; ');
}
