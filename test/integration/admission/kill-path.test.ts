/**
 * With the webhook dead and failurePolicy Fail: whatever stops an agent works, nothing new gets in, and nobody is locked out
 * of the repair, at the first install neither.
 */

import { execFile } from 'node:child_process';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ensureTools } from '../../../hack/control-plane/tools.ts';
import { connectWebhook } from '../../../hack/operator/connect-webhook.ts';
import { installChart, OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { useAdmissionCluster } from '../../support/admission/admission-cluster.ts';
import type { Answer } from '../../support/admission/answer.ts';
import type { Caller } from '../../support/admission/api-server.ts';
import {
  apply,
  create,
  jsonPatch,
  type Manifest,
  mergePatch,
  type Request,
  read,
  remove,
  type Target,
  update,
} from '../../support/admission/request.ts';
import { eventually } from '../../support/eventually.ts';

const AGENTS = 'ai-agents';
const DOOMED = 'doomed';
const OUTSIDE = 'outside';
const PEOPLE = ['author', 'security', 'responder'] as const;
/** Without being asked, the webhook costs nothing; asked and hanging, its whole time-out of 5 s. */
const AT_ONCE_MS = 4_900;
const DONE: Answer = { warnings: [] };

const as = (who: (typeof PEOPLE)[number]): Caller => ({ user: who, groups: ['system:authenticated'] });
const agent = (name: string): Target => ({ kind: 'AgentIdentity', namespace: AGENTS, name });

function identity(name: string, spec: object = {}, namespace: string = AGENTS): Manifest {
  return { kind: 'AgentIdentity', metadata: { name, namespace }, spec };
}

function delegation(name: string, rule: object = {}): Manifest {
  const spec = { rules: [{ from: 'x', to: ['y'], capabilities: [{ name: 'z' }], ...rule }] };
  return { kind: 'DelegationPolicy', metadata: { name, namespace: AGENTS }, spec };
}

function pod(namespace: string, account: string, spec: object = {}): Manifest {
  const containers = [{ name: 'main', image: 'example.org/none' }];
  return {
    kind: 'Pod',
    metadata: { generateName: 'pod-', namespace },
    spec: { serviceAccountName: account, containers, ...spec },
  };
}

describe('without the webhook', () => {
  const cluster = useAdmissionCluster({ governed: [AGENTS, DOOMED], others: [OUTSIDE], isRunning: false });

  async function expectDone(request: Request, caller?: Caller): Promise<void> {
    const startedMs = performance.now();
    expect(await cluster().ask(request, caller)).to.deep.equal(DONE);
    expect(performance.now() - startedMs).to.be.below(AT_ONCE_MS);
  }

  async function expectUnanswered(request: Request, webhook: string, caller?: Caller): Promise<void> {
    const answer = await cluster().ask(request, caller);
    expect('by' in answer && answer.by).to.equal(`absent webhook ${webhook}.agenttrust.dev`);
  }

  describe('at the first install, when it never ran', () => {
    it('pods of the cluster, of the operator and of others are created', async () => {
      await expectDone(create(pod('kube-system', 'coredns')));
      await expectDone(create(pod(OPERATOR_NAMESPACE, 'agent-trust-webhook')));
      await expectDone(create(pod(OPERATOR_NAMESPACE, 'agent-trust-controller')));
      await expectDone(create(pod(OUTSIDE, 'worker')));
      await expectDone(create(pod(AGENTS, 'default')));
    });

    it('the rest of the cluster works', async () => {
      await expectDone(create({ kind: 'Namespace', metadata: { name: 'new' } }));
      await expectDone(create({ kind: 'Secret', metadata: { name: 'own', namespace: AGENTS } }));
      await expectDone(create({ kind: 'ConfigMap', metadata: { name: 'own', namespace: 'kube-system' } }));
      await expectDone(create({ kind: 'Node', metadata: { name: 'node-1' } }));
      await expectDone(create(identity('far', {}, OUTSIDE)));
    });

    it('nothing gets past it where agents live', async () => {
      await expectUnanswered(create(identity('early')), 'identities');
      await expectUnanswered(create(delegation('early')), 'policies');
      await expectUnanswered(create(pod(AGENTS, 'early')), 'pods');
    });

    it('a namespace is governed, or all are, by helm upgrade', async () => {
      const { kubeconfigPath } = cluster().controlPlane;
      await installChart({ kubeconfigPath, namespaces: '*', admission: 'all' });
      await eventually('the webhook to be asked in other namespaces too', async () => {
        await expectUnanswered(create(pod(OUTSIDE, 'worker')), 'pods');
        return true;
      });
      await expectDone(create(pod('kube-system', 'coredns')));
      await expectDone(create(pod(OPERATOR_NAMESPACE, 'agent-trust-webhook')));
      await expectDone(create(pod(OUTSIDE, 'default')));
      await expectDone(create(pod(OUTSIDE, 'network-of-nodes', { hostNetwork: true })));
      await installChart({ kubeconfigPath, namespaces: [AGENTS, DOOMED], admission: 'all' });
      await eventually('the webhook to be asked where agents live alone', async () => {
        await expectDone(create(pod(OUTSIDE, 'worker')));
        return true;
      });
    });
  });

  describe('when it is gone', () => {
    before(async () => {
      await cluster().startWebhook();
      await cluster().startController();
      for (const who of PEOPLE) await bind(who);
      const agents = ['merged', 'patched', 'applied', 'updated', 'deleted', 'labelled', 'narrowed', 'hung'];
      for (const name of agents) await make(identity(name));
      await make(identity('frozen', { suspended: true }));
      const held = identity('held');
      await make({ ...held, metadata: { ...held.metadata, finalizers: ['example.org/hold'] } });
      await make(identity('ends', {}, DOOMED));
      await make(identity('ends-suspended', { suspended: true }, DOOMED));
      await make(delegation('deleted'));
      for (const name of ['merged', 'ends']) await ready(name, 'Issued', name === 'ends' ? DOOMED : AGENTS);
      await cluster().stopWebhook();
    });

    async function make(manifest: Manifest): Promise<void> {
      const { name = '', namespace = '' } = manifest.metadata;
      await cluster().make({ kind: 'ServiceAccount', metadata: { name, namespace } });
      await cluster().make(manifest);
    }

    async function bind(who: string): Promise<void> {
      await cluster().make({
        kind: 'RoleBinding',
        metadata: { name: who, namespace: AGENTS },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `agent-trust-${who}` },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: who }],
      });
    }

    function ready(name: string, reason: string, namespace: string = AGENTS): Promise<boolean> {
      const path = `/apis/agenttrust.dev/v1alpha1/namespaces/${namespace}/agentidentities/${name}`;
      return eventually(`${name} to be ${reason}`, async () => {
        const { body } = await cluster().server.ask({ method: 'GET', path });
        const { status } = body as { status?: { conditions?: { type: string; reason: string }[] } };
        return status?.conditions?.some((each) => each.type === 'Ready' && each.reason === reason);
      });
    }

    it('responder and security quarantine an agent', async () => {
      const quarantine = (name: string): Manifest => ({
        kind: 'Quarantine',
        metadata: { name, namespace: AGENTS },
        spec: { agent: 'merged' },
      });
      await expectDone(create(quarantine('by-responder')), as('responder'));
      await expectDone(create(quarantine('by-security')), as('security'));
    });

    it('an author suspends an agent, in every way there is, and it takes effect', async () => {
      const suspended = { spec: { suspended: true } };
      await expectDone(mergePatch(agent('merged'), suspended), as('author'));
      await expectDone(
        jsonPatch(agent('patched'), { op: 'add', path: '/spec/suspended', value: true }),
        as('author'),
      );
      await expectDone(apply(identity('applied', { suspended: true })), as('author'));
      await expectDone(update(agent('updated'), suspended), as('author'));
      for (const name of ['merged', 'patched', 'applied', 'updated']) await ready(name, 'Quarantined');
    });

    it('an author deletes agents and policies', async () => {
      await expectDone(remove(agent('deleted')), as('author'));
      await expectDone(
        remove({ kind: 'DelegationPolicy', namespace: AGENTS, name: 'deleted' }),
        as('author'),
      );
    });

    it('metadata change, and the last finalizer of an agent that is being deleted goes', async () => {
      await expectDone(
        mergePatch(agent('labelled'), { metadata: { labels: { team: 'red' } } }),
        as('author'),
      );
      await expectDone(remove(agent('held')), as('author'));
      await expectDone(
        jsonPatch(agent('held'), { op: 'remove', path: '/metadata/finalizers' }),
        as('author'),
      );
      const gone = await cluster().ask(read(agent('held')));
      expect('status' in gone && gone.status).to.equal(404);
    });

    it('a namespace with agents, a suspended one among them, ends', async () => {
      await expectDone(remove({ kind: 'Namespace', name: DOOMED }));
      await eventually('the namespace to be gone', async () => {
        const answer = await cluster().ask(read({ kind: 'Namespace', name: DOOMED }));
        return 'status' in answer && answer.status === 404;
      });
    });

    it('nothing new gets in, and nothing that is stopped comes back', async () => {
      await expectUnanswered(create(identity('new')), 'identities');
      await expectUnanswered(
        mergePatch(agent('narrowed'), { spec: { capabilities: [{ name: 'x' }] } }),
        'identities',
      );
      await expectUnanswered(mergePatch(agent('frozen'), { spec: { suspended: false } }), 'identities');
      await expectUnanswered(create(delegation('new')), 'policies', as('author'));
      await expectUnanswered(
        create({ kind: 'CapabilityBoundary', metadata: { name: 'new' }, spec: { namespaceSelector: {} } }),
        'boundaries',
      );
      await expectUnanswered(create(pod(AGENTS, 'merged')), 'pods');
    });

    describe('and something in its place takes calls and never answers', () => {
      let silent: Server;
      before(async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        silent = createServer().listen(0, '127.0.0.1', resolve);
        await promise;
        await connectWebhook(cluster().controlPlane, (silent.address() as AddressInfo).port);
      });
      after(() => silent?.close());

      it('what stops an agent does not wait for it', async () => {
        await expectDone(mergePatch(agent('hung'), { spec: { suspended: true } }), as('author'));
        await expectDone(remove(agent('labelled')), as('author'));
      });

      it('everything else is refused when its time is over', async () => {
        await expectUnanswered(create(delegation('late')), 'policies', as('author'));
      });
    });
  });

  describe('when all is to go', () => {
    it('the repair is open: whoever runs the cluster can take the configuration away', async () => {
      const configuration = { kind: 'ValidatingWebhookConfiguration', name: 'agent-trust' };
      const answer = await cluster().ask(remove(configuration), undefined, { dryRun: true });
      expect(answer).to.deep.equal(DONE);
    });

    it('helm uninstall takes everything of it away, and the agents stay', async () => {
      const { helm } = await ensureTools();
      const { kubeconfigPath } = cluster().controlPlane;
      await promisify(execFile)(helm, [
        'uninstall',
        'agent-trust',
        `--namespace=${OPERATOR_NAMESPACE}`,
        `--kubeconfig=${kubeconfigPath}`,
      ]);
      await eventually('nobody to be asked any more', async () => {
        const answer = await cluster().ask(create(delegation('after')));
        return 'warnings' in answer;
      });
      expect(await cluster().ask(read(agent('narrowed')))).to.deep.equal(DONE);
    });
  });
});
