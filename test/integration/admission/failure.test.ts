/** What the webhook cannot decide is refused, and says why. */

import { expect } from 'chai';
import { connectWebhook } from '../../../hack/operator/connect-webhook.ts';
import { installChart } from '../../../hack/operator/install-chart.ts';
import { NAMESPACE } from '../../../src/kube/core-types.ts';
import { type AdminClient, adminClient } from '../../support/admin-client.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RecordingLog, recordingLog } from '../../support/recording-log.ts';
import { AGENTS } from '../../support/swarm.ts';
import { type RunningWebhook, startWebhook, webhookAsked } from '../../support/webhook.ts';
import { trustedPair } from '../../support/webhook-certificates.ts';

const SECRET_WORD = 'do_not_log_me';
const POLICY = {
  apiVersion: 'agenttrust.dev/v1alpha1',
  kind: 'DelegationPolicy',
  metadata: { name: 'swarm', namespace: AGENTS },
  spec: { rules: [{ from: 'a', to: ['b'], capabilities: [{ name: SECRET_WORD }] }] },
};
/** Where the ClusterRole of the webhook says that it may read the three kinds. */
const KINDS_RULE = '/rules/0/resources';

describe('what the webhook cannot decide', () => {
  const controlPlane = useControlPlane();
  let admin: AdminClient;
  let webhook: RunningWebhook | undefined;
  let log: RecordingLog;

  before(async () => {
    admin = await adminClient(controlPlane());
    await admin.client.create(NAMESPACE, { metadata: { name: AGENTS } });
    const { kubeconfigPath } = controlPlane();
    await installChart({ kubeconfigPath, namespaces: [AGENTS], admission: 'all' });
  });
  beforeEach(() => {
    log = recordingLog();
  });
  afterEach(() => webhook?.stop());
  after(() => admin?.close());

  async function start(
    options: Pick<Parameters<typeof startWebhook>[0], 'reviewers'> = {},
  ): Promise<RunningWebhook> {
    webhook = await startWebhook({
      controlPlane: controlPlane(),
      flags: [`--namespaces=${AGENTS}`],
      log,
      ...options,
    });
    await connectWebhook(controlPlane(), await webhook.port);
    await trustedPair(admin.client);
    return webhook;
  }

  /** What kubectl says, once the API server asks the webhook and not one before it. */
  function refusal(): Promise<string> {
    return eventually('a refusal by the webhook', async () => {
      const stdin = JSON.stringify(POLICY);
      const args = ['create', '--dry-run=server', '-f', '-'];
      const { stderr } = await controlPlane().kubectl(args, { stdin, mayFail: true });
      return stderr.includes('denied the request') && stderr.trim();
    });
  }

  async function mayRead(...plurals: readonly string[]): Promise<void> {
    const patch = JSON.stringify([{ op: 'replace', path: KINDS_RULE, value: plurals }]);
    await controlPlane().kubectl(['patch', 'clusterrole', 'agent-trust-webhook', '--type=json', '-p', patch]);
  }

  it('because of an error is refused with an id that stands in the log, which says nothing of the object', async () => {
    await start({
      reviewers: () => ({
        delegationpolicies: ({ object }) => {
          throw new Error(JSON.stringify(object));
        },
      }),
    });
    const said = await refusal();
    const [line] = log.lines.filter(({ message }) => message === 'review failed');
    expect(said).to.equal(
      `Error from server (InternalError): error when creating "STDIN": admission webhook "policies.agenttrust.dev" denied the request: could not be decided because of an error of the webhook, and is refused for that reason. Its log says more under errorId ${line?.fields['errorId']}.`,
    );
    expect(JSON.stringify(log.lines)).not.to.include(SECRET_WORD);
  });

  it('because a kind cannot be read is refused, and allowed as soon as it can', async () => {
    await mayRead('agentidentities', 'delegationpolicies');
    await start();
    expect(await refusal()).to.include('capabilityboundaries');
    await mayRead('agentidentities', 'delegationpolicies', 'capabilityboundaries');
    await webhookAsked(controlPlane());
    const { stderr } = await controlPlane().kubectl(['create', '--dry-run=server', '-f', '-'], {
      stdin: JSON.stringify(POLICY),
    });
    expect(stderr).not.to.include('denied');
  });
});
