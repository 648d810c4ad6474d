import { expect } from 'chai';
import type { AgentOfPod } from '../../../../src/domain/pod/files.ts';
import { injectFiles } from '../../../../src/domain/pod/inject.ts';
import { applyPatch } from '../../../support/apply-patch.ts';
import { cpuMs } from '../../../support/cpu-time.ts';
import {
  ACCOUNT,
  container,
  podOf,
  SECRET,
  type SentPod,
  SIGNING_SECRET,
} from '../../../support/pod-fixture.ts';
import { REFUSED } from '../../../support/pod-refusals.ts';
import { ACCEPTED } from '../../../support/pod-shapes.ts';

const AGENT: AgentOfPod = {
  serviceAccountName: ACCOUNT,
  certificateSecret: SECRET,
  signingSecret: SIGNING_SECRET,
  bundleConfigMap: 'agent-trust-bundle',
};

function patched(pod: SentPod): SentPod {
  const injection = injectFiles(pod, AGENT);
  return injection.kind === 'patch' ? applyPatch(pod, injection.patch) : pod;
}

/** Others put a container first, in both lists, and their volume last. */
function invaded({ metadata, spec }: SentPod): SentPod {
  const containers = [container('istio-proxy'), container('collector'), ...(spec.containers ?? [])];
  const initContainers = [container('istio-init'), ...(spec.initContainers ?? [])];
  const volumes = [{ name: 'istio-token', emptyDir: {} }, ...(spec.volumes ?? [])];
  return { metadata, spec: { ...spec, containers, initContainers, volumes } };
}

describe('injectFiles', () => {
  for (const { what, pod, patch } of ACCEPTED) {
    const operations = Object.entries(patch).map(([path, value]) => ({ op: 'add', path, value }));

    it(`accepts ${what}`, () => {
      expect(injectFiles(pod, AGENT)).to.deep.equal(
        operations.length === 0 ? { kind: 'unchanged' } : { kind: 'patch', patch: operations },
      );
    });

    it(`leaves ${what} as it is the second time`, () => {
      expect(injectFiles(patched(pod), AGENT)).to.deep.equal({ kind: 'unchanged' });
    });

    // Two of the name istio-proxy are none that could be created.
    if (JSON.stringify(pod).includes('istio-proxy')) continue;
    it(`leaves ${what} as it is after others have added theirs`, () => {
      expect(injectFiles(invaded(patched(pod)), AGENT)).to.deep.equal({ kind: 'unchanged' });
    });
  }

  for (const { what, pod, problems } of REFUSED) {
    it(`rejects ${what}`, () => {
      expect(injectFiles(pod, AGENT)).to.deep.equal({ kind: 'refused', problems });
    });
  }

  it('rejects a pod that has no container yet', () => {
    for (const containers of [null, []]) {
      expect(injectFiles(podOf({ containers }), AGENT).kind).to.equal('refused');
    }
  });

  it('decides at once about the largest pods that the API server sends', () => {
    const many = <T>(count: number, item: (index: number) => T): readonly T[] =>
      Array.from({ length: count }, (_, index) => item(index));
    const names = many(200_000, (index) => index.toString(36)).join();
    const volumes = many(30_000, (index) => ({ name: `v${index}`, emptyDir: {} }));
    const volumeMounts = many(30_000, () => ({ name: 'v', mountPath: '/' }));
    const pods = [
      podOf(
        { containers: many(7_000, (index) => container(`c${index}`)) },
        { annotations: { 'agenttrust.dev/containers': names } },
      ),
      podOf({ containers: [{ ...container('agent'), volumeMounts }], volumes }),
    ];
    const took = cpuMs(() => {
      expect(pods.map((pod) => injectFiles(pod, AGENT).kind)).to.deep.equal(['refused', 'patch']);
    });
    expect(took).to.be.below(1_500);
  });

  it('puts back what others took out after the first time', () => {
    const { metadata, spec } = patched(podOf());
    const { volumes: _, ...rest } = spec;
    expect(injectFiles({ metadata, spec: rest }, AGENT)).to.deep.equal({
      kind: 'patch',
      patch: [{ op: 'add', path: '/spec/volumes', value: spec.volumes }],
    });
  });
});
