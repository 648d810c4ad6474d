/** Pods of an agent that cannot get its files as they are, and exactly what each is told. */

import { ACCOUNT, container, ENV, MOUNT, podOf, type SentPod, VOLUME } from './pod-fixture.ts';

/** A pod and what stands in the way. */
export interface RefusedShape {
  readonly what: string;
  readonly pod: SentPod;
  readonly problems: readonly string[];
}

const emptyDir = { name: 'scratch', emptyDir: {} };

/** A pod whose agent mounts the volume `scratch` at a path. */
function mountingAt(mountPath: string, volume: object = emptyDir, fields: object = {}): SentPod {
  const volumeMounts = [{ name: 'scratch', mountPath, ...fields }];
  return podOf({ volumes: [volume], containers: [container('agent', { volumeMounts })] });
}

const FIRST_MOUNT = 'spec.containers[0].volumeMounts[0] (container agent)';

function occupied(mountPath: string): string {
  return `${FIRST_MOUNT} is at ${mountPath}, where the files of the agent go. Take it out if it holds them, since they are mounted by themselves (tls/tls.crt, tls/tls.key, signing/signing.key, bundle/ca.crt); else mount it somewhere else.`;
}

function readOnlyAbove(mountPath: string): string {
  return `${FIRST_MOUNT} is at ${mountPath} and read-only, so that /var/run/agent-trust cannot be made in it. Mount it somewhere else, or a writable volume in its place.`;
}

function otherVariable(place: number): string {
  return `spec.containers[0].env[${place}] (container agent) sets AGENT_TRUST_DIR to something else than /var/run/agent-trust. Take it out: it is set by itself.`;
}

const FOREIGN_VOLUME =
  'spec.volumes[0] is called agent-trust, the name of the volume with the files of the agent. Take it out if it holds them, since they are mounted by themselves; else give it another name.';
const FOREIGN_LABEL = `metadata.labels[agenttrust.dev/identity] is "agent-writer", and the pod runs as ServiceAccount ${ACCOUNT}. Take it out: the right one is put there by itself.`;
const HOST_NETWORK =
  'spec.hostNetwork is true, and no wall around an agent reaches the network of a node. Take it out, or run the pod as a ServiceAccount that is no agent.';
const WAY_OUT =
  'Name some of agent, logs, setup, separated by commas, or take the annotation out: then the first container gets the files.';

/** A pod with three containers and an annotation. */
function listing(names: string): SentPod {
  const containers = [container('agent'), container('logs')];
  const annotations = { 'agenttrust.dev/containers': names };
  return podOf({ containers, initContainers: [container('setup')] }, { annotations });
}

