import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { EXCLUSIONS, type Pod, podRecord } from '../../../../src/controllers/mesh/pod-record.ts';

const POD: Pod = {
  metadata: { name: 'p', namespace: 'ai-agents', labels: { a: 'b' } },
  spec: { serviceAccountName: 'deployer', containers: [{ name: 'agent' }] },
};

function withMetadata(metadata: Partial<Pod['metadata']>): Pod {
  return { ...POD, metadata: { ...POD.metadata, ...metadata } };
}

describe('EXCLUSIONS', () => {
  it('are, beside what turns injection off, what the policy pod-walls rejects', () => {
    const template = join(
      import.meta.dirname,
      '../../../../helm/agent-trust/templates/policies/_pod-walls.tpl',
    );
    const walls = [...readFileSync(template, 'utf8').matchAll(/^ *\(list "(labels|annotations)" "(.+?)"/gm)];
    expect(walls.map(([, where, key]) => `${where} ${key}`)).to.have.members([
      'labels sidecar.istio.io/inject',
      'annotations sidecar.istio.io/inject',
      'labels istio.io/dataplane-mode',
      ...EXCLUSIONS.map(([key]) => `annotations ${key}`),
    ]);
  });
});

describe('podRecord', () => {
  it('keeps what says where a pod stands', () => {
    expect(podRecord(POD)).to.deep.equal({
      namespace: 'ai-agents',
      name: 'p',
      account: 'deployer',
      hasEnded: false,
      uid: '',
      secrets: [],
      isReady: false,
      lacksLists: false,
      waitsForVolumes: true,
      labels: { a: 'b' },
      hostNetwork: false,
      isMeshed: false,
      isInjectionOff: false,
      exclusions: [],
      workload: undefined,
    });
  });

  it('sees a proxy beside the agent, before it, and on the node', () => {
    const proxy = [{ name: 'istio-proxy' }];
    const pods = [
      { ...POD, spec: { containers: proxy } },
      { ...POD, spec: { initContainers: proxy } },
      withMetadata({ annotations: { 'ambient.istio.io/redirection': 'enabled' } }),
      withMetadata({ annotations: { 'ambient.istio.io/redirection': 'disabled' } }),
    ];
    expect(pods.map((pod) => podRecord(pod).isMeshed)).to.deep.equal([true, true, true, false]);
  });

  it('sees a pod that ran to its end', () => {
    const phases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'];
    const ended = phases.map((phase) => podRecord({ ...POD, status: { phase } }).hasEnded);
    expect(ended).to.deep.equal([false, false, true, true, false]);
  });

  it('keeps the names of the Secrets in volumes of any kind', () => {
    const volumes = [
      { name: 'a', secret: { secretName: 'plain' } },
      {
        name: 'b',
        projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'x' } }] },
      },
      { name: 'c', emptyDir: {} },
      { name: 'd', projected: {} },
    ];
    expect(podRecord({ ...POD, spec: { volumes } }).secrets).to.deep.equal(['plain', 'projected']);
  });

  it('sees a volume for the bundle without the lists of revoked certificates', () => {
    const volumes = (name: string, keys?: readonly string[]) => [
      {
        projected: {
          sources: [{ configMap: { name, ...(keys && { items: keys.map((key) => ({ key })) }) } }],
        },
      },
    ];
    const lacks = [
      volumes('agent-trust-bundle', ['ca.crt', 'bundle.jws']),
      volumes('agent-trust-bundle', ['ca.crt', 'ca.crl', 'bundle.jws']),
      volumes('agent-trust-bundle'),
      volumes('other', ['ca.crt']),
    ].map((each) => podRecord({ ...POD, spec: { volumes: each } }).lacksLists);
    expect(lacks).to.deep.equal([true, false, false, false]);
  });

  it('sees a pod that waits for its volumes', () => {
    const ready = (status: string) => [{ type: 'PodReadyToStartContainers', status }];
    const waits = [
      {},
      { phase: 'Pending' },
      { phase: 'Pending', conditions: ready('False') },
      { phase: 'Pending', conditions: ready('True') },
      { phase: 'Running' },
    ].map((status) => podRecord({ ...POD, status }).waitsForVolumes);
    expect(waits).to.deep.equal([true, true, true, false, false]);
  });

  it('sees that injection is turned off', () => {
    const off = [
      { labels: { 'sidecar.istio.io/inject': 'false' } },
      { annotations: { 'sidecar.istio.io/inject': 'false' } },
      { labels: { 'istio.io/dataplane-mode': 'none' } },
      { labels: { 'sidecar.istio.io/inject': 'true' }, annotations: { 'sidecar.istio.io/inject': 'false' } },
    ].map((metadata) => podRecord(withMetadata(metadata)).isInjectionOff);
    expect(off).to.deep.equal([true, true, true, false]);
  });

  for (const [key, value, excludes] of [
    ['traffic.sidecar.istio.io/excludeInboundPorts', '8443', true],
    ['traffic.sidecar.istio.io/excludeInboundPorts', '15020,15021, 15090', false],
    ['traffic.sidecar.istio.io/excludeInboundPorts', '', false],
    ['traffic.sidecar.istio.io/includeInboundPorts', '*', false],
    ['traffic.sidecar.istio.io/includeInboundPorts', '9090', true],
    ['traffic.sidecar.istio.io/includeInboundPorts', '', true],
    ['traffic.sidecar.istio.io/excludeInterfaces', 'eth1', true],
    ['istio.io/reroute-virtual-interfaces', 'eth0', true],
    ['istio.io/reroute-virtual-interfaces', '', false],
    ['traffic.sidecar.istio.io/kubevirtInterfaces', 'eth0', true],
    ['sidecar.istio.io/interceptionMode', 'NONE', true],
    ['sidecar.istio.io/interceptionMode', 'TPROXY', false],
    ['ambient.istio.io/bypass-inbound-capture', 'true', true],
    ['inject.istio.io/templates', 'sidecar,grpc-agent', true],
    ['inject.istio.io/templates', 'sidecar', false],
    ['proxy.istio.io/config', 'interceptionMode: NONE', true],
    ['proxy.istio.io/config', 'concurrency: 2', false],
  ] as const) {
    it(`${excludes ? 'sees' : 'accepts'} ${key}: "${value}"`, () => {
      const { exclusions } = podRecord(withMetadata({ annotations: { [key]: value } }));
      expect(exclusions).to.deep.equal(excludes ? [key] : []);
    });
  }

  it('names what made it as kubectl does', () => {
    const owner = { apiVersion: 'apps/v1', uid: 'u', controller: true };
    const workloads = [
      withMetadata({
        labels: { 'pod-template-hash': '7c9' },
        ownerReferences: [{ ...owner, kind: 'ReplicaSet', name: 'deployer-7c9' }],
      }),
      withMetadata({ ownerReferences: [{ ...owner, kind: 'ReplicaSet', name: 'bare' }] }),
      withMetadata({ ownerReferences: [{ ...owner, kind: 'StatefulSet', name: 'db' }] }),
      withMetadata({ ownerReferences: [{ ...owner, kind: 'Job', name: 'once' }] }),
    ].map((pod) => podRecord(pod).workload);
    expect(workloads).to.deep.equal(['deployment/deployer', undefined, 'statefulset/db', undefined]);
  });
});
