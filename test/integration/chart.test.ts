/** The chart: what it refuses, what it gives the operator, and what stays when it goes. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { ensureTools } from '../../hack/control-plane/tools.ts';
import { parseConfig } from '../../src/cmd/config.ts';
import { useControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';

const CHART = fileURLToPath(new URL('../../helm/agent-trust', import.meta.url));
const OWN = 'agent-trust-system';
const AGENTS = 'ai-agents';
const DATA = 'ai-data';
const ACCOUNT = `system:serviceaccount:${OWN}:agent-trust-controller`;

interface Run {
  readonly exitStatus: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A rendered object, the fields that are looked at. */
interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
  readonly roleRef?: { readonly name: string };
  readonly spec?: {
    readonly template?: { readonly spec: { readonly containers: readonly { readonly args: string[] }[] } };
  };
}

async function helm(...args: readonly string[]): Promise<Run> {
  const { helm: program } = await ensureTools();
  const { promise, resolve } = Promise.withResolvers<Run>();
  const child = execFile(program, args, { maxBuffer: 16 * 1024 * 1024 }, (_error, stdout, stderr) => {
    resolve({ exitStatus: child.exitCode ?? -1, stdout, stderr });
  });
  return promise;
}

function sets(values: readonly string[]): readonly string[] {
  return values.map((value) => `--set=${value}`);
}

