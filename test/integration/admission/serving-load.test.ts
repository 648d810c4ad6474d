/** No review is answered wrongly, whatever becomes of the processes and of their certificate. */

import { expect } from 'chai';
import { connectWebhook } from '../../../hack/operator/connect-webhook.ts';
import { installChart } from '../../../hack/operator/install-chart.ts';
import type { OperatorProcess } from '../../../hack/operator/operator-process.ts';
import { AGENT_IDENTITY, WEBHOOK_CONFIGURATION_NAME } from '../../../src/api/group.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { servingSecret } from '../../../src/controllers/serving/serving-record.ts';
import { createServingCertificate, readTrusted } from '../../../src/crypto/serving-certificate.ts';
import { NAMESPACE, SECRET } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { type AdminClient, adminClient } from '../../support/admin-client.ts';
import { ApiServer } from '../../support/admission/api-server.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type Reviewed, ReviewLoad, textsOf } from '../../support/review-load.ts';
import { AGENTS } from '../../support/swarm.ts';
import { startTcpBalancer, type TcpBalancer } from '../../support/tcp-balancer.ts';
import { startWebhookProcess, webhookAsked } from '../../support/webhook.ts';
import { CONFIGURATION_TYPES, SERVING_SECRET, trustedPair } from '../../support/webhook-certificates.ts';

/** What a kill cuts off has begun before it, or is noticed within this time. */
const NOTICED_MS = 250;

/** Of a certificate that is not ours. */
const REQUEST = {
  commonName: 'agent-trust-webhook',
  dnsNames: ['agent-trust-webhook.agent-trust-system.svc'],
};

