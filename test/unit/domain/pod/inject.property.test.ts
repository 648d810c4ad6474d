/** Random pods: what people wrote stays, and asking twice gives nothing new. */

import { expect } from 'chai';
import fc from 'fast-check';
import type { AgentOfPod } from '../../../../src/domain/pod/files.ts';
import { injectFiles } from '../../../../src/domain/pod/inject.ts';
import type { ContainerShape, MountShape } from '../../../../src/domain/pod/shape.ts';
import { applyPatch } from '../../../support/apply-patch.ts';
import { ENV, MOUNT, podOf, type SentPod, VOLUME } from '../../../support/pod-fixture.ts';

const AGENT: AgentOfPod = {
  serviceAccountName: 'agent-deployer',
  certificateSecret: 'agent-deployer-tls',
  signingSecret: 'agent-deployer-signing',
  bundleConfigMap: 'agent-trust-bundle',
};
const LABEL = 'agenttrust.dev/identity';
const RUNS = { numRuns: 2_000 };

/** A record without the fields that are left out. */
function some<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}

const containerName = fc.constantFrom('agent', 'logs', 'istio-proxy', 'a~b', 'setup');
const mount: fc.Arbitrary<MountShape> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<MountShape>(MOUNT) },
  {
    weight: 6,
    arbitrary: fc.record({
      name: fc.constantFrom('scratch', 'conf', 'agent-trust'),
      mountPath: fc.constantFrom(
        '/tmp',
        '/etc/x',
        '/var',
        '/var/run/',
        '/run/agent-trust/x',
        '/var/run/agent-trust-x',
      ),
      readOnly: fc.boolean(),
    }),
  },
);
const variable = fc.oneof(
  { weight: 1, arbitrary: fc.constant<{ name: string; value: string }>(ENV) },
  {
    weight: 6,
    arbitrary: fc.record({
      name: fc.constantFrom('A', 'B', 'C/D'),
      value: fc.constantFrom('', '$(AGENT_TRUST_DIR)'),
    }),
  },
);
const volume = fc.oneof(
  { weight: 1, arbitrary: fc.constant<{ name: string }>(VOLUME) },
  { weight: 3, arbitrary: fc.constant({ name: 'scratch', emptyDir: {} }) },
  { weight: 3, arbitrary: fc.constant({ name: 'conf', configMap: { name: 'conf' } }) },
);
const oneContainer = fc
  .tuple(
    containerName,
    some({
      volumeMounts: fc.uniqueArray(mount, { maxLength: 3, selector: ({ mountPath }) => mountPath }),
      env: fc.array(variable, { maxLength: 3 }),
    }),
  )
  .map(([name, rest]): ContainerShape => ({ name, ...rest }));
const containers = fc.uniqueArray(oneContainer, { minLength: 1, maxLength: 4, selector: ({ name }) => name });

const pod: fc.Arbitrary<SentPod> = fc
  .tuple(
    some({
      initContainers: containers,
      volumes: fc.uniqueArray(volume, { maxLength: 3, selector: ({ name }) => name }),
      securityContext: some({ fsGroup: fc.constantFrom(0, 2000), runAsUser: fc.constant(1) }),
      os: fc.constantFrom({ name: 'linux' }, { name: 'windows' }),
    }),
    containers,
    some({
      labels: fc.constantFrom({}, { app: 'x' }, { [LABEL]: 'agent-deployer', 'a/b': 'c' }),
      annotations: fc
        .subarray(['agent', 'logs', 'setup'], { minLength: 1 })
        .map((names) => ({ 'agenttrust.dev/containers': names.join(', ') })),
    }),
  )
  .map(([spec, ordinary, metadata]) => podOf({ ...spec, containers: ordinary }, metadata));

/** The pod afterwards; undefined when it is refused. */
function patched(before: SentPod): SentPod | undefined {
  const injection = injectFiles(before, AGENT);
  if (injection.kind === 'refused') return undefined;
  return injection.kind === 'patch' ? applyPatch(before, injection.patch) : before;
}

/** A container without what is ours in it. */
function ownOf({ volumeMounts = [], env = [], ...rest }: ContainerShape): object {
  return {
    ...rest,
    volumeMounts: volumeMounts.filter((each) => JSON.stringify(each) !== JSON.stringify(MOUNT)),
    env: env.filter(({ name }) => name !== ENV.name),
  };
}

/** The pod without what is ours; what is absent is as what is empty. */
function ownParts({ metadata, spec }: SentPod): object {
  const { [LABEL]: _, ...labels } = metadata.labels ?? {};
  const { fsGroup, ...securityContext } = spec.securityContext ?? {};
  return {
    metadata: { ...metadata, labels },
    spec: {
      ...spec,
      securityContext: { ...securityContext, fsGroup: fsGroup === 65532 ? undefined : fsGroup },
      volumes: (spec.volumes ?? []).filter(({ name }) => name !== VOLUME.name),
      containers: (spec.containers ?? []).map(ownOf),
      initContainers: (spec.initContainers ?? []).map(ownOf),
    },
  };
}

describe('injectFiles, for random pods', () => {
  it('gives nothing more when it is asked again', () => {
    let accepted = 0;
    fc.assert(
      fc.property(pod, (before) => {
        const after = patched(before);
        if (after === undefined) return;
        accepted += 1;
        expect(injectFiles(after, AGENT)).to.deep.equal({ kind: 'unchanged' });
      }),
      RUNS,
    );
    expect(accepted).to.be.greaterThan(RUNS.numRuns / 10);
  });

  it('loses and changes nothing that was written', () => {
    fc.assert(
      fc.property(pod, (before) => {
        const after = patched(before);
        if (after !== undefined) expect(ownParts(after)).to.deep.equal(ownParts(before));
      }),
      RUNS,
    );
  });

  it('gives every chosen container the files, and at least one is chosen', () => {
    fc.assert(
      fc.property(pod, (before) => {
        const after = patched(before);
        if (after === undefined) return;
        const all = [...(after.spec.containers ?? []), ...(after.spec.initContainers ?? [])];
        const listed = before.metadata.annotations?.['agenttrust.dev/containers']?.split(', ');
        const mounting = all.filter((each) =>
          JSON.stringify(each.volumeMounts ?? []).includes(JSON.stringify(MOUNT)),
        );
        expect(mounting).to.not.have.length(0);
        if (listed !== undefined) {
          expect(mounting.map(({ name }) => name)).to.include.members(listed);
        }
        expect(after.metadata.labels?.[LABEL]).to.equal('agent-deployer');
      }),
      RUNS,
    );
  });
});
