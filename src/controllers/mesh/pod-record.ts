/** What is kept in memory of a pod: what says whether it stands behind the wall of its agent. */

import { BUNDLE_NAME } from '../../api/group.ts';
import { CRL_FILE } from '../../domain/bundle/files.ts';
import type { PodFacts } from '../../domain/mesh/ready-facts.ts';
import type { KubeObject } from '../../kube/object.ts';

/** A pod as the server sends it, the fields that are used. */
export interface Pod extends KubeObject {
  readonly spec?: {
    readonly serviceAccountName?: string;
    readonly hostNetwork?: boolean;
    readonly containers?: readonly { readonly name: string }[];
    readonly initContainers?: readonly { readonly name: string }[];
    readonly volumes?: readonly PodVolume[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** A volume, where it can hold a Secret. */
export interface PodVolume {
  readonly secret?: { readonly secretName?: string };
  readonly projected?: { readonly sources?: readonly PodVolumeSource[] };
}

/** A source of a projected volume, as far as it can hold files of an agent. */
export interface PodVolumeSource {
  readonly secret?: { readonly name?: string };
  readonly configMap?: { readonly name?: string; readonly items?: readonly { readonly key: string }[] };
}

/** The projection of a pod. */
export interface PodRecord extends PodFacts {
  readonly namespace: string;
  /** Name of its ServiceAccount. */
  readonly account: string;
  /** It has run to its end, and never runs again. */
  readonly hasEnded: boolean;
  readonly uid: string;
  /** Names of the Secrets in its volumes. */
  readonly secrets: readonly string[];
  /** It is among those that its Services send requests to. */
  readonly isReady: boolean;
  /** Its volume was made by a version that did not write `ca.crl` yet: of every bundle since a file is missing in it. */
  readonly lacksLists: boolean;
  /** It has not been started: neither volumes nor network are made. */
  readonly waitsForVolumes: boolean;
}

const PROXY = 'istio-proxy';
/** Of the proxy itself: never the agent's. */
const PROXY_PORTS: readonly string[] = ['15020', '15021', '15090'];
/** Templates of Istio's injection without a proxy that takes all traffic in. */
const NO_SIDECAR: readonly string[] = ['gateway', 'grpc-agent', 'grpc-simple'];
const ENDED: readonly (string | undefined)[] = ['Succeeded', 'Failed'];

/** Annotations that take traffic past the proxy, and the values with which they do: those that the policy pod-walls rejects. */
export const EXCLUSIONS: readonly (readonly [string, (value: string) => boolean])[] = [
  ['ambient.istio.io/bypass-inbound-capture', (value) => value === 'true'],
  ['inject.istio.io/templates', (value) => listOf(value).some((name) => NO_SIDECAR.includes(name))],
  ['istio.io/reroute-virtual-interfaces', (value) => listOf(value).length > 0],
  ['proxy.istio.io/config', (value) => value.includes('interceptionMode') || value.includes('\\')],
  ['sidecar.istio.io/interceptionMode', (value) => value === 'NONE'],
  ['traffic.sidecar.istio.io/excludeInboundPorts', (value) => listOf(value).some(isNoProxyPort)],
  ['traffic.sidecar.istio.io/excludeInterfaces', (value) => listOf(value).length > 0],
  ['traffic.sidecar.istio.io/includeInboundPorts', (value) => value.trim() !== '*'],
  ['traffic.sidecar.istio.io/kubevirtInterfaces', (value) => listOf(value).length > 0],
];

/** Projects a pod. */
export function podRecord({ metadata, spec = {}, status = {} }: Pod): PodRecord {
  const { name, namespace = '', uid = '', labels = {}, annotations = {} } = metadata;
  const { serviceAccountName = 'default', hostNetwork = false } = spec;
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  return {
    namespace,
    name,
    account: serviceAccountName,
    hasEnded: ENDED.includes(status.phase),
    uid,
    secrets: (spec.volumes ?? []).flatMap(secretsOf),
    isReady: hasCondition(status, 'Ready'),
    lacksLists: (spec.volumes ?? []).some(lacksLists),
    waitsForVolumes: waitsForVolumes(status),
    labels,
    hostNetwork,
    isMeshed:
      containers.some((container) => container.name === PROXY) ||
      annotations['ambient.istio.io/redirection'] === 'enabled',
    isInjectionOff:
      (labels['sidecar.istio.io/inject'] ?? annotations['sidecar.istio.io/inject']) === 'false' ||
      labels['istio.io/dataplane-mode'] === 'none',
    exclusions: EXCLUSIONS.filter(([key, excludes]) => {
      const value = annotations[key];
      return value !== undefined && excludes(value);
    }).map(([key]) => key),
    workload: workloadOf(metadata),
  };
}

function secretsOf({ secret, projected }: PodVolume): readonly string[] {
  const names = [secret?.secretName, ...(projected?.sources ?? []).map((source) => source.secret?.name)];
  return names.filter((name) => name !== undefined);
}

/** A source without `items` brings all files. */
function lacksLists({ projected }: PodVolume): boolean {
  return (projected?.sources ?? []).some(
    ({ configMap }) =>
      configMap?.name === BUNDLE_NAME && configMap.items?.every(({ key }) => key !== CRL_FILE) === true,
  );
}

/** The kubelet sets the condition once everything that containers need is there. */
function waitsForVolumes(status: NonNullable<Pod['status']>): boolean {
  return (status.phase ?? 'Pending') === 'Pending' && !hasCondition(status, 'PodReadyToStartContainers');
}

function hasCondition({ conditions = [] }: NonNullable<Pod['status']>, wanted: string): boolean {
  return conditions.some(({ type, status }) => type === wanted && status === 'True');
}

function workloadOf({ labels = {}, ownerReferences = [] }: Pod['metadata']): string | undefined {
  const owner = ownerReferences.find(({ controller }) => controller === true);
  if (owner === undefined) return undefined;
  const hash = labels['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    return `deployment/${owner.name.slice(0, -hash.length - 1)}`;
  }
  return ['StatefulSet', 'DaemonSet'].includes(owner.kind)
    ? `${owner.kind.toLowerCase()}/${owner.name}`
    : undefined;
}

function isNoProxyPort(port: string): boolean {
  return !PROXY_PORTS.includes(port);
}

function listOf(value: string): readonly string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