describe('reviews under load', () => {
  const controlPlane = useControlPlane();
  let admin: AdminClient;
  let server: ApiServer;
  let balancer: TcpBalancer;
  let load: ReviewLoad | undefined;
  const replicas = new Map<string, { readonly process: OperatorProcess; readonly port: number }>();

  before(async () => {
    admin = await adminClient(controlPlane());
    server = await ApiServer.of(controlPlane());
    balancer = await startTcpBalancer();
    await admin.client.create(NAMESPACE, { metadata: { name: AGENTS } });
    // Who reviews is not asked about identities that are there before it is installed.
    await install('none');
    await eventually(
      'the kind to be served',
      async () => (await admin.client.list(AGENT_IDENTITY)) !== undefined,
    );
    await identity('agent-coordinator', ['kubectl_get']);
    await identity('agent-deployer', ['kubectl_get', 'kubectl_apply']);
    await install('all');
    await connectWebhook(controlPlane(), balancer.port);
  });
  beforeEach(async () => {
    for (const name of ['one', 'two']) if (!replicas.has(name)) await start(name);
    await webhookAsked(controlPlane());
  });
  afterEach(async () => {
    await load?.stop();
    load = undefined;
  });
  after(async () => {
    for (const { process } of replicas.values()) await process.stop();
    await balancer?.close();
    await server?.close();
    await admin?.close();
  });

  /** Without the policies: they would let nobody but the webhook write what is damaged here. */
  function install(admission: 'none' | 'all'): Promise<void> {
    const { kubeconfigPath } = controlPlane();
    const set = ['admissionPolicies.enabled=false'];
    return installChart({ kubeconfigPath, namespaces: [AGENTS], admission, set });
  }

  async function identity(name: string, capabilities: readonly string[]): Promise<void> {
    const written: KubeObject & { readonly spec: object } = {
      metadata: { name, namespace: AGENTS },
      spec: { capabilities: capabilities.map((capability) => ({ name: capability })) },
    };
    await admin.client.create<KubeObject>(AGENT_IDENTITY, written);
  }

  async function start(name: string, ...flags: readonly string[]): Promise<void> {
    const process = await startWebhookProcess({
      controlPlane: controlPlane(),
      name: `webhook-${name}`,
      flags: [`--namespaces=${AGENTS}`, '--shutdown-delay=3s', ...flags],
    });
    const port = await process.portOf('admission server');
    await eventually(`${name} to be ready`, () => process.isReady());
    replicas.set(name, { process, port });
    spread();
  }

  /** As endpoints do: away before the process ends, in again when it is ready. */
  function takeOut(name: string): OperatorProcess {
    const replica = replicas.get(name);
    if (replica === undefined) throw new Error(`${name} does not run`);
    replicas.delete(name);
    spread();
    return replica.process;
  }

  function spread(): void {
    balancer.use([...replicas.values()].map(({ port }) => port));
  }

  function startLoad(): ReviewLoad {
    const policy = (capability: string): object => ({
      rules: [{ from: 'agent-coordinator', to: ['agent-deployer'], capabilities: [{ name: capability }] }],
    });
    load = new ReviewLoad({
      server,
      namespace: AGENTS,
      legal: policy('kubectl_get'),
      illegal: policy('kubectl_apply'),
      because: 'agent-coordinator does not hold it',
    });
    return load;
  }

  function expectNoneWrong(reviewed: readonly Reviewed[]): void {
    expect(textsOf(reviewed, 'wrong')).to.deep.equal([]);
  }

  function expectAllRight(reviewed: readonly Reviewed[]): void {
    expectNoneWrong(reviewed);
    expect(textsOf(reviewed, 'unreachable')).to.deep.equal([]);
  }

  it('are all right while a replica ends in good order, and another takes its place', async () => {
    const running = startLoad();
    await running.goesOn();
    const leaving = takeOut('one');
    expect(await leaving.stop()).to.equal('exit status 0');
    await running.goesOn();
    await start('one');
    await running.goesOn();
    expectAllRight(await running.stop());
  });

  it('fail at most where they were under way when a replica is killed, and are right from then on', async () => {
    const running = startLoad();
    await running.goesOn();
    await takeOut('one').kill();
    const killedMs = performance.now();
    await running.goesOn();
    await start('one');
    await running.goesOn();
    const reviewed = await running.stop();
    expectNoneWrong(reviewed);
    const failed = reviewed.filter(({ verdict }) => verdict === 'unreachable');
    expect(failed.filter(({ beganMs }) => beganMs > killedMs + NOTICED_MS)).to.deep.equal([]);
  });

  it('are refused while no replica runs, and right as soon as one is back', async () => {
    const running = startLoad();
    await running.goesOn();
    for (const name of ['one', 'two']) await takeOut(name).kill();
    const deadMs = performance.now();
    await eventually(
      'reviews to fail',
      () => running.reviewed.filter(({ beganMs }) => beganMs > deadMs + NOTICED_MS).length > 20,
    );
    const answered = running.reviewed.filter(
      ({ beganMs, verdict }) => beganMs > deadMs && verdict === 'right',
    );
    expect(answered).to.deep.equal([]);
    await start('one');
    await running.goesOn();
    expectNoneWrong(await running.stop());
  });

  it('are refused while the trust is destroyed, and right as soon as it is put back', async () => {
    const running = startLoad();
    await running.goesOn();
    const stranger = createServingCertificate({ ...REQUEST, nowMs: Date.now(), lifeMs: 3_600_000 });
    const value = Buffer.from(stranger.certificatePem).toString('base64');
    for (const type of CONFIGURATION_TYPES) {
      const patch = [{ op: 'replace' as const, path: '/webhooks/0/clientConfig/caBundle', value }];
      await admin.client.jsonPatch(type, { name: WEBHOOK_CONFIGURATION_NAME, patch });
    }
    await trustedPair(admin.client);
    await running.goesOn();
    expectNoneWrong(await running.stop());
  });

  it('are right once replicas have found their own certificate expired', async () => {
    for (const name of ['one', 'two']) await takeOut(name).stop();
    const expired = createServingCertificate({
      ...REQUEST,
      nowMs: Date.now() - 3_600_000,
      lifeMs: 1_800_000,
    });
    const secret = await admin.client.get<Secret>(SECRET, SERVING_SECRET);
    const trusted = readTrusted(Buffer.from(expired.certificatePem));
    const { data = {} } = servingSecret('', { current: expired, next: undefined, trusted });
    await admin.client.replace<Secret>(SECRET, { ...secret, data });
    const running = startLoad();
    await Promise.all([start('one'), start('two')]);
    await running.goesOn();
    const reviewed = await running.stop();
    expectNoneWrong(reviewed);
    const [{ beganMs: firstRightMs = 0 } = {}] = reviewed.filter(({ verdict }) => verdict === 'right');
    const late = reviewed.filter(
      ({ verdict, beganMs }) => verdict === 'unreachable' && beganMs > firstRightMs + 2_000,
    );
    expect(late).to.deep.equal([]);
  });

  it('are all right while the certificate is renewed, again and again', async () => {
    const flags = ['--serving-life=24s', '--serving-grace=4s'];
    for (const name of ['one', 'two']) {
      await takeOut(name).stop();
      await start(name, ...flags);
    }
    const first = await trustedPair(admin.client);
    const running = startLoad();
    let before = first.facts.current?.fingerprint;
    for (let renewals = 0; renewals < 2; renewals++) {
      before = (await trustedPair(admin.client, before)).facts.current?.fingerprint;
    }
    await running.goesOn();
    expectAllRight(await running.stop());
  });
});
