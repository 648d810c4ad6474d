/** Pods of an agent in every shape that people write, and exactly what each gets. */

import { ACCOUNT, container, ENV, MOUNT, podOf, SECRET, type SentPod, VOLUME } from './pod-fixture.ts';

/** A pod and the patch it gets, as `path: value`; no patch: it has everything. */
export interface AcceptedShape {
  readonly what: string;
  readonly pod: SentPod;
  readonly patch: Readonly<Record<string, unknown>>;
  /** Why an API server does not let it be created, whatever we say. */
  readonly refusedByServer?: string;
}

const LABEL = 'agenttrust.dev/identity';
const LABEL_PATH = '/metadata/labels/agenttrust.dev~1identity';

const WHOLE_LABELS = { '/metadata/labels': { [LABEL]: ACCOUNT } };
const GROUP = { '/spec/securityContext': { fsGroup: 65532 } };
const VOLUMES = { '/spec/volumes': [VOLUME] };

/** What a container without mounts and variables gets. */
function files(path: string): Readonly<Record<string, unknown>> {
  return { [`/spec/${path}/volumeMounts`]: [MOUNT], [`/spec/${path}/env`]: [ENV] };
}

/** What goes to a pod that has volumes and mounts. */
const BESIDE_OTHERS = {
  '/spec/volumes/-': VOLUME,
  '/spec/containers/0/volumeMounts/-': MOUNT,
  '/spec/containers/0/env': [ENV],
};
const USUAL = { ...WHOLE_LABELS, ...GROUP, ...VOLUMES, ...files('containers/0') };

function owner(kind: string, name: string): object {
  return { ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: 'u-1', controller: true }] };
}

const emptyDir = { name: 'scratch', emptyDir: {} };

