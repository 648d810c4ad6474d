/** What the chart renders: processes, rights, and what of admission. */

import { expect } from 'chai';
import { parseIssuers } from '../../src/cmd/issuers-flag.ts';
import {
  AGENTS,
  CHART,
  DATA,
  helm,
  OWN,
  podOf,
  type Rendered,
  render,
  sets,
  type Webhook,
} from '../support/chart.ts';
import { root } from '../support/issuance/bad-answers.ts';

const PATHS: Readonly<Record<string, string>> = {
  policies: '/review/delegationpolicies',
  identities: '/review/agentidentities',
  boundaries: '/review/capabilityboundaries',
  pods: '/review/pods',
};

/** Issuers as `--set` takes them. */
function setsOf(issuers: readonly Readonly<Record<string, string | boolean>>[]): readonly string[] {
  return issuers.flatMap((issuer, at) =>
    Object.entries(issuer).map(([name, value]) => `certManager.issuers[${at}].${name}=${value}`),
  );
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

describe('the chart', () => {
  it('passes helm lint', async () => {
    for (const values of [
      [],
      [`namespaces={${AGENTS}}`],
      ['clusterWide=true'],
      ['certManager.issuers[0].name=ca'],
      ['alerts.enabled=true'],
    ]) {
      const { exitStatus, stdout } = await helm('lint', '--strict', CHART, ...sets(values));
      expect(exitStatus, stdout).to.equal(0);
    }
  });

  describe('processes', () => {
    it('are confined alike', async () => {
      const pods = [await podOf('agent-trust-controller'), await podOf('agent-trust-webhook')];
      const [controller, webhook] = pods.map(
        ({
          containers: [container],
          terminationGracePeriodSeconds: _,
          topologySpreadConstraints: __,
          ...pod
        }) => {
          const {
            name,
            args: ___,
            ports: ____,
            resources: _____,
            command,
            ...confined
          } = container ?? { command: [] };
          expect(pod.serviceAccountName).to.equal(`agent-trust-${name}`);
          expect(command.at(-1)).to.equal(`src/cmd/${name}.ts`);
          return { ...pod, serviceAccountName: '', command: command.slice(0, -1), confined };
        },
      );
      expect(webhook).to.deep.equal(controller);
      expect(webhook).to.have.nested.property('automountServiceAccountToken', false);
      expect(webhook).to.have.nested.property('confined.securityContext.readOnlyRootFilesystem', true);
    });

    it('of the webhook leave nothing behind when it is off', async () => {
      const objects = await render('webhook.enabled=false', `namespaces={${AGENTS}}`);
      const names = objects.map(({ metadata }) => metadata.name);
      expect(names.filter((name) => name === 'agent-trust-webhook')).to.deep.equal([]);
      expect(objects.flatMap(({ webhooks = [] }) => webhooks)).to.deep.equal([]);
    });
  });

  it('hands the issuers on to the controller, with their CAs', async () => {
    const issuers = [
      { name: 'agents-ca', ca: root.pem },
      { name: 'local', kind: 'Issuer', former: true },
    ];
    const flags = async (...values: readonly string[]): Promise<readonly string[]> => {
      const { containers } = await podOf('agent-trust-controller', ...values);
      return (containers[0]?.args ?? []).filter((flag) => flag.startsWith('--issuers='));
    };
    expect(await flags()).to.deep.equal([]);
    const [flag = ''] = await flags(...setsOf(issuers));
    expect(JSON.parse(flag.replace('--issuers=', ''))).to.deep.equal(issuers);
    const parsed = parseIssuers(flag.replace('--issuers=', '')) ?? [];
    expect(parsed.map(({ certificates, isFormer }) => [certificates.length, isFormer])).to.deep.equal([
      [1, false],
      [0, true],
    ]);
  });

  describe('admission', () => {
    const NAME = 'kubernetes.io/metadata.name';

    /** What the configurations say, by name of the webhook. */
    async function webhooks(...values: readonly string[]): Promise<ReadonlyMap<string, Webhook>> {
      const all = (await render(...values)).flatMap((object) => object.webhooks ?? []);
      return new Map(all.map((webhook) => [webhook.name, webhook]));
    }

    const SELECTIONS = [
      ['of no namespace', [], { key: NAME, operator: 'DoesNotExist' }],
      [
        'of a list',
        [`namespaces={${AGENTS},${DATA}}`],
        { key: NAME, operator: 'In', values: [AGENTS, DATA] },
      ],
      [
        'of all',
        ['clusterWide=true', 'mesh.rootNamespace=mesh'],
        {
          key: NAME,
          operator: 'NotIn',
          values: ['kube-system', 'kube-public', 'kube-node-lease', OWN, 'mesh'],
        },
      ],
    ] as const;
    for (const [title, values, expression] of SELECTIONS) {
      it(`selects the namespaces ${title}`, async () => {
        const asked = await webhooks(...values);
        for (const name of ['policies', 'identities', 'pods']) {
          expect(asked.get(`${name}.agenttrust.dev`)?.namespaceSelector).to.deep.equal({
            matchExpressions: [expression],
          });
        }
        expect(asked.get('boundaries.agenttrust.dev')).to.not.have.property('namespaceSelector');
        const bindings = (await render(...values)).filter(
          ({ metadata }) => metadata.name === 'agent-trust-pod-label',
        );
        expect(bindings.map(({ spec }) => spec?.matchResources?.namespaceSelector)).to.deep.equal([
          undefined,
          { matchExpressions: [expression] },
        ]);
      });
    }

    it('asks the webhook in time, or refuses, and about no kill', async () => {
      const asked = await webhooks(`namespaces={${AGENTS}}`);
      const conditions: Record<string, readonly string[]> = {};
      for (const [name, { clientConfig, matchConditions, ...webhook }] of asked) {
        const [plural = ''] = name.split('.');
        expect(webhook).to.include({
          failurePolicy: 'Fail',
          timeoutSeconds: 5,
          matchPolicy: 'Equivalent',
          sideEffects: 'None',
        });
        conditions[plural] = matchConditions.map((condition) => condition.name);
        expect(clientConfig).to.deep.equal({
          service: { name: 'agent-trust-webhook', namespace: OWN, port: 443, path: PATHS[plural] },
        });
      }
      expect(conditions).to.deep.equal({
        policies: ['spec-changes'],
        identities: ['spec-changes', 'no-kill'],
        boundaries: ['spec-changes'],
        pods: ['account-of-its-own'],
      });
    });

    it('leaves what brings a cluster up alone when it governs all of it', async () => {
      const pods = (await webhooks('clusterWide=true')).get('pods.agenttrust.dev');
      expect(pods?.matchConditions.map(({ name }) => name)).to.deep.equal([
        'account-of-its-own',
        'not-of-the-cluster-itself',
      ]);
    });

    it('comes without policies when they are off, and without that of issuers when none is listed', async () => {
      const policies = async (...values: readonly string[]): Promise<readonly string[]> =>
        (await render(...values))
          .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
          .map(({ metadata }) => metadata.name);
      expect(await policies('admissionPolicies.enabled=false')).to.deep.equal([]);
      expect(await policies())
        .to.include('agent-trust-grant-1')
        .and.not.include('agent-trust-issuers');
      expect(await policies('certManager.issuers[0].name=ca')).to.include('agent-trust-issuers');
    });

    it('fences former issuers as well', async () => {
      const rendered = await render('certManager.issuers[0].name=gone', 'certManager.issuers[0].former=true');
      const policy = rendered.find(
        ({ kind, metadata }) =>
          kind === 'ValidatingAdmissionPolicy' && metadata.name === 'agent-trust-issuers',
      );
      expect(JSON.stringify(policy)).to.include("object.spec.issuerRef.name != 'gone'");
    });
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

    it('on CertificateRequests and on the fence come with the first issuer, in the namespace of the operator', async () => {
      const granted = async (...values: readonly string[]): Promise<readonly string[]> =>
        (await render(...values))
          .filter(({ rules = [] }) =>
            rules.some(({ resources }) => resources.includes('certificaterequests')),
          )
          .map(({ kind, metadata: { name, namespace } }) => `${kind} ${namespace}/${name}`);
      expect(await granted()).to.deep.equal([]);
      expect(await granted('certManager.issuers[0].name=ca')).to.deep.equal([
        `Role ${OWN}/agent-trust-controller-issuers`,
      ]);
    });

    it('on the Secret of an authority that is given are to read it, and come with its name', async () => {
      const granted = async (name: string, ...values: readonly string[]): Promise<readonly string[]> =>
        (await render(...values))
          .flatMap(({ rules = [] }) => rules)
          .filter(({ resourceNames = [] }) => resourceNames.includes(name))
          .map(({ resources, verbs }) => `${resources}: ${verbs}`);
      expect(await granted('corporate-ca')).to.deep.equal([]);
      // YAML takes the second for a number.
      for (const name of ['corporate-ca', '1e3'])
        expect(await granted(name, `authority.secretName=${name}`)).to.deep.equal([
          'secrets: get,list,watch',
        ]);
    });

    it('of people come in four roles, of which only the viewer joins a built-in one, and none writes status', async () => {
      const processes = ['agent-trust-controller', 'agent-trust-webhook', 'agent-trust-governed-namespace'];
      const roles = (await render()).filter(
        ({ kind, metadata }) => kind === 'ClusterRole' && !processes.includes(metadata.name),
      );
      const joined = roles.map(({ metadata: { name, labels = {} } }) => [
        name.replace('agent-trust-', ''),
        Object.keys(labels).filter((key) => key.startsWith('rbac.')),
      ]);
      expect(Object.fromEntries(joined)).to.deep.equal({
        viewer: ['rbac.authorization.k8s.io/aggregate-to-view'],
        author: [],
        responder: [],
        security: [],
      });
      const rules = roles.flatMap((role) => role.rules ?? []);
      expect(rules.flatMap(({ resources }) => resources).filter((name) => name.includes('/'))).to.deep.equal(
        [],
      );
      expect([...new Set(rules.flatMap(({ apiGroups }) => apiGroups))]).to.deep.equal(['agenttrust.dev']);
    });
  });
});
