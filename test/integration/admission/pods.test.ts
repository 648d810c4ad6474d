/** Every shape of a pod through the API server and the webhook: what is stored, or what whoever creates it reads. */

import { expect } from 'chai';
import { connectWebhook } from '../../../hack/operator/connect-webhook.ts';
import { installChart } from '../../../hack/operator/install-chart.ts';
import { sumOfSamples } from '../../../hack/operator/operator-process.ts';
import { AGENT_IDENTITY } from '../../../src/api/group.ts';
import { POD } from '../../../src/controllers/mesh/kinds.ts';
import type { ContainerShape } from '../../../src/domain/pod/shape.ts';
import { NAMESPACE, SERVICE_ACCOUNT } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { type AdminClient, adminClient } from '../../support/admin-client.ts';
import { applyPatch } from '../../support/apply-patch.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { json, type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { ACCOUNT, container, ENV, MOUNT, podOf, type SentPod, VOLUME } from '../../support/pod-fixture.ts';
import { REFUSED } from '../../support/pod-refusals.ts';
import { ACCEPTED } from '../../support/pod-shapes.ts';
import { AGENTS, Swarm } from '../../support/swarm.ts';
import { type RunningWebhook, startWebhook } from '../../support/webhook.ts';

/** Governed by nobody. */
const ELSEWHERE = 'elsewhere';
const LABEL = 'agenttrust.dev/identity';

interface Answer {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('pods through the webhook', () => {
  const controlPlane = useControlPlane();
  let admin: AdminClient;
  let swarm: Swarm;
  let webhook: RunningWebhook;
  let serial = 0;

  before(async () => {
    admin = await adminClient(controlPlane());
    swarm = new Swarm(admin);
    for (const name of [AGENTS, ELSEWHERE]) await admin.client.create(NAMESPACE, { metadata: { name } });
    await installChart({
      kubeconfigPath: controlPlane().kubeconfigPath,
      namespaces: [AGENTS],
      admission: 'all',
    });
    webhook = await startWebhook({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });
    await connectWebhook(controlPlane(), await webhook.port);
    await admin.client.create(SERVICE_ACCOUNT, { metadata: { name: ACCOUNT, namespace: AGENTS } });
    await eventually('an agent', () => swarm.createIdentity(ACCOUNT));
    await eventually('a pod of it to get its files', async () => {
      const { stdout } = await create(podOf(), { dryRun: true });
      return stdout.includes('agent-trust-bundle');
    });
  });
  after(async () => {
    await webhook?.stop();
    await admin?.close();
  });

  /** As a person does it, with all that is said. */
  function create(
    { metadata, spec }: SentPod,
    options: { readonly namespace?: string; readonly dryRun?: boolean } = {},
  ): Promise<Answer> {
    const { namespace = AGENTS, dryRun = false } = options;
    serial += 1;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: `pod-${serial}`, namespace },
      spec,
    };
    const flags = ['create', '--filename=-', '--output=json', ...(dryRun ? ['--dry-run=server'] : [])];
    return controlPlane().kubectl(flags, { mayFail: true, stdin: JSON.stringify(pod) });
  }

  /** What of a pod is ours to add to; without what the API server fills in elsewhere. */
  function partsOf({ metadata = {}, spec = {} }: Pick<SentPod, 'metadata' | 'spec'>): object {
    const { volumes = [], containers, initContainers, securityContext } = spec;
    return {
      labels: metadata.labels ?? {},
      fsGroup: securityContext?.fsGroup,
      volumes: volumes.map((volume) => (volume.name === VOLUME.name ? volume : volume.name)),
      containers: (containers ?? []).map(partsOfContainer),
      initContainers: (initContainers ?? []).map(partsOfContainer),
    };
  }

  function partsOfContainer({ name, volumeMounts = [], env = [] }: ContainerShape): object {
    return { name, volumeMounts, env };
  }

  async function stored({ stdout, stderr }: Answer): Promise<SentPod> {
    expect(stderr).to.equal('');
    return JSON.parse(stdout) as SentPod;
  }

  for (const { what, pod, patch, refusedByServer } of ACCEPTED) {
    it(`accepts ${what}`, async () => {
      const answer = await create(pod);
      if (refusedByServer !== undefined) {
        expect(answer.stderr, refusedByServer).to.match(/^The Pod "pod-\d+" is invalid: /);
        return;
      }
      const operations = Object.entries(patch).map(([path, value]) => ({ op: 'add', path, value }));
      expect(partsOf(await stored(answer))).to.deep.equal(partsOf(applyPatch(pod, operations)));
    });
  }

  for (const { what, pod, problems } of REFUSED) {
    it(`rejects ${what}`, async () => {
      const { stderr, exitStatus } = await create(pod);
      const lines = problems.map((problem) => `  ${problem}\n`).join('');
      expect(stderr).to.contain(
        `admission webhook "pods.agenttrust.dev" denied the request: this pod runs as agent ${AGENTS}/${ACCOUNT} and cannot get its files\n${lines}`,
      );
      expect(exitStatus).to.equal(1);
    });
  }

  for (const [what, pod, namespace] of [
    ['no ServiceAccount', podOf({ serviceAccountName: undefined }), AGENTS],
    ['a ServiceAccount that is no agent', podOf({ serviceAccountName: 'web' }), AGENTS],
    ['a ServiceAccount of the same name where nothing is governed', podOf(), ELSEWHERE],
    [
      'the network of the node, and no agent',
      podOf({ serviceAccountName: 'web', hostNetwork: true }),
      AGENTS,
    ],
  ] as const) {
    it(`leaves a pod of ${what} as it is`, async () => {
      expect(partsOf(await stored(await create(pod, { namespace })))).to.deep.equal(partsOf(pod));
    });
  }