/** Those that get their files. */
export const ACCEPTED: readonly AcceptedShape[] = [
  { what: 'a container and nothing else', pod: podOf(), patch: USUAL },
  {
    what: 'labels of its own',
    pod: podOf({}, { labels: { app: 'deployer' } }),
    patch: { [LABEL_PATH]: ACCOUNT, ...GROUP, ...VOLUMES, ...files('containers/0') },
  },
  {
    what: 'no label in its labels',
    pod: podOf({}, { labels: {} }),
    patch: { [LABEL_PATH]: ACCOUNT, ...GROUP, ...VOLUMES, ...files('containers/0') },
  },
  {
    what: 'the label already',
    pod: podOf({}, { labels: { [LABEL]: ACCOUNT } }),
    patch: { ...GROUP, ...VOLUMES, ...files('containers/0') },
  },
  { what: 'init containers', pod: podOf({ initContainers: [container('setup')] }), patch: USUAL },
  {
    what: 'a native sidecar',
    pod: podOf({ initContainers: [container('logs', { restartPolicy: 'Always' })] }),
    patch: USUAL,
  },
  {
    what: 'a sidecar behind the agent',
    pod: podOf({ containers: [container('agent'), container('logs')] }),
    patch: USUAL,
  },
  {
    what: 'istio-proxy first',
    pod: podOf({ containers: [container('istio-proxy'), container('agent')] }),
    patch: { ...WHOLE_LABELS, ...GROUP, ...VOLUMES, ...files('containers/1') },
  },
  {
    what: 'istio-proxy as a native sidecar',
    pod: podOf({ initContainers: [container('istio-proxy', { restartPolicy: 'Always' })] }),
    patch: USUAL,
  },
  {
    what: 'an ephemeral container',
    pod: podOf({ ephemeralContainers: [container('debug')] }),
    patch: USUAL,
    refusedByServer: 'ephemeral containers are added to pods that run',
  },
  {
    what: 'many containers, and an annotation for two of them',
    pod: podOf(
      { containers: ['proxy', 'agent', 'logs', 'tools'].map((name) => container(name)) },
      { annotations: { 'agenttrust.dev/containers': ' agent,tools ,' } },
    ),
    patch: { ...WHOLE_LABELS, ...GROUP, ...VOLUMES, ...files('containers/1'), ...files('containers/3') },
  },
  {
    what: 'an annotation for an init container and a native sidecar',
    pod: podOf(
      { initContainers: [container('setup'), container('logs', { restartPolicy: 'Always' })] },
      { annotations: { 'agenttrust.dev/containers': 'setup,logs' } },
    ),
    patch: {
      ...WHOLE_LABELS,
      ...GROUP,
      ...VOLUMES,
      ...files('initContainers/0'),
      ...files('initContainers/1'),
    },
  },
  {
    what: 'an annotation for istio-proxy',
    pod: podOf(
      { containers: [container('istio-proxy')] },
      { annotations: { 'agenttrust.dev/containers': 'istio-proxy' } },
    ),
    patch: USUAL,
  },
  {
    what: 'volumes, mounts and variables of its own',
    pod: podOf({
      volumes: [emptyDir],
      containers: [
        container('agent', {
          volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }],
          env: [{ name: 'CERT', value: '$(AGENT_TRUST_DIR)/tls/tls.crt' }],
        }),
      ],
    }),
    patch: {
      ...WHOLE_LABELS,
      ...GROUP,
      '/spec/volumes/-': VOLUME,
      '/spec/containers/0/volumeMounts/-': MOUNT,
      '/spec/containers/0/env/0': ENV,
    },
  },
  {
    what: 'lists that are empty',
    pod: podOf({ volumes: [], containers: [container('agent', { volumeMounts: [], env: [] })] }),
    patch: {
      ...WHOLE_LABELS,
      ...GROUP,
      '/spec/volumes/-': VOLUME,
      '/spec/containers/0/volumeMounts/-': MOUNT,
      '/spec/containers/0/env/0': ENV,
    },
  },
  {
    what: 'variables from elsewhere',
    pod: podOf({ containers: [container('agent', { envFrom: [{ configMapRef: { name: 'settings' } }] })] }),
    patch: USUAL,
  },
  {
    what: 'the variable with our value',
    pod: podOf({ containers: [container('agent', { env: [ENV] })] }),
    patch: { ...WHOLE_LABELS, ...GROUP, ...VOLUMES, '/spec/containers/0/volumeMounts': [MOUNT] },
  },
  {
    what: 'a securityContext without fsGroup',
    pod: podOf({ securityContext: { runAsNonRoot: true, runAsUser: 1000 } }),
    patch: { ...WHOLE_LABELS, '/spec/securityContext/fsGroup': 65532, ...VOLUMES, ...files('containers/0') },
  },
  {
    what: 'an fsGroup of its own',
    pod: podOf({ securityContext: { fsGroup: 2000 } }),
    patch: { ...WHOLE_LABELS, ...VOLUMES, ...files('containers/0') },
  },
  {
    what: 'fsGroup 0',
    pod: podOf({ securityContext: { fsGroup: 0 } }),
    patch: { ...WHOLE_LABELS, ...VOLUMES, ...files('containers/0') },
  },
  {
    what: 'a container that may write nowhere',
    pod: podOf({
      containers: [
        container('agent', { securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true } }),
      ],
    }),
    patch: USUAL,
  },
  {
    what: 'no token of its ServiceAccount',
    pod: podOf({ automountServiceAccountToken: false }),
    patch: USUAL,
  },
  {
    what: 'Windows',
    pod: podOf({ os: { name: 'windows' } }),
    patch: { ...WHOLE_LABELS, ...VOLUMES, ...files('containers/0') },
  },
  {
    what: 'a writable mount above',
    pod: podOf({
      volumes: [emptyDir],
      containers: [container('agent', { volumeMounts: [{ name: 'scratch', mountPath: '/var/run' }] })],
    }),
    patch: { ...WHOLE_LABELS, ...GROUP, ...BESIDE_OTHERS },
  },
  {
    what: 'a mount beside ours, with subPath, and one whose name begins as ours',
    pod: podOf({
      volumes: [{ name: 'conf', configMap: { name: 'conf' } }],
      containers: [
        container('agent', {
          volumeMounts: [
            { name: 'conf', mountPath: '/var/run/app.conf', subPath: 'app.conf' },
            { name: 'conf', mountPath: '/var/run/agent-trust-2', readOnly: true },
          ],
        }),
      ],
    }),
    patch: { ...WHOLE_LABELS, ...GROUP, ...BESIDE_OTHERS },
  },
  {
    what: 'a mount of our path in a container that gets no files',
    pod: podOf({
      volumes: [emptyDir],
      containers: [
        container('agent'),
        container('logs', { volumeMounts: [{ name: 'scratch', mountPath: '/var/run/agent-trust' }] }),
      ],
    }),
    patch: { ...WHOLE_LABELS, ...GROUP, '/spec/volumes/-': VOLUME, ...files('containers/0') },
  },
  {
    what: 'the Secret mounted by hand somewhere else',
    pod: podOf({
      volumes: [{ name: 'certificate', secret: { secretName: SECRET } }],
      containers: [
        container('agent', { volumeMounts: [{ name: 'certificate', mountPath: '/etc/agent/tls' }] }),
      ],
    }),
    patch: { ...WHOLE_LABELS, ...GROUP, ...BESIDE_OTHERS },
  },
  {
    what: 'everything already, in a container that others put theirs in front of',
    pod: podOf(
      {
        securityContext: { fsGroup: 65532 },
        volumes: [emptyDir, VOLUME],
        containers: [container('mesh'), container('agent', { volumeMounts: [MOUNT], env: [ENV] })],
      },
      { labels: { [LABEL]: ACCOUNT } },
    ),
    patch: {},
  },
  {
    what: 'what a Deployment makes',
    pod: podOf(
      {},
      {
        ...owner('ReplicaSet', 'deployer-7c9'),
        labels: { app: 'deployer', 'pod-template-hash': '7c9' },
      },
    ),
    patch: { [LABEL_PATH]: ACCOUNT, ...GROUP, ...VOLUMES, ...files('containers/0') },
  },
  {
    what: 'what a Job makes',
    pod: podOf(
      { restartPolicy: 'Never' },
      { ...owner('Job', 'once'), labels: { 'batch.kubernetes.io/job-name': 'once' } },
    ),
    patch: { [LABEL_PATH]: ACCOUNT, ...GROUP, ...VOLUMES, ...files('containers/0') },
  },
  {
    what: 'what a DaemonSet makes',
    pod: podOf(
      { tolerations: [{ operator: 'Exists', key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }] },
      { ...owner('DaemonSet', 'each-node'), labels: { 'controller-revision-hash': '5d' } },
    ),
    patch: { [LABEL_PATH]: ACCOUNT, ...GROUP, ...VOLUMES, ...files('containers/0') },
  },
  {
    what: 'what a StatefulSet makes',
    pod: podOf(
      {
        hostname: 'db-0',
        subdomain: 'db',
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }],
        containers: [container('agent', { volumeMounts: [{ name: 'data', mountPath: '/data' }] })],
      },
      { ...owner('StatefulSet', 'db'), labels: { 'apps.kubernetes.io/pod-index': '0' } },
    ),
    patch: { [LABEL_PATH]: ACCOUNT, ...GROUP, ...BESIDE_OTHERS },
  },
];
