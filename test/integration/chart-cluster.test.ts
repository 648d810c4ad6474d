/** The chart on a cluster: what it gives the processes, what it says, and what stays when it goes. */

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { AGENTS, CHART, DATA, helm, OWN, type Rendered, type Run, sets } from '../support/chart.ts';
import { useControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';

const ACCOUNT = `system:serviceaccount:${OWN}:agent-trust-controller`;
const WEBHOOK = `system:serviceaccount:${OWN}:agent-trust-webhook`;

describe('the chart on a cluster', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const onCluster = (...args: readonly string[]): Promise<Run> =>
    helm(...args, `--namespace=${OWN}`, `--kubeconfig=${controlPlane().kubeconfigPath}`);
  const kubectl = async (...args: readonly string[]): Promise<string> =>
    (await controlPlane().kubectl(args, { mayFail: true })).stdout.trim();

  before(async () => {
    for (const name of [AGENTS, DATA]) await controlPlane().kubectl(['create', 'namespace', name]);
  });

  it('says after the installation whom it serves, and what that means', async () => {
    const notes = async (...values: readonly string[]): Promise<string> => {
      const args = [
        'install',
        'agent-trust',
        CHART,
        '--create-namespace',
        '--dry-run=client',
        ...sets(values),
      ];
      const { stdout } = await onCluster(...args);
      return stdout.slice(stdout.indexOf('NOTES:')).trim();
    };
    const next = '\n\nNext:\n  kubectl get agentidentities,delegationpolicies -A';
    const first = `NOTES:\nagent-trust 0.1.0 is installed in namespace ${OWN}.\n\n`;
    expect(await notes()).to.equal(
      `${first}It serves no namespace yet. Name those whose agents it shall serve:\n  helm upgrade agent-trust ... --set 'namespaces={ai-agents}'${next}`,
    );
    expect(await notes(`namespaces={${AGENTS},${DATA}}`)).to.equal(
      `${first}It serves the namespaces ai-agents, ai-data, and may read and write Secrets in these only.${next}`,
    );
    expect(await notes('clusterWide=true')).to.equal(
      `${first}It serves every namespace, and may therefore read and write every Secret of this cluster, which is as good as\ncluster-admin: a Secret can hold a token of any ServiceAccount. To limit it:\n  helm upgrade agent-trust ... --set clusterWide=false --set 'namespaces={ai-agents}'\n\nWhile no replica of the webhook answers, no pod of a ServiceAccount other than default starts in any namespace. Those of\nkube-* namespaces, of a system- PriorityClass, or on the network of their node are not asked about.${next}`,
    );
    const served = `${first}It serves the namespaces ${AGENTS}, and may read and write Secrets in these only.\n\n`;
    expect(await notes(`namespaces={${AGENTS}}`, 'webhook.enabled=false')).to.equal(
      `${served}The webhook is off: an edit that would widen what agents can do is stored and has no effect, and pods of agents have to\nmount their files themselves. To turn it on:\n  helm upgrade agent-trust ... --set webhook.enabled=true${next}`,
    );
    expect(await notes(`namespaces={${AGENTS}}`, 'admissionPolicies.enabled=false')).to.equal(
      `${served}The admission policies are off: whoever may write an AgentIdentity can give it every capability and lift its kill, and\nwhat the operator keeps can be edited by others until it is put back. To turn them on:\n  helm upgrade agent-trust ... --set admissionPolicies.enabled=true${next}`,
    );
  });

  it('is installed', async () => {
    const args = [
      'install',
      'agent-trust',
      CHART,
      '--create-namespace',
      '--set=replicas=0',
      `--set=namespaces={${AGENTS}}`,
    ];
    const { exitStatus, stderr } = await onCluster(...args);
    expect(exitStatus, stderr).to.equal(0);
  });

  /** Verb, resource (or resource/name), namespace, and whether the operator may. */
  const RIGHTS = [
    ...['get', 'list', 'watch', 'create', 'update', 'delete'].flatMap((verb) => [
      [verb, 'secrets', AGENTS, 'yes'],
      [verb, 'configmaps/agent-trust-bundle', AGENTS, 'yes'],
      [verb, 'configmaps/agent-trust-bundle-3', AGENTS, 'yes'],
      [verb, 'configmaps/another', AGENTS, verb === 'create' ? 'yes' : 'no'],
      [verb, 'secrets', DATA, 'no'],
      [verb, 'networkpolicies.networking.k8s.io', AGENTS, 'yes'],
      [verb, 'networkpolicies.networking.k8s.io', DATA, 'no'],
    ]),
    ['patch', 'secrets', AGENTS, 'no'],
    ['get', 'secrets', 'default', 'no'],
    ['get', 'secrets', 'kube-system', 'no'],
    ['create', 'configmaps', DATA, 'no'],
    ['get', 'pods', AGENTS, 'yes'],
    ['get', 'pods', DATA, 'no'],
    ['watch', 'services', AGENTS, 'yes'],
    ['update', 'services', AGENTS, 'no'],
    ['get', 'configmaps/istio', 'istio-system', 'yes'],
    ['update', 'configmaps/istio', 'istio-system', 'no'],
    ['get', 'configmaps/another', 'istio-system', 'no'],
    ['watch', 'customresourcedefinitions/peerauthentications.security.istio.io', '', 'yes'],
    ['get', 'customresourcedefinitions/another', '', 'no'],
    ['create', 'pods', AGENTS, 'no'],
    ['delete', 'pods', AGENTS, 'no'],
    ['create', 'pods/exec', AGENTS, 'no'],
    ['create', 'serviceaccounts/token', AGENTS, 'no'],
    ['create', 'serviceaccounts/token', OWN, 'no'],
    ['create', 'roles', AGENTS, 'no'],
    ['create', 'rolebindings', AGENTS, 'no'],
    ['create', 'roles', OWN, 'no'],
    ['create', 'clusterrolebindings', '', 'no'],
    ['escalate', 'clusterroles', '', 'no'],
    ['bind', 'clusterroles', '', 'no'],
    ['impersonate', 'users', '', 'no'],
    ['impersonate', 'serviceaccounts', AGENTS, 'no'],
    ['get', 'nodes', '', 'no'],
    ['get', 'serviceaccounts', DATA, 'yes'],
    ['create', 'serviceaccounts', AGENTS, 'no'],
    ['watch', 'agentidentities', DATA, 'yes'],
    ['update', 'agentidentities', AGENTS, 'no'],
    ['delete', 'agentidentities', AGENTS, 'no'],
    ['patch', 'agentidentities/status', AGENTS, 'yes'],
    ['watch', 'delegationpolicies', DATA, 'yes'],
    ['update', 'delegationpolicies', AGENTS, 'no'],
    ['patch', 'delegationpolicies/status', AGENTS, 'yes'],
    ['watch', 'capabilityboundaries', '', 'yes'],
    ['create', 'capabilityboundaries', '', 'no'],
    ['patch', 'capabilityboundaries/status', '', 'yes'],
    ['watch', 'namespaces', '', 'yes'],
    ['patch', 'namespaces', '', 'no'],
    ['create', 'events.events.k8s.io', AGENTS, 'yes'],
    ['get', 'secrets/agent-trust-ca', OWN, 'yes'],
    ['update', 'secrets/agent-trust-ca', OWN, 'yes'],
    ['get', 'secrets/sh.helm.release.v1.agent-trust.v1', OWN, 'no'],
    ['update', 'secrets/sh.helm.release.v1.agent-trust.v1', OWN, 'no'],
    ['list', 'secrets', OWN, 'no'],
    // no rule can limit a creation to a name
    ['create', 'secrets', OWN, 'yes'],
    ['update', 'leases/agent-trust-controller', OWN, 'yes'],
    ['update', 'leases/another', OWN, 'no'],
    ['delete', 'leases/agent-trust-controller', OWN, 'no'],
    ['get', 'agentidentities/status', DATA, 'no'],
  ] as const;
  it(`gives the operator exactly what it needs, of ${RIGHTS.length} that were asked for`, async () => {
    const answers: unknown[] = [];
    for (const [verb = '', what = '', namespace = ''] of RIGHTS) {
      answers.push([verb, what, namespace, await canI(verb, what, namespace)]);
    }
    expect(answers).to.deep.equal(RIGHTS.map((row) => [...row]));
  });

  /** The same for the webhook. */
  const RIGHTS_OF_WEBHOOK = [
    ...['get', 'list', 'watch'].flatMap((verb) => [
      [verb, 'agentidentities', DATA, 'yes'],
      [verb, 'delegationpolicies', DATA, 'yes'],
      [verb, 'capabilityboundaries', '', 'yes'],
      [verb, 'namespaces', '', 'yes'],
      [verb, 'quarantines', AGENTS, 'no'],
      [verb, 'pods', AGENTS, 'no'],
      [verb, 'secrets', AGENTS, 'no'],
      [verb, 'secrets', OWN, 'no'],
      [verb, 'secrets/agent-trust-ca', OWN, 'no'],
      [verb, 'secrets/agent-trust-webhook-tls', OWN, 'yes'],
      [verb, 'validatingwebhookconfigurations/agent-trust', '', 'yes'],
      [verb, 'mutatingwebhookconfigurations/agent-trust', '', 'yes'],
      [verb, 'mutatingwebhookconfigurations', '', 'no'],
    ]),
    ...['create', 'update', 'patch', 'delete'].flatMap((verb) => [
      [verb, 'agentidentities', AGENTS, 'no'],
      [verb, 'configmaps', OWN, 'no'],
      [verb, 'leases', OWN, 'no'],
      [verb, 'pods', AGENTS, 'no'],
      [verb, 'secrets', AGENTS, 'no'],
      [verb, 'mutatingwebhookconfigurations', '', 'no'],
    ]),
    ['patch', 'agentidentities/status', AGENTS, 'no'],
    ['patch', 'validatingwebhookconfigurations/agent-trust', '', 'yes'],
    ['patch', 'mutatingwebhookconfigurations/agent-trust', '', 'yes'],
    ['delete', 'mutatingwebhookconfigurations/agent-trust', '', 'no'],
    ['update', 'secrets/agent-trust-webhook-tls', OWN, 'yes'],
    ['update', 'secrets/agent-trust-ca', OWN, 'no'],
    // no rule can limit a creation to a name
    ['create', 'secrets', OWN, 'yes'],
    ['create', 'serviceaccounts/token', OWN, 'no'],
    ['create', 'subjectaccessreviews', '', 'no'],
  ] as const;
  it(`gives the webhook exactly what it needs, of ${RIGHTS_OF_WEBHOOK.length} that were asked for`, async () => {
    const answers: unknown[] = [];
    for (const [verb = '', what = '', namespace = ''] of RIGHTS_OF_WEBHOOK) {
      answers.push([verb, what, namespace, await canI(verb, what, namespace, WEBHOOK)]);
    }
    expect(answers).to.deep.equal(RIGHTS_OF_WEBHOOK.map((row) => [...row]));
  });

  /** `what` is a resource, resource/name, or one of the subresources that are asked about. */
  async function canI(verb: string, what: string, namespace: string, user = ACCOUNT): Promise<string> {
    const [resource = '', rest] = what.split('/');
    const isSubresource = ['exec', 'token', 'status'].includes(rest ?? '');
    const subject = isSubresource ? [resource, `--subresource=${rest}`] : [what];
    const where = namespace === '' ? [] : [`--namespace=${namespace}`];
    return kubectl('auth', 'can-i', verb, ...subject, ...where, `--as=${user}`);
  }

  it('keeps the caBundle that the webhook wrote when it is upgraded', async () => {
    const value = readFileSync(controlPlane().caPath, 'base64');
    const patch = JSON.stringify([{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value }]);
    const configuration = 'mutatingwebhookconfiguration/agent-trust';
    await kubectl(
      'patch',
      configuration,
      '--type=json',
      `--patch=${patch}`,
      '--field-manager=agent-trust-webhook',
    );
    const args = ['--set=replicas=0,webhook.port=9443', `--set=namespaces={${AGENTS},${DATA}}`];
    const { exitStatus, stderr } = await onCluster('upgrade', 'agent-trust', CHART, ...args);
    expect(exitStatus, stderr).to.equal(0);
    const found = JSON.parse(await kubectl('get', configuration, '--output=json')) as Rendered;
    expect(found.webhooks?.[0]?.clientConfig.caBundle).to.equal(value);
    expect(found.webhooks?.[0]?.namespaceSelector?.matchExpressions).to.deep.equal([
      { key: 'kubernetes.io/metadata.name', operator: 'In', values: [AGENTS, DATA] },
    ]);
  });

  it('moves the rights with the list of namespaces when it is upgraded', async () => {
    const args = ['upgrade', 'agent-trust', CHART, '--set=replicas=0', `--set=namespaces={${DATA}}`];
    const { exitStatus, stderr } = await onCluster(...args);
    expect(exitStatus, stderr).to.equal(0);
    await eventually('the rights to have moved', async () => {
      expect([await canI('get', 'secrets', AGENTS), await canI('get', 'secrets', DATA)]).to.deep.equal([
        'no',
        'yes',
      ]);
      return true;
    });
  });

  it('gives every Secret with clusterWide', async () => {
    const args = ['upgrade', 'agent-trust', CHART, '--set=replicas=0,clusterWide=true'];
    const { exitStatus, stderr } = await onCluster(...args);
    expect(exitStatus, stderr).to.equal(0);
    await eventually('the right to hold', async () => (await canI('get', 'secrets', 'default')) === 'yes');
    expect(await canI('create', 'pods', 'default')).to.equal('no');
  });

  it('leaves kind and identities when it is uninstalled, and takes them over when it comes back', async () => {
    const identity = {
      apiVersion: 'agenttrust.dev/v1alpha1',
      kind: 'AgentIdentity',
      metadata: { name: 'stays' },
      // No webhook runs, and about this none is asked.
      spec: { suspended: true },
    };
    await controlPlane().kubectl(['create', `--namespace=${AGENTS}`, '--filename=-'], {
      stdin: JSON.stringify(identity),
    });
    expect((await onCluster('uninstall', 'agent-trust')).exitStatus).to.equal(0);
    expect(
      await kubectl(
        'get',
        'clusterroles,roles,rolebindings,deployments,services,poddisruptionbudgets,validatingwebhookconfigurations,mutatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings',
        '--all-namespaces',
        '--output=name',
        '--selector=app.kubernetes.io/name=agent-trust',
      ),
    ).to.equal('');
    expect(await kubectl('get', 'agentidentities', '--all-namespaces', '--output=name')).to.equal(
      'agentidentity.agenttrust.dev/stays',
    );
    const { exitStatus, stderr } = await onCluster(
      'install',
      'agent-trust',
      CHART,
      '--set=replicas=0,crds.keep=false',
    );
    expect(exitStatus, stderr).to.equal(0);
  });

  it('takes them along when crds.keep is false', async () => {
    expect((await onCluster('uninstall', 'agent-trust')).exitStatus).to.equal(0);
    await eventually('the kind to go', async () => (await kubectl('get', 'crd', '--output=name')) === '');
  });
});