/** Those that are refused. */
export const REFUSED: readonly RefusedShape[] = [
  {
    what: 'a mount of our path',
    pod: mountingAt('/var/run/agent-trust'),
    problems: [occupied('/var/run/agent-trust')],
  },
  {
    what: 'a mount of our path in another spelling',
    pod: mountingAt('/var//run/agent-trust/'),
    problems: [occupied('/var//run/agent-trust/')],
  },
  {
    what: 'a mount of our path by its other name',
    pod: mountingAt('/run/agent-trust'),
    problems: [occupied('/run/agent-trust')],
  },
  {
    what: 'a mount below ours',
    pod: mountingAt('/var/run/agent-trust/tls', emptyDir, { subPath: 'tls' }),
    problems: [
      `${FIRST_MOUNT} is at /var/run/agent-trust/tls and would hide files of the agent, which are in /var/run/agent-trust. Mount it somewhere else.`,
    ],
  },
  {
    what: 'a ConfigMap above ours',
    pod: mountingAt('/var/run', { name: 'scratch', configMap: { name: 'conf' } }),
    problems: [readOnlyAbove('/var/run')],
  },
  {
    what: 'a read-only mount above ours',
    pod: mountingAt('/run/', emptyDir, { readOnly: true }),
    problems: [readOnlyAbove('/run/')],
  },
  {
    what: 'a read-only claim above ours',
    pod: mountingAt('/var', {
      name: 'scratch',
      persistentVolumeClaim: { claimName: 'data', readOnly: true },
    }),
    problems: [readOnlyAbove('/var')],
  },
  {
    what: 'our volume above its place',
    pod: podOf({
      containers: [container('agent', { volumeMounts: [{ name: 'agent-trust', mountPath: '/var/run' }] })],
    }),
    problems: [readOnlyAbove('/var/run')],
  },
  {
    what: 'our volume mounted so that it could be written',
    pod: podOf({
      volumes: [VOLUME],
      containers: [container('agent', { volumeMounts: [{ ...MOUNT, readOnly: false }] })],
    }),
    problems: [occupied('/var/run/agent-trust')],
  },
  {
    what: 'a part of our volume at its place',
    pod: podOf({
      volumes: [VOLUME],
      containers: [container('agent', { volumeMounts: [{ ...MOUNT, subPath: 'tls' }] })],
    }),
    problems: [occupied('/var/run/agent-trust')],
  },
  {
    what: 'another volume of the name of ours',
    pod: podOf({ volumes: [{ name: 'agent-trust', emptyDir: {} }] }),
    problems: [FOREIGN_VOLUME],
  },
  {
    what: 'a volume as ours with the Secret of another agent',
    pod: podOf({
      volumes: [JSON.parse(JSON.stringify(VOLUME).replace('agent-deployer-tls', 'agent-writer-tls'))],
    }),
    problems: [FOREIGN_VOLUME],
  },
  {
    what: 'the variable with another value',
    pod: podOf({
      containers: [container('agent', { env: [ENV, { name: 'AGENT_TRUST_DIR', value: '/tmp' }] })],
    }),
    problems: [otherVariable(1)],
  },
  {
    what: 'the variable from elsewhere',
    pod: podOf({
      containers: [
        container('agent', {
          env: [{ name: 'AGENT_TRUST_DIR', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        }),
      ],
    }),
    problems: [otherVariable(0)],
  },
  {
    what: 'the label of another agent',
    pod: podOf({}, { labels: { 'agenttrust.dev/identity': 'agent-writer' } }),
    problems: [FOREIGN_LABEL],
  },
  { what: 'the network of the node', pod: podOf({ hostNetwork: true }), problems: [HOST_NETWORK] },
  {
    what: 'an annotation for containers that it does not have',
    pod: listing('agent,tool,log'),
    problems: [
      `metadata.annotations[agenttrust.dev/containers] names tool, log, which this pod does not have. ${WAY_OUT}`,
    ],
  },
  {
    what: 'an annotation for nothing',
    pod: listing(' ,'),
    problems: [`metadata.annotations[agenttrust.dev/containers] names no container. ${WAY_OUT}`],
  },
  {
    what: 'istio-proxy alone',
    pod: podOf({ containers: [container('istio-proxy')] }),
    problems: [
      'spec.containers has none but istio-proxy, which gets the files of an agent only where annotation agenttrust.dev/containers names it.',
    ],
  },
  {
    what: 'all of it at once',
    pod: podOf(
      {
        hostNetwork: true,
        volumes: [{ name: 'agent-trust', emptyDir: {} }],
        containers: [
          container('agent', {
            volumeMounts: [{ name: 'agent-trust', mountPath: '/var/run/agent-trust' }],
            env: [{ name: 'AGENT_TRUST_DIR', value: '/tmp' }],
          }),
        ],
      },
      { labels: { 'agenttrust.dev/identity': 'agent-writer' } },
    ),
    problems: [
      FOREIGN_LABEL,
      HOST_NETWORK,
      FOREIGN_VOLUME,
      occupied('/var/run/agent-trust'),
      otherVariable(0),
    ],
  },
];
