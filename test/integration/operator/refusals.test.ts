/** An identity that cannot be served says why, harms nothing, and heals by itself when it is mended. */

import { expect } from 'chai';
import { installChart } from '../../../hack/operator/install-chart.ts';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { AGENT_IDENTITY, BUNDLE_NAME } from '../../../src/api/group.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { CONFIG_MAP, SECRET, SERVICE_ACCOUNT } from '../../../src/kube/core-types.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type FrozenObject, freeze, thaw } from '../../support/frozen.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const OTHER = 'ai-data';
const OUTSIDE = 'elsewhere';
/** What somebody else's policy may do to the Secret of an agent. */
const FROZEN: FrozenObject = {
  resource: 'secrets',
  name: 'moved-tls',
  operations: ['UPDATE', 'DELETE'],
  unless: 'false',
};

describe('an identity that cannot be served', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, [AGENTS, OTHER]);
  let operator: RunningOperator;

  const start = (): Promise<RunningOperator> =>
    startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS},${OTHER}`] });

  before(async () => {
    await controlPlane().kubectl(['create', 'namespace', OUTSIDE]);
    operator = await start();
  });
  after(() => operator?.stop());

  function messageOf(identity: AgentIdentity): string {
    return identity.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
  }

  function typesOf(identity: AgentIdentity): readonly string[] {
    return (identity.status?.conditions ?? [])
      .filter(({ status }) => status === 'True')
      .map(({ type }) => type);
  }

  async function patchSpec(name: string, spec: object): Promise<void> {
    await swarm().client.mergePatch(AGENT_IDENTITY, { namespace: AGENTS, name, patch: { spec } });
  }

  it('waits for its ServiceAccount', async () => {
    await swarm().createIdentity('no-account');
    const refused = await swarm().ready('no-account', 'ServiceAccountMissing');
    expect(messageOf(refused)).to.equal(
      `ServiceAccount ${AGENTS}/no-account does not exist. Create it; the certificate follows by itself.`,
    );
    expect(typesOf(refused)).to.deep.equal(['Enforced', 'Reconciling']);
    await swarm().client.create(SERVICE_ACCOUNT, { metadata: { name: 'no-account', namespace: AGENTS } });
    expect(typesOf(await swarm().ready('no-account'))).to.deep.equal([
      'Ready',
      'CertificateReady',
      'SigningKeyReady',
      'Enforced',
    ]);
  });

  it('names the namespace that nobody governs', async () => {
    await swarm().createAgent('stranger', {}, OUTSIDE);
    const refused = await swarm().ready('stranger', 'NamespaceNotGoverned', { namespace: OUTSIDE });
    expect(messageOf(refused)).to.include(`Namespace ${OUTSIDE} is not in the chart's list`);
    expect(typesOf(refused)).to.deep.equal(['Stalled']);
    expect(await swarm().secret('stranger-tls', OUTSIDE)).to.equal(undefined);
  });

  it('never touches a Secret of somebody else, and says whose it is', async () => {
    const foreign: Secret = {
      metadata: {
        name: 'conflict-tls',
        namespace: AGENTS,
        annotations: { 'cert-manager.io/certificate-name': 'conflict' },
      },
      type: 'Opaque',
      data: { password: Buffer.from('x').toString('base64') },
    };
    const before = await swarm().client.create(SECRET, foreign);
    await swarm().createAgent('conflict');
    const refused = await swarm().ready('conflict', 'SecretConflict');
    expect(messageOf(refused)).to.equal(
      `Secret ${AGENTS}/conflict-tls exists and belongs to Certificate/conflict (cert-manager). Set spec.certificate.secretName to another name, or delete what owns it.`,
    );
    expect((await swarm().secret('conflict-tls'))?.metadata.resourceVersion).to.equal(
      before.metadata.resourceVersion,
    );
    await controlPlane().kubectl(['delete', 'secret', 'conflict-tls', '-n', AGENTS]);
    await swarm().ready('conflict');
  });

  it('heals a conflict by another name for the Secret', async () => {
    await swarm().client.create<Secret>(SECRET, {
      metadata: { name: 'renamed-tls', namespace: AGENTS },
      data: {},
    });
    await swarm().createAgent('renamed');
    await swarm().ready('renamed', 'SecretConflict');
    await patchSpec('renamed', { certificate: { secretName: 'renamed-other' } });
    await swarm().ready('renamed');
    expect((await swarm().secret('renamed-other'))?.type).to.equal('kubernetes.io/tls');
    expect((await swarm().secret('renamed-tls'))?.type).to.equal('Opaque');
  });

  it('lets the older of two identities on one ServiceAccount live', async () => {
    await swarm().createAgent('first', { serviceAccountName: 'shared' });
    await swarm().ready('first');
    await secondAfter('first');
    await swarm().createIdentity('second', { serviceAccountName: 'shared' });
    const refused = await swarm().ready('second', 'ServiceAccountTaken');
    expect(messageOf(refused)).to.include('the older AgentIdentity first');
    expect(await swarm().secret('second-tls')).to.equal(undefined);
    await controlPlane().kubectl(['delete', 'aid', 'first', '-n', AGENTS]);
    await swarm().ready('second');
    await eventually(
      'the Secret of the first to be wiped',
      async () => (await swarm().secret('first-tls')) === undefined,
    );
  });

  /** Creation times have whole seconds, and within one the UID decides: whoever is to be younger waits for the next. */
  async function secondAfter(name: string): Promise<void> {
    const { metadata } = await swarm().identity(name);
    await eventually('the next second', () => Date.now() > Date.parse(metadata.creationTimestamp) + 1_000);
  }

  it('leaves the Secret of the older one alone, whatever the spec of the younger one says', async () => {
    await swarm().createAgent('elder', { serviceAccountName: 'one-account' });
    await swarm().ready('elder');
    await secondAfter('elder');
    const before = await swarm().secret('elder-tls');
    const certificate = { secretName: 'elder-tls', secretTemplate: { labels: { 'a b': 'x' } } };
    await swarm().createIdentity('younger', { serviceAccountName: 'one-account', certificate });
    await swarm().ready('younger', 'InvalidSpec');
    expect(await swarm().secret('elder-tls')).to.deep.equal(before);
    await patchSpec('younger', { suspended: true });
    await swarm().ready('younger', 'Quarantined');
    expect(await swarm().secret('elder-tls')).to.deep.equal(before);
    await swarm().ready('elder');
  });

  it('gets its certificate under another name although that of the former name cannot be written', async () => {
    await swarm().createAgent('moved');
    await swarm().ready('moved');
    await operator.stop();
    const spoil = (text: string): Promise<{ readonly exitStatus: number }> => {
      const patch = JSON.stringify({ data: { 'ca.crt': Buffer.from(text).toString('base64') } });
      return controlPlane().kubectl(
        ['patch', 'secret', 'moved-tls', '-n', AGENTS, '--type=merge', '-p', patch],
        { mayFail: true },
      );
    };
    expect((await spoil('x')).exitStatus).to.equal(0);
    await freeze(controlPlane(), FROZEN);
    await eventually('the policy to hold', async () => (await spoil('y')).exitStatus !== 0);
    await patchSpec('moved', { certificate: { secretName: 'moved-other' } });
    operator = await start();
    expect(messageOf(await swarm().ready('moved', 'IssueFailed'))).to.include('moved-tls');
    expect((await swarm().secret('moved-other'))?.data).to.include.keys('tls.crt');
    await thaw(controlPlane());
    // Each try is further from the one before.
    await swarm().ready('moved');
    expect(await swarm().secret('moved-tls')).to.equal(undefined);
  });

  it('names a field that nothing serves', async () => {
    await swarm().createAgent('unserved', { quarantine: { afterRefusals: 3 } });
    const refused = await swarm().ready('unserved', 'NotServed');
    expect(messageOf(refused)).to.include('spec.quarantine');
    await patchSpec('unserved', { quarantine: null });
    await swarm().ready('unserved');
  });

  it('wipes the Secret of a suspended agent, and issues anew when it is lifted', async () => {
    await swarm().createAgent('suspended');
    const before = (await swarm().ready('suspended')).status?.certificate?.serialNumber;
    await patchSpec('suspended', { suspended: true });
    const refused = await swarm().ready('suspended', 'Quarantined');
    expect(typesOf(refused)).to.deep.equal(['Quarantined', 'Enforced']);
    expect(await swarm().secret('suspended-tls')).to.equal(undefined);
    await patchSpec('suspended', { suspended: false });
    const lifted = await swarm().ready('suspended');
    expect(lifted.status?.certificate?.serialNumber).to.be.a('string').and.not.equal(before);
  });

  it('says which role is missing in a namespace of the list', async () => {
    await swarm().createAgent('before', {}, OTHER);
    await swarm().ready('before', 'Issued', { namespace: OTHER });
    await controlPlane().kubectl(['delete', 'rolebinding', 'agent-trust-controller', '-n', OTHER]);
    await swarm().createAgent('after', {}, OTHER);
    const refused = await swarm().ready('after', 'NamespaceRoleMissing', { namespace: OTHER });
    expect(messageOf(refused)).to.include('the RoleBinding agent-trust-controller is missing there');
    await installChart({ kubeconfigPath: controlPlane().kubeconfigPath, namespaces: [AGENTS, OTHER] });
    await swarm().ready('after', 'Issued', { namespace: OTHER });
  });

  it('takes everything away with the last agent of a namespace', async () => {
    await controlPlane().kubectl(['delete', 'aid', '--all', '-n', AGENTS]);
    await eventually('no Secret of ours and no bundle', async () => {
      const { items } = await swarm().client.list(SECRET, {
        namespace: AGENTS,
        labelSelector: 'agenttrust.dev/managed',
      });
      const bundle = await swarm().client.find(CONFIG_MAP, { namespace: AGENTS, name: BUNDLE_NAME });
      return items.length === 0 && bundle === undefined;
    });
  });

  it('does not let a new identity of the same name inherit a key', async () => {
    await swarm().createIdentity('first', { serviceAccountName: 'shared' });
    const first = (await swarm().ready('first')).status?.certificate?.serialNumber;
    const { status } = await swarm().ready('first');
    expect(status?.certificate?.serialNumber).to.equal(first);
    await controlPlane().kubectl(['delete', 'aid', 'first', '-n', AGENTS]);
    await swarm().createIdentity('first', { serviceAccountName: 'shared' });
    const again = await swarm().ready('first');
    expect(again.status?.certificate?.serialNumber).to.be.a('string').and.not.equal(first);
    const owner = (await swarm().secret('first-tls'))?.metadata.ownerReferences?.map(({ uid }) => uid);
    expect(owner).to.deep.equal([again.metadata.uid]);
  });
});