  it('rejects the label of an agent on a pod of somebody else', async () => {
    const pod = podOf({ serviceAccountName: 'web' }, { labels: { [LABEL]: ACCOUNT } });
    expect((await create(pod)).stderr).to.contain(
      `admission webhook "pods.agenttrust.dev" denied the request: metadata.labels[${LABEL}] is "${ACCOUNT}", and the pod runs as ServiceAccount web, which is no agent.`,
    );
  });

  it('leaves a pod as it is that is created again from what was stored', async () => {
    const first = await stored(await create(podOf()));
    const again = await stored(
      await create({ metadata: { labels: first.metadata.labels ?? {} }, spec: first.spec }),
    );
    expect(again.spec).to.deep.equal(first.spec);
  });

  it('takes to an agent as soon as there is one, and to its own Secret', async () => {
    const spec = { serviceAccountName: 'newcomer' };
    expect(partsOf(await stored(await create(podOf(spec))))).to.deep.equal(partsOf(podOf(spec)));
    await admin.client.create(SERVICE_ACCOUNT, { metadata: { name: 'newcomer', namespace: AGENTS } });
    await swarm.createIdentity('late', { ...spec, certificate: { secretName: 'files-of-late' } });
    await eventually('its files', async () => {
      const { stdout } = await create(podOf(spec), { dryRun: true });
      return stdout.includes('files-of-late');
    });
  });

  it('warns that a pod of an agent that is cut off waits', async () => {
    await swarm.createAgent('cut', { suspended: true });
    await eventually('the warning', async () => {
      const { stderr, stdout, exitStatus } = await create(podOf({ serviceAccountName: 'cut' }), {
        dryRun: true,
      });
      expect(stderr).to.equal(
        `Warning: agent ${AGENTS}/cut is suspended: this pod waits for Secret cut-tls and starts by itself once that is lifted\n`,
      );
      expect(stdout).to.contain('cut-tls');
      return exitStatus === 0;
    });
  });

  it('leaves pods alone again once the identity is gone', async () => {
    await swarm.createAgent('mortal');
    const pod = podOf({ serviceAccountName: 'mortal' });
    const hasFiles = async (): Promise<boolean> =>
      (await create(pod, { dryRun: true })).stdout.includes('mortal-tls');
    await eventually('its files', hasFiles);
    await admin.client.delete(AGENT_IDENTITY, { namespace: AGENTS, name: 'mortal' });
    await eventually('no more files', async () => !(await hasFiles()));
  });

  it('accepts what people do to pods that run', async () => {
    const { metadata } = await stored(await create(podOf()));
    const name = String(metadata['name']);
    const patch = { metadata: { labels: { team: 'blue' } } };
    const patched = await admin.client.mergePatch<KubeObject>(POD, { namespace: AGENTS, name, patch });
    expect(patched.metadata.labels).to.deep.equal({ [LABEL]: ACCOUNT, team: 'blue' });
  });

  describe('with a webhook of somebody else after it', () => {
    let sidecars: LoopbackServer;

    before(async () => {
      sidecars = await startLoopbackServer((response, { body }) => {
        const { request } = body as { request: { uid: string; object: SentPod } };
        const isThere = request.object.spec.containers?.some(({ name }) => name === 'collector');
        const steps = [{ op: 'add', path: '/spec/containers/0', value: container('collector') }];
        const patch = Buffer.from(JSON.stringify(isThere ? [] : steps)).toString('base64');
        json(200, {
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid: request.uid, allowed: true, patchType: 'JSONPatch', patch },
        })(response, { method: 'POST', path: '', query: {}, headers: {}, body });
      });
      await controlPlane().kubectl(['create', '--filename=-'], {
        stdin: JSON.stringify({
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'MutatingWebhookConfiguration',
          // Asked in the order of names.
          metadata: { name: 'sidecars' },
          webhooks: [
            {
              name: 'sidecars.example.org',
              admissionReviewVersions: ['v1'],
              sideEffects: 'None',
              objectSelector: { matchLabels: { sidecar: 'yes' } },
              clientConfig: {
                url: sidecars.url.href,
                caBundle: Buffer.from(sidecars.ca ?? '').toString('base64'),
              },
              rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
            },
          ],
        }),
      });
    });
    after(() => sidecars?.close());

    async function reviews(): Promise<number> {
      const text = await webhook.registry.metrics();
      return sumOfSamples(text, 'agent_trust_admission_reviews_total', 'kind="pods"');
    }

    it('is asked again, and leaves the files where they are', async () => {
      const pod = podOf({}, { labels: { sidecar: 'yes' } });
      const answer = await eventually('the sidecar', async () => {
        const { stdout } = await create(pod, { dryRun: true });
        return stdout.includes('collector') && (await create(pod));
      });
      const { spec } = await stored(answer);
      expect((spec.containers ?? []).map(partsOfContainer)).to.deep.equal([
        { name: 'collector', volumeMounts: [], env: [] },
        { name: 'agent', volumeMounts: [MOUNT], env: [ENV] },
      ]);
      const before = await reviews();
      await create(pod, { dryRun: true });
      expect((await reviews()) - before).to.equal(2);
    });
  });
});
