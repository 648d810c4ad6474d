/** Every namespace with agents has a bundle, signed, of what can reach it and nothing else, and soon as things are. */

import { expect } from 'chai';
import { AGENT_IDENTITY, BUNDLE_NAME, DELEGATION_POLICY, TOKEN_REVOCATION } from '../../../src/api/group.ts';
import type { TokenRevocation } from '../../../src/api/token-revocation.ts';
import { type ConfigMap, digestsOf } from '../../../src/controllers/bundle/bundle-record.ts';
import { POD } from '../../../src/controllers/mesh/kinds.ts';
import type { Pod } from '../../../src/controllers/mesh/pod-record.ts';
import { type BundleClaims, readBundleSignature } from '../../../src/crypto/jose/bundle-signature.ts';
import { readIssuers } from '../../../src/crypto/jose/verifying-key.ts';
import { readPolicyFile } from '../../../src/domain/token/state/policy-file.ts';
import { readRevocationsFile } from '../../../src/domain/token/state/revocations-file.ts';
import { CONFIG_MAP, EVENT } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { GET } from '../../support/policies.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const [DATA, OTHER] = ['ai-data', 'ai-other'];
const NAMESPACES = [AGENTS, DATA, OTHER];
const FLAGS = [`--namespaces=${NAMESPACES.join(',')}`];
const agentId = (namespace: string, name: string): string =>
  `spiffe://cluster.local/ns/${namespace}/sa/${name}`;
const A = agentId(AGENTS, 'coordinator');
const B = agentId(AGENTS, 'deployer');
const C = agentId(DATA, 'analyst');
const D = agentId(OTHER, 'hermit');
const SPEC = { capabilities: [GET] };

/** A bundle that its own signature holds together. */
interface Bundle {
  readonly claims: BundleClaims;
  readonly data: Readonly<Record<string, string>>;
  readonly resourceVersion: string | undefined;
  readonly edges: readonly string[];
  readonly agents: readonly string[];
  readonly issuers: readonly string[];
  readonly revocations: ReturnType<typeof readRevocationsFile>;
}

