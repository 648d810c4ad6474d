/** The operator behind the admission policies of its chart: they stop nothing of its work, and nothing of its end. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ensureTools } from '../../../hack/control-plane/tools.ts';
import { installChart, OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { AGENT_IDENTITY, BUNDLE_NAME } from '../../../src/api/group.ts';
import type { PolicyObject } from '../../../src/controllers/mesh/digest.ts';
import { NETWORK_POLICY } from '../../../src/controllers/mesh/kinds.ts';
import type { MeshRole } from '../../../src/domain/mesh/model.ts';
import { meshObjectName } from '../../../src/domain/mesh/names.ts';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { applyIstioCrds } from '../../support/mesh/istio-crds.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const WALL: readonly MeshRole[] = ['allow', 'fence', 'mtls', 'net'];
const POLICY_COUNT = 30;

interface PolicyList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly generation: number };
    readonly status?: {
      readonly observedGeneration?: number;
      readonly typeChecking?: { readonly expressionWarnings?: readonly unknown[] };
    };
  }[];
}

describe('the operator behind the admission policies', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const swarm = useSwarm(controlPlane);
  let cluster: MeshCluster;
  let operator: RunningOperator | undefined;

  const kubectl = async (...args: readonly string[]): Promise<string> =>
    (await controlPlane().kubectl(args)).stdout;

  before(async () => {
    await applyIstioCrds(controlPlane());
    cluster = new MeshCluster(swarm());
    await cluster.label({ 'istio-injection': 'enabled' });
    // Every kind that they are about is served by now, so that every type is known when they are checked.
    await installChart({
      kubeconfigPath: controlPlane().kubeconfigPath,
      namespaces: [AGENTS],
      admission: 'policies',
      set: ['certManager.issuers[0].name=agents-ca'],
    });
    await eventually('the policies to be in force', async () => {
      const object: PolicyObject = {
        metadata: { namespace: AGENTS, name: 'probe', labels: { 'agenttrust.dev/managed': 'true' } },
        spec: { podSelector: {} },
      };
      try {
        await swarm().client.create<PolicyObject>(NETWORK_POLICY, object);
        await swarm().client.delete(NETWORK_POLICY, object.metadata);
        return false;
      } catch (error) {
        return isKubeError(error, 'KUBE_FORBIDDEN');
      }
    });
  });
  after(() => operator?.stop());

  it('finds no fault with the types in any expression of theirs', async () => {
    const checked = await eventually('the policies to be checked', async () => {
      const { items } = JSON.parse(
        await kubectl('get', 'validatingadmissionpolicies', '--output=json'),
      ) as PolicyList;
      return (
        items.every(({ metadata, status }) => status?.observedGeneration === metadata.generation) && items
      );
    });
    const warnings = checked.flatMap(({ metadata, status }) =>
      (status?.typeChecking?.expressionWarnings ?? []).map((warning) => [metadata.name, warning]),
    );
    expect(warnings).to.deep.equal([]);
    expect(checked).to.have.length(POLICY_COUNT);
  });

  it('makes certificates, bundle and walls', async () => {
    const squatted = meshObjectName('net', { namespace: AGENTS, name: 'agent-writer' });
    const open = { podSelector: {}, ingress: [{}] };
    await swarm().client.create<PolicyObject>(NETWORK_POLICY, {
      metadata: { namespace: AGENTS, name: squatted },
      spec: open,
    });
    await cluster.apply('examples/swarm/agents.yaml');
    await cluster.apply('examples/swarm/policy.yaml');
    operator = await startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });
    for (const agent of [
      'agent-coordinator',
      'agent-deployer',
      'agent-validator',
      'agent-writer',
      'agent-analyst',
    ]) {
      await swarm().ready(agent);
      await cluster.objectsOf(agent, WALL);
    }
    await eventually(
      'the bundle',
      async () =>
        (await swarm().client.find(CONFIG_MAP, { namespace: AGENTS, name: BUNDLE_NAME })) !== undefined,
    );
    await cluster.event('agent-writer', 'PolicySquatted');
  });

  it('issues anew, moves to another Secret, kills and restores', async () => {
    const patch = (change: object) =>
      swarm().client.mergePatch(AGENT_IDENTITY, {
        namespace: AGENTS,
        name: 'agent-writer',
        patch: { ...change },
      });
    const serial = async () => (await swarm().identity('agent-writer')).status?.certificate?.serialNumber;
    const before = await serial();
    await patch({ spec: { certificate: { privateKey: { size: 384 } } } });
    await eventually('another certificate', async () => (await serial()) !== before);
    await patch({ spec: { certificate: { secretName: 'moved' } } });
    await eventually('the Secret to move', async () => {
      const [old, moved] = [await swarm().secret('agent-writer-tls'), await swarm().secret('moved')];
      return old === undefined && moved !== undefined;
    });
    await patch({ spec: { suspended: true } });
    await swarm().ready('agent-writer', 'Quarantined');
    await eventually('the Secret to go', async () => (await swarm().secret('moved')) === undefined);
    await patch({ spec: { suspended: false } });
    await swarm().ready('agent-writer');
    await patch({ spec: { enforcement: 'DryRun' } });
    await cluster.objectsOf('agent-writer', ['dryallow', 'dryfence', 'mtls']);
  });

  it('keeps a tombstone while a pod runs, and takes it away after the last', async () => {
    await cluster.createPod('last', 'agent-analyst-sa');
    await swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name: 'agent-analyst' });
    await cluster.objectsOf('agent-analyst', WALL, (objects) =>
      Object.values(objects).every(
        ({ metadata }) => metadata.labels?.['agenttrust.dev/tombstone'] === 'true',
      ),
    );
    await eventually(
      'the Secret to go',
      async () => (await swarm().secret('agent-analyst-tls')) === undefined,
    );
    await cluster.deletePod('last');
    await cluster.objectsOf('agent-analyst', []);
  });

  it('is stopped by none of its fences on the way', async () => {
    const checks = (await kubectl('get', '--raw', '/metrics'))
      .split('\n')
      .filter((line) => line.startsWith('apiserver_validating_admission_policy_check_total{'));
    const ofFences = checks.filter((line) => line.includes('policy="agent-trust-fence'));
    expect(ofFences.filter((line) => line.includes('enforcement_action="deny"'))).to.deep.equal([]);
    expect(checks.filter((line) => /error_type="(compile_error|out_of_budget)"/.test(line))).to.deep.equal(
      [],
    );
    // They are counted there: the probe before the tests was refused.
    expect(checks.join('\n')).to.include('policy="agent-trust-managed-networkpolicies"');
  });

  it('has Secrets go with their AgentIdentity while it is down', async () => {
    await operator?.stop();
    operator = undefined;
    await swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name: 'agent-validator' });
    await eventually(
      'the Secret to go',
      async () => (await swarm().secret('agent-validator-tls')) === undefined,
    );
  });

  it('can be uninstalled, and namespaces with agents can go', async () => {
    await swarm().client.mergePatch(AGENT_IDENTITY, {
      namespace: AGENTS,
      name: 'agent-deployer',
      patch: { spec: { suspended: true } },
    });
    await kubectl('delete', 'namespace', AGENTS, '--timeout=50s');
    const { helm } = await ensureTools();
    const { kubeconfigPath } = controlPlane();
    await promisify(execFile)(helm, [
      'uninstall',
      'agent-trust',
      `--namespace=${OPERATOR_NAMESPACE}`,
      `--kubeconfig=${kubeconfigPath}`,
    ]);
    const left = 'validatingadmissionpolicies,validatingadmissionpolicybindings,deployments,clusterroles';
    expect(
      await kubectl(
        'get',
        left,
        '--all-namespaces',
        '--output=name',
        '--selector=app.kubernetes.io/name=agent-trust',
      ),
    ).to.equal('');
    await kubectl('delete', 'namespace', OPERATOR_NAMESPACE, '--timeout=50s');
  });
});