async function render(...values: readonly string[]): Promise<readonly Rendered[]> {
  const { exitStatus, stdout, stderr } = await helm(
    'template',
    'agent-trust',
    CHART,
    `--namespace=${OWN}`,
    ...sets(values),
  );
  expect(exitStatus, stderr).to.equal(0);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/** Names of the ClusterRoleBindings whose role may touch Secrets. */
function clusterWideSecretAccess(objects: readonly Rendered[]): readonly string[] {
  const roles = objects.filter(({ kind, rules = [] }) => {
    return (
      kind === 'ClusterRole' &&
      rules.some(({ resources }) => resources.some((name) => ['secrets', '*'].includes(name)))
    );
  });
  const names = roles.map(({ metadata }) => metadata.name);
  const bindings = objects.filter(
    ({ kind, roleRef }) => kind === 'ClusterRoleBinding' && names.includes(roleRef?.name ?? ''),
  );
  return bindings.map(({ metadata }) => metadata.name);
}

describe('the chart', function () {
  this.timeout(60_000);

  it('passes helm lint', async () => {
    for (const values of [[], [`namespaces={${AGENTS}}`], ['clusterWide=true']]) {
      const { exitStatus, stdout } = await helm('lint', '--strict', CHART, ...sets(values));
      expect(exitStatus, stdout).to.equal(0);
    }
  });

  describe('values', () => {
    const REFUSED = [
      ['namespaces=ai-agents', "at '/namespaces': got string, want array"],
      ['namespaces={A_b}', "'A_b' does not match pattern"],
      ['namespaces={a,a}', "at '/namespaces': items at 0 and 1 are equal"],
      [
        'namespaces={kube-system}',
        'namespaces: kube-system is a namespace of Kubernetes and holds no agents: take it out of the list',
      ],
      [
        `namespaces={${OWN}}`,
        `namespaces: ${OWN} is the operator's own namespace and holds no agents: take it out of the list`,
      ],
      [
        'clusterWide=true,namespaces={a}',
        'clusterWide and namespaces exclude each other: leave namespaces empty, or set clusterWide to false',
      ],
      ['clusterWide=yes', "at '/clusterWide': got string, want boolean"],
      ['namespace=a', "additional properties 'namespace' not allowed"],
      ['replicas=-1', "at '/replicas': minimum: got -1, want 0"],
      ['replicas=17', "at '/replicas': maximum: got 17, want 16"],
      ['replicas=two', "at '/replicas': got string, want integer"],
      ['trustDomain=Bad_', "at '/trustDomain': 'Bad_' does not match pattern"],
      ['clusterDomain=a..b', "at '/clusterDomain': 'a..b' does not match pattern"],
      ['logLevel=loud', "at '/logLevel': value must be one of 'debug', 'info', 'warn', 'error'"],
      ['workers=0', "at '/workers': minimum: got 0, want 1"],
      ['workers=65', "at '/workers': maximum: got 65, want 64"],
      ['image.repository=', "at '/image/repository': minLength: got 0, want 1"],
      ['image.digest=sha256:12', "at '/image/digest': 'sha256:12' does not match pattern"],
      [
        'image.pullPolicy=Sometimes',
        "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
      ],
      ['boundary.required=yes', "at '/boundary/required': got string, want boolean"],
      ['crds.wanted=true', "at '/crds': additional properties 'wanted' not allowed"],
      ['metrics.port=0', "at '/metrics/port': minimum: got 0, want 1"],
      ['leaderElection.leaseDuration=15', "at '/leaderElection/leaseDuration': got number, want string"],
    ] as const;
    for (const [value, message] of REFUSED) {
      it(`refuses ${value}`, async () => {
        const { exitStatus, stderr } = await helm(
          'template',
          'agent-trust',
          CHART,
          `--namespace=${OWN}`,
          `--set=${value}`,
        );
        expect(stderr).to.contain(message);
        expect(exitStatus).to.equal(1);
      });
    }

    const ACCEPTED = [
      [`namespaces={${AGENTS},${DATA}}`, { namespaces: [AGENTS, DATA] }],
      ['clusterWide=true', { namespaces: '*' }],
      ['trustDomain=example.org', { trustDomain: 'example.org', namespaces: [] }],
      ['workers=8', { workers: 8 }],
      ['leaderElection.leaseDuration=1m', { leaseDurationMs: 60_000 }],
      ['metrics.port=9090', { httpPort: 9090 }],
      ['logLevel=debug', { logLevel: 'debug' }],
      ['boundary.required=true', { boundaryRequired: true }],
    ] as const;
    for (const [value, wanted] of ACCEPTED) {
      it(`turns ${value} into flags that the controller takes`, async () => {
        const deployment = (await render(value)).find(({ kind }) => kind === 'Deployment');
        const parsed = parseConfig(deployment?.spec?.template?.spec.containers[0]?.args ?? []);
        expect(parsed.kind === 'config' && parsed.config).to.deep.include(wanted);
      });
    }
  });

  describe('rights', () => {
    it('on Secrets are never cluster-wide unless asked for', async () => {
      expect(clusterWideSecretAccess(await render())).to.deep.equal([]);
      expect(clusterWideSecretAccess(await render(`namespaces={${AGENTS}}`))).to.deep.equal([]);
      expect(clusterWideSecretAccess(await render('clusterWide=true'))).to.deep.equal([
        'agent-trust-all-namespaces',
      ]);
    });

    it('are spelled out: no rule has a wildcard, and nobody may escalate, bind or impersonate', async () => {
      const rules = (await render('clusterWide=true')).flatMap((object) => object.rules ?? []);
      const words = new Set(rules.flatMap(({ resources, verbs }) => [...resources, ...verbs]));
      for (const word of ['*', 'escalate', 'bind', 'impersonate']) expect([...words]).to.not.include(word);
    });
  });

  describe('on a cluster', () => {
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
        `${first}It serves every namespace, and may therefore read and write every Secret of this cluster, which is as good as\ncluster-admin: a Secret can hold a token of any ServiceAccount. To limit it:\n  helm upgrade agent-trust ... --set clusterWide=false --set 'namespaces={ai-agents}'${next}`,
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

    /** `what` is a resource, resource/name, or one of the subresources that are asked about. */
    async function canI(verb: string, what: string, namespace: string): Promise<string> {
      const [resource = '', rest] = what.split('/');
      const isSubresource = ['exec', 'token', 'status'].includes(rest ?? '');
      const subject = isSubresource ? [resource, `--subresource=${rest}`] : [what];
      const where = namespace === '' ? [] : [`--namespace=${namespace}`];
      return kubectl('auth', 'can-i', verb, ...subject, ...where, `--as=${ACCOUNT}`);
    }

    it('moves the rights with the list of namespaces when it is upgraded', async () => {
      const args = ['upgrade', 'agent-trust', CHART, '--set=replicas=0', `--set=namespaces={${DATA}}`];
      const { exitStatus, stderr } = await onCluster(...args);
      expect(exitStatus, stderr).to.equal(0);
      expect([await canI('get', 'secrets', AGENTS), await canI('get', 'secrets', DATA)]).to.deep.equal([
        'no',
        'yes',
      ]);
    });

    it('gives every Secret with clusterWide', async () => {
      const args = ['upgrade', 'agent-trust', CHART, '--set=replicas=0,clusterWide=true'];
      const { exitStatus, stderr } = await onCluster(...args);
      expect(exitStatus, stderr).to.equal(0);
      expect([
        await canI('get', 'secrets', 'default'),
        await canI('create', 'pods', 'default'),
      ]).to.deep.equal(['yes', 'no']);
    });

    it('leaves kind and identities when it is uninstalled, and takes them over when it comes back', async () => {
      const identity = {
        apiVersion: 'agenttrust.dev/v1alpha1',
        kind: 'AgentIdentity',
        metadata: { name: 'stays' },
        spec: {},
      };
      await controlPlane().kubectl(['create', `--namespace=${AGENTS}`, '--filename=-'], {
        stdin: JSON.stringify(identity),
      });
      expect((await onCluster('uninstall', 'agent-trust')).exitStatus).to.equal(0);
      expect(
        await kubectl(
          'get',
          'clusterroles,roles,rolebindings,deployments',
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
});