describe('the bundle of a namespace', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, NAMESPACES);
  let operator: RunningOperator;

  const start = (): Promise<RunningOperator> => startOperator({ controlPlane: controlPlane(), flags: FLAGS });

  async function configMap(namespace: string): Promise<ConfigMap | undefined> {
    return swarm().client.find<ConfigMap>(CONFIG_MAP, { namespace, name: BUNDLE_NAME });
  }

  /** @throws when any part of it is not as a verifier needs it. */
  async function bundleOf(namespace: string): Promise<Bundle> {
    const { data = {}, metadata } = (await configMap(namespace)) ?? {};
    const { 'bundle.jws': jws = '', ...files } = data;
    const secret = await swarm().secret('coordinator-tls');
    const rootsPem = Buffer.from(secret?.data?.['ca.crt'] ?? '', 'base64').toString();
    const claims = readBundleSignature(jws, {
      rootsPem,
      trustDomain: 'cluster.local',
      nowMs: Date.now(),
    });
    if (claims === undefined) throw new Error('the signature was not read');
    expect(claims.aud).to.equal(namespace);
    expect(claims.exp - claims.iat).to.equal(1800);
    expect(claims.files).to.deep.equal(digestsOf(files));
    const policy = readPolicyFile(files['policy.json'] ?? '');
    const issuers = readIssuers(files['jwks.json'] ?? '');
    if (policy === undefined || issuers === undefined) throw new Error('a file was not read');
    return {
      claims,
      data: files,
      resourceVersion: metadata?.resourceVersion,
      edges: policy.edges.map(({ from, to }) => `${from} ${to}`),
      agents: [...policy.agents.keys()],
      issuers: [...issuers.keys()],
      revocations: readRevocationsFile(files['revocations.json'] ?? ''),
    };
  }

  /** Waits for a bundle that is as `check` says. */
  function bundleWith(namespace: string, what: string, check: (bundle: Bundle) => boolean): Promise<Bundle> {
    return eventually(`the bundle of ${namespace} with ${what}`, async () => {
      const bundle = await bundleOf(namespace);
      return check(bundle) && bundle;
    });
  }

  async function versions(): Promise<readonly (string | undefined)[]> {
    return Promise.all(NAMESPACES.map(async (each) => (await configMap(each))?.metadata.resourceVersion));
  }

  /** A pod of the deployer; the test stands for its kubelet. */
  async function createPod(name: string): Promise<void> {
    const containers = [{ name: 'agent', image: 'example.org/none' }];
    const pod: Pod = {
      metadata: { name, namespace: AGENTS },
      spec: { serviceAccountName: 'deployer', containers },
    };
    await swarm().client.create<Pod>(POD, pod);
  }

  async function markReady(name: string, isReady: boolean): Promise<void> {
    const status = {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    };
    const { metadata } = await swarm().client.get<Pod>(POD, { name, namespace: AGENTS });
    const uid = metadata.uid ?? '';
    await swarm().client.applyStatus(POD, { metadata: { name, namespace: AGENTS, uid }, status });
  }

  before(async () => {
    await swarm().createAgent('coordinator', SPEC);
    await swarm().createAgent('deployer', SPEC);
    await swarm().createAgent('analyst', { ...SPEC, acceptFrom: [{ namespace: AGENTS }] }, DATA);
    await swarm().createAgent('hermit', SPEC, OTHER);
    operator = await start();
    await swarm().ready('coordinator');
    await swarm().ready('deployer');
    await swarm().ready('analyst', 'Issued', { namespace: DATA });
    await swarm().ready('hermit', 'Issued', { namespace: OTHER });
  });
  after(() => operator?.stop());

  it('appears with all files, and holds what is there', async () => {
    const bundle = await bundleWith(AGENTS, 'both keys', ({ issuers }) => issuers.length === 2);
    expect(Object.keys(bundle.data).sort()).to.deep.equal([
      'ca.crl',
      'ca.crt',
      'jwks.json',
      'policy.json',
      'revocations.json',
    ]);
    expect(bundle.agents).to.deep.equal([A, B]);
    expect(bundle.issuers).to.deep.equal([A, B]);
    expect(bundle.edges).to.deep.equal([]);
    expect(bundle.revocations).to.deep.equal({
      version: 1,
      suspended: [],
      notBefore: new Map(),
      revocations: [],
    });
    expect(readPolicyFile(bundle.data['policy.json'] ?? '')?.agents.get(B)).to.deep.equal({
      name: `${AGENTS}/deployer`,
      originate: true,
      server: {
        port: 8443,
        hosts: [
          'deployer',
          'deployer.ai-agents',
          'deployer.ai-agents.svc',
          'deployer.ai-agents.svc.cluster.local',
        ],
        verifier: 'SDK',
        replay: 'Memory',
        enforcement: 'Enforce',
        routes: [{ method: 'POST', path: '/v1/delegate', accepts: 'Capability' }],
      },
    });
    await bundleWith(OTHER, 'its own key', ({ issuers }) => issuers.join() === D);
  });

  it('changes with a policy in the namespaces concerned, and in no other', async () => {
    const [, , before] = await versions();
    const rule = { from: 'coordinator', to: ['deployer'], capabilities: [GET] };
    const onward = { from: 'deployer', to: [`${DATA}/analyst`], capabilities: [GET] };
    const policy: KubeObject & { spec: object } = {
      metadata: { name: 'swarm', namespace: AGENTS },
      spec: { rules: [rule, onward] },
    };
    await swarm().client.create(DELEGATION_POLICY, policy);
    const data = await bundleWith(DATA, 'the path', ({ issuers }) => issuers.length === 3);
    expect(data.edges).to.deep.equal([`${A} ${B}`, `${B} ${C}`]);
    expect(data.issuers).to.deep.equal([A, B, C]);
    const agents = await bundleWith(AGENTS, 'both edges', ({ edges }) => edges.length === 2);
    expect(agents.issuers, 'nobody of another namespace can call here').to.deep.equal([A, B]);
    expect(agents.agents).to.deep.equal([A, B, C]);
    const { agents: said } = readPolicyFile(agents.data['policy.json'] ?? '') ?? {};
    expect([A, B, C].map((id) => said?.get(id)?.originate)).to.deep.equal([true, false, false]);
    expect((await versions())[2]).to.equal(before);
  });

  it('says every setting of tokens by which verifiers go', async () => {
    const tokens = { maxTTL: '30s', maxUses: 2, maxChildren: 3, binding: 'Key', originate: 'Never' } as const;
    await swarm().createAgent('limited', { ...SPEC, tokens, server: { replay: 'Shared' } });
    const rule = {
      from: 'coordinator',
      to: ['limited'],
      capabilities: [GET],
      tokens: { maxTTL: '5m', maxUses: 5 },
    };
    const policy: KubeObject & { spec: object } = {
      metadata: { name: 'limits', namespace: AGENTS },
      spec: { rules: [rule] },
    };
    await swarm().client.create(DELEGATION_POLICY, policy);
    await swarm().ready('limited');
    const id = agentId(AGENTS, 'limited');
    const { data } = await bundleWith(AGENTS, 'the edge', ({ edges }) => edges.includes(`${A} ${id}`));
    const file = readPolicyFile(data['policy.json'] ?? '');
    const edge = file?.edges.find(({ to }) => to === id);
    expect({
      binding: edge?.binding,
      maxChildren: edge?.maxChildren,
      tokens: edge?.grants[0]?.tokens,
      originate: file?.agents.get(id)?.originate,
      replay: file?.agents.get(id)?.server?.replay,
    }).to.deep.equal({
      binding: 'Key',
      maxChildren: 3,
      tokens: { maxTtlSeconds: 30, maxUses: 2 },
      originate: false,
      replay: 'Shared',
    });
    await swarm().client.delete(DELEGATION_POLICY, { namespace: AGENTS, name: 'limits' });
    await swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name: 'limited' });
    await bundleWith(AGENTS, 'no such agent', ({ agents }) => !agents.includes(id));
  });

  it('has pods share what they remember of used tokens as soon as a second one is ready', async () => {
    const replayIs = (replay: string): Promise<Bundle> =>
      bundleWith(
        AGENTS,
        `replay ${replay}`,
        ({ data }) => readPolicyFile(data['policy.json'] ?? '')?.agents.get(B)?.server?.replay === replay,
      );
    for (const name of ['one', 'two']) await createPod(name);
    await markReady('one', true);
    const before = await replayIs('Memory');
    await markReady('two', true);
    expect((await replayIs('Shared')).claims.sequence).to.be.above(before.claims.sequence);
    await markReady('one', false);
    await replayIs('Memory');
  });

  it('has a revocation where it concerns somebody, and keeps it when the object is deleted', async () => {
    const [, , before] = await versions();
    const stolen: KubeObject & { spec: object } = {
      metadata: { name: 'stolen', namespace: AGENTS },
      spec: { agent: 'coordinator', ttlAfterExpiry: '0s' },
    };
    await swarm().client.create(TOKEN_REVOCATION, stolen);
    for (const namespace of [AGENTS, DATA]) {
      const { revocations } = await bundleWith(
        namespace,
        'the revocation',
        (bundle) => bundle.revocations?.revocations.length === 1,
      );
      expect(revocations?.revocations[0]).to.include({ agent: A, namespace: AGENTS });
    }
    const status = await eventually('Ready', async () => {
      const { status } = await swarm().client.get<TokenRevocation & KubeObject>(TOKEN_REVOCATION, {
        namespace: AGENTS,
        name: 'stolen',
      });
      return (
        status?.conditions?.some(({ type, reason }) => type === 'Ready' && reason === 'Published') && status
      );
    });
    expect(Date.parse(status.expiresAt ?? '') - Date.parse(status.issuedBefore ?? '')).to.equal(3_930_000);
    await swarm().client.delete(TOKEN_REVOCATION, { namespace: AGENTS, name: 'stolen' });
    const { claims } = await bundleOf(DATA);
    await controlPlane().kubectl(['annotate', 'aid', 'analyst', '-n', DATA, 'x=y']);
    await controlPlane().kubectl([
      'patch',
      'aid',
      'analyst',
      '-n',
      DATA,
      '--type=merge',
      '-p',
      '{"spec":{"tokens":{"maxChildren":3}}}',
    ]);
    const later = await bundleWith(
      DATA,
      'a later sequence',
      (bundle) => bundle.claims.sequence > claims.sequence,
    );
    expect(later.revocations?.revocations).to.have.length(1);
    expect((await versions())[2]).to.equal(before);
  });

  it('names an agent that is cut off', async () => {
    await controlPlane().kubectl([
      'patch',
      'aid',
      'coordinator',
      '-n',
      AGENTS,
      '--type=merge',
      '-p',
      '{"spec":{"suspended":true}}',
    ]);
    const secret = await swarm().secret('deployer-tls');
    expect(secret).to.not.equal(undefined);
    await eventually('it to be named in both', async () => {
      const files = await Promise.all([AGENTS, DATA].map(configMap));
      return files.every(
        (each) => readRevocationsFile(each?.data?.['revocations.json'] ?? '')?.suspended.join() === A,
      );
    });
    await controlPlane().kubectl([
      'patch',
      'aid',
      'coordinator',
      '-n',
      AGENTS,
      '--type=merge',
      '-p',
      '{"spec":{"suspended":false}}',
    ]);
    await swarm().ready('coordinator');
    for (const [namespace, count] of [
      [AGENTS, 2],
      [DATA, 3],
    ] as const)
      await bundleWith(
        namespace,
        'nobody cut off',
        ({ revocations, issuers }) => revocations?.suspended.length === 0 && issuers.length === count,
      );
  });

  it('is not written by a leader that finds it as it should be, with what was revoked before', async () => {
    await operator.stop();
    const before = await versions();
    operator = await start();
    await swarm().createAgent('witness', SPEC, OTHER);
    await bundleWith(OTHER, 'the new agent', ({ issuers }) => issuers.length === 2);
    expect((await versions()).slice(0, 2)).to.deep.equal(before.slice(0, 2));
    expect((await bundleOf(DATA)).revocations?.revocations).to.have.length(1);
  });

  it('is mended when somebody alters it, and an event says so', async () => {
    const { data } = await bundleOf(OTHER);
    const patch = JSON.stringify({
      data: { 'policy.json': data['policy.json']?.replace('"originate":true', '"originate":false') },
    });
    await controlPlane().kubectl([
      'patch',
      'configmap',
      BUNDLE_NAME,
      '-n',
      OTHER,
      '--type=merge',
      '-p',
      patch,
    ]);
    const mended = await bundleWith(
      OTHER,
      'its own text',
      (bundle) => bundle.data['policy.json'] === data['policy.json'],
    );
    expect(mended.data).to.deep.equal(data);
    await eventually('the event', async () => {
      const { items } = await swarm().client.list<KubeObject & { reason: string; note: string }>(EVENT, {
        namespace: OTHER,
      });
      return items.some(
        ({ reason, note }) => reason === 'BundleTampered' && note.includes('not what agent-trust has signed'),
      );
    });
  });
});
