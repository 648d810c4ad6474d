/** What the API server alone says to who writes pods, while nothing of the operator runs. */

import {
  call,
  create,
  type Manifest,
  mergePatch,
  type Request,
  remove,
  update,
} from '../../support/admission/request.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { AGENTS } from '../../support/swarm.ts';
import { EDITOR, ELSEWHERE, OUTSIDER, usePoliciesWorld } from './policies-world.ts';

const IDENTITY = 'agenttrust.dev/identity';

interface PodWishes {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly namespace?: string;
}

function pod(
  name: string,
  { labels = {}, annotations = {}, spec = {}, namespace = AGENTS }: PodWishes = {},
): Manifest {
  const containers = [{ name: 'agent', image: 'example.org/none' }];
  return {
    kind: 'Pod',
    metadata: { name, namespace, labels, annotations },
    spec: { serviceAccountName: 'agent-deployer', containers, ...spec },
  };
}

function metadataOf(name: string, metadata: object, subresource?: string): Request {
  const target = { kind: 'Pod', namespace: AGENTS, name };
  return mergePatch(subresource === undefined ? target : { ...target, subresource }, { metadata });
}

describe('the admission policies on pods', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const world = usePoliciesWorld(controlPlane);
  const own = { [IDENTITY]: 'agent-deployer' };
  before(() => world().create([pod('labelled', { labels: own }), pod('plain')]));

  it('reject the label of another agent, and accept the own one', async () => {
    const rejection = (account: string) => ({
      policy: 'pod-label',
      status: 422,
      says: `metadata.labels: ${IDENTITY} is agent-writer, and the pod runs as ServiceAccount ${account}. Leave the label out: pods of agents get it by themselves`,
    });
    const labels = { [IDENTITY]: 'agent-writer' };
    await world().rejects(create(pod('new', { labels })), EDITOR, rejection('agent-deployer'));
    await world().rejects(
      create(pod('new', { labels, spec: { serviceAccountName: null } })),
      undefined,
      rejection('default'),
    );
    await world().rejects(metadataOf('plain', { labels }), EDITOR, rejection('agent-deployer'));
    await world().rejects(metadataOf('plain', { labels }, 'status'), undefined, rejection('agent-deployer'));
    await world().rejects(metadataOf('labelled', { labels }), EDITOR, rejection('agent-deployer'));
    await world().accepts(create(pod('new', { labels: own })), EDITOR);
    await world().accepts(create(pod('new')), EDITOR);
    await world().accepts(metadataOf('plain', { labels: own }), EDITOR);
    await world().accepts(create(pod('new', { labels, namespace: ELSEWHERE })), OUTSIDER);
  });

  it('reject taking the label away', async () => {
    const rejection = {
      policy: 'pod-label',
      status: 422,
      says: `metadata.labels: ${IDENTITY} stays on the pod of an agent as long as it lives. Delete the pod instead`,
    };
    const labels = { [IDENTITY]: null };
    await world().rejects(metadataOf('labelled', { labels }), EDITOR, rejection);
    await world().rejects(metadataOf('labelled', { labels }, 'status'), undefined, rejection);
    await world().rejects(
      update({ kind: 'Pod', namespace: AGENTS, name: 'labelled' }, { metadata: { labels } }),
      EDITOR,
      rejection,
    );
    await world().accepts(metadataOf('labelled', { labels: { team: 'red' } }), EDITOR);
    await world().accepts(remove({ kind: 'Pod', namespace: AGENTS, name: 'labelled' }), EDITOR);
  });

  it('reject a label by way of the scheduler', async () => {
    const binding = (metadata: object) =>
      call(
        { kind: 'Pod', namespace: AGENTS, name: 'plain', subresource: 'binding' },
        {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: 'plain', ...metadata },
          target: { kind: 'Node', name: 'n' },
        },
      );
    const rejection = {
      policy: 'pod-binding',
      says: 'metadata: a binding says where a pod runs, never whose it is: leave out labels and annotations of agenttrust.dev and istio.io',
    };
    await world().rejects(binding({ labels: own }), undefined, rejection);
    await world().rejects(
      binding({ annotations: { 'sidecar.istio.io/inject': 'false' } }),
      undefined,
      rejection,
    );
    await world().accepts(binding({ labels: { 'topology.kubernetes.io/zone': 'a' } }));
  });

  it('reject a pod of an agent on the network of the node', async () => {
    const spec = { hostNetwork: true };
    await world().rejects(create(pod('new', { labels: own, spec })), EDITOR, {
      policy: 'pod-walls',
      status: 422,
      says: 'spec.hostNetwork: the pod of an agent needs a network of its own, since no policy reaches pods on the network of the node. Leave hostNetwork out',
    });
    await world().accepts(create(pod('new', { spec })), EDITOR);
  });

  const OUT: readonly (readonly ['labels' | 'annotations', string, string])[] = [
    ['labels', 'sidecar.istio.io/inject', 'false'],
    ['labels', 'sidecar.istio.io/inject', 'no'],
    ['annotations', 'sidecar.istio.io/inject', 'False'],
    ['labels', 'istio.io/dataplane-mode', 'none'],
    ['annotations', 'ambient.istio.io/bypass-inbound-capture', 'true'],
    ['annotations', 'sidecar.istio.io/interceptionMode', 'NONE'],
    ['annotations', 'traffic.sidecar.istio.io/excludeInboundPorts', '15020, 8443'],
    ['annotations', 'traffic.sidecar.istio.io/excludeInterfaces', 'eth1'],
    ['annotations', 'traffic.sidecar.istio.io/includeInboundPorts', '80'],
    ['annotations', 'traffic.sidecar.istio.io/includeInboundPorts', ''],
    ['annotations', 'istio.io/reroute-virtual-interfaces', 'eth0'],
    ['annotations', 'traffic.sidecar.istio.io/kubevirtInterfaces', 'eth0'],
  ];
  for (const [where, key, value] of OUT) {
    it(`reject ${key} "${value}" among the ${where} of a pod of an agent`, async () => {
      const wishes = { [where]: { [key]: value } };
      const rejection = {
        policy: 'pod-walls',
        status: 422,
        says: `metadata.${where}: ${key} is "${value}", with which the mesh does not guard this pod of an agent. Leave it out`,
      };
      const labelled = { ...wishes, labels: { ...wishes['labels'], ...own } };
      await world().rejects(create(pod('new', labelled)), EDITOR, rejection);
      await world().rejects(metadataOf('labelled', wishes), EDITOR, rejection);
      await world().accepts(create(pod('new', wishes)), EDITOR);
    });
  }

  it('accept what keeps a pod of an agent in the mesh', () =>
    world().accepts(
      create(
        pod('new', {
          labels: { ...own, 'sidecar.istio.io/inject': 'true', 'istio.io/dataplane-mode': 'ambient' },
          annotations: {
            'sidecar.istio.io/inject': 'true',
            'sidecar.istio.io/interceptionMode': 'REDIRECT',
            'traffic.sidecar.istio.io/excludeInboundPorts': '15020,15021',
            'traffic.sidecar.istio.io/excludeInterfaces': '',
            'traffic.sidecar.istio.io/includeInboundPorts': '*',
          },
        }),
      ),
      EDITOR,
    ));
});

describe('the admission policies on pods from before the policies', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const labels = { [IDENTITY]: 'agent-writer', 'sidecar.istio.io/inject': 'false' };
  const world = usePoliciesWorld(controlPlane, {
    prepare: async () => {
      const stdin = JSON.stringify({ apiVersion: 'v1', ...pod('old', { labels }) });
      await controlPlane().kubectl(['create', '--filename=-'], { stdin });
      const bare = pod('bare', { labels: {}, spec: { hostNetwork: true } });
      const unlabelled = JSON.stringify({ apiVersion: 'v1', ...bare });
      await controlPlane().kubectl(['create', '--filename=-'], { stdin: unlabelled });
    },
  });

  it('reject the label on one that stands where no wall is', () =>
    world().rejects(metadataOf('bare', { labels: { [IDENTITY]: 'agent-deployer' } }), EDITOR, {
      policy: 'pod-walls',
      status: 422,
      says: 'spec.hostNetwork: the pod of an agent needs a network of its own, since no policy reaches pods on the network of the node. Leave hostNetwork out',
    }));

  it('accept that the kubelet reports, and that they are labelled and ended', async () => {
    const target = { kind: 'Pod', namespace: AGENTS, name: 'old' };
    await world().accepts(mergePatch({ ...target, subresource: 'status' }, { status: { phase: 'Running' } }));
    await world().accepts(metadataOf('old', { labels: { team: 'red' } }), EDITOR);
    await world().accepts(metadataOf('old', { labels: { [IDENTITY]: 'agent-deployer' } }), EDITOR);
    await world().accepts(remove(target), EDITOR);
  });
});

describe('the admission policies on pods with mesh.enforceInjection=false', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const world = usePoliciesWorld(controlPlane, { set: ['mesh.enforceInjection=false'] });

  it('accept a pod of an agent outside of the mesh, and reject it on the network of the node', async () => {
    const labels = { [IDENTITY]: 'agent-deployer', 'sidecar.istio.io/inject': 'false' };
    await world().accepts(create(pod('new', { labels })), EDITOR);
    await world().rejects(create(pod('new', { labels, spec: { hostNetwork: true } })), EDITOR, {
      policy: 'pod-walls',
      status: 422,
      says: 'spec.hostNetwork: the pod of an agent needs a network of its own, since no policy reaches pods on the network of the node. Leave hostNetwork out',
    });
  });
});
