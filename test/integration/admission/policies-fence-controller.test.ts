/** What the controller may not write, with every right of RBAC: what its token is worth to a thief. */

import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import {
  create,
  type Manifest,
  type Request,
  remove,
  type Target,
  update,
} from '../../support/admission/request.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { applyIstioCrds } from '../../support/mesh/istio-crds.ts';
import { AGENTS } from '../../support/swarm.ts';
import { CONTROLLER, ELSEWHERE, usePoliciesWorld } from './policies-world.ts';

const MANAGED = { 'agenttrust.dev/managed': 'true' };
const TLS = 'kubernetes.io/tls';
const TOKEN = 'kubernetes.io/service-account-token';
const OWNER_UID = { 'agenttrust.dev/owner-uid': 'x' };

describe('the fence around the controller', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const world = usePoliciesWorld(controlPlane, { prepare: () => applyIstioCrds(controlPlane()) });

  describe('at Secrets', () => {
    const rejection = (says: string) => ({
      policy: 'fence-secrets',
      says: `the controller of agent-trust ${says}`,
    });
    const PLACE = rejection(
      'writes Secrets where agents live, and agent-trust-ca in its own namespace, and no others',
    );
    const TOKENS = rejection('writes no Secret with the token of a ServiceAccount');
    const KIND = rejection(
      'writes Secrets of type kubernetes.io/tls and agenttrust.dev/signing-key with the label agenttrust.dev/managed, and no others',
    );
    const THEIRS = rejection('writes and deletes no Secret of somebody else');

    function secret(
      type: string,
      metadata: Partial<Manifest['metadata']> = {},
      data: object = { 'tls.crt': 'eA==', 'tls.key': 'eA==' },
    ): Manifest {
      return {
        kind: 'Secret',
        metadata: { name: 'new', namespace: AGENTS, labels: MANAGED, ...metadata },
        type,
        data,
      };
    }

    function stored(name: string): Target {
      return { kind: 'Secret', namespace: AGENTS, name };
    }

    const EMPTY = { data: { 'tls.crt': '', 'tls.key': '' } };
    const MARK = { metadata: { labels: MANAGED } };
    const OTHER_CERTIFICATE = { data: { 'tls.crt': 'eQ==' } };

    before(() =>
      world().create([
        secret(TLS, { name: 'theirs', labels: {} }),
        secret('Opaque', { name: 'password', labels: {} }),
        secret('Opaque', {
          name: 'claimed',
          labels: {},
          annotations: OWNER_UID,
          finalizers: ['example.org/x'],
        }),
        secret(
          TOKEN,
          {
            name: 'token',
            labels: {},
            annotations: { ...OWNER_UID, 'kubernetes.io/service-account.name': 'default' },
          },
          {},
        ),
      ]),
    );

    it('rejects those of other types, of other namespaces and without our label', async () => {
      await world().accepts(create(secret(TLS)), CONTROLLER);
      await world().accepts(create(secret('agenttrust.dev/signing-key')), CONTROLLER);
      await world().rejects(create(secret('Opaque')), CONTROLLER, KIND);
      await world().rejects(create(secret('agenttrust.dev/authority')), CONTROLLER, KIND);
      await world().rejects(create(secret(TLS, { labels: {} })), CONTROLLER, KIND);
      for (const namespace of [ELSEWHERE, 'kube-system', OPERATOR_NAMESPACE]) {
        await world().rejects(create(secret(TLS, { namespace })), CONTROLLER, PLACE);
      }
    });

    it('rejects tokens of ServiceAccounts, above all of its own namespace', async () => {
      const annotations = { 'kubernetes.io/service-account.name': 'agent-trust-controller' };
      await world().rejects(
        create(secret(TOKEN, { namespace: OPERATOR_NAMESPACE, annotations }, {})),
        CONTROLLER,
        PLACE,
      );
      await world().rejects(
        create(secret(TOKEN, { annotations: { 'kubernetes.io/service-account.name': 'default' } }, {})),
        CONTROLLER,
        TOKENS,
      );
      const named = { name: 'agent-trust-ca', namespace: OPERATOR_NAMESPACE, annotations };
      await world().rejects(create(secret(TOKEN, named, {})), CONTROLLER, TOKENS);
      await world().rejects(remove(stored('token')), CONTROLLER, TOKENS);
    });

    it('accepts the authority, of its type and under its name alone', async () => {
      const metadata = { name: 'agent-trust-ca', namespace: OPERATOR_NAMESPACE };
      await world().accepts(create(secret('agenttrust.dev/authority', metadata)), CONTROLLER);
      await world().rejects(create(secret(TLS, metadata)), CONTROLLER, KIND);
      await world().rejects(
        create(secret('agenttrust.dev/authority', { ...metadata, name: 'agent-trust-ca-2' })),
        CONTROLLER,
        PLACE,
      );
    });

    it('rejects what others keep there', async () => {
      await world().rejects(update(stored('theirs'), { ...MARK, ...OTHER_CERTIFICATE }), CONTROLLER, THEIRS);
      await world().rejects(update(stored('password'), EMPTY), CONTROLLER, THEIRS);
      await world().rejects(remove(stored('password')), CONTROLLER, THEIRS);
    });

    it('accepts that a Secret which lost every mark of ours is mended around its certificate, or wiped', async () => {
      await world().accepts(update(stored('theirs'), MARK), CONTROLLER);
      await world().accepts(update(stored('theirs'), EMPTY), CONTROLLER);
      await world().accepts(remove(stored('theirs')), CONTROLLER);
    });

    it('accepts that a Secret of the wrong type under a mark of ours is let go and removed', async () => {
      await world().accepts(update(stored('claimed'), { metadata: { finalizers: [] } }), CONTROLLER);
      await world().accepts(remove(stored('claimed')), CONTROLLER);
      await world().rejects(update(stored('claimed'), { ...MARK, ...OTHER_CERTIFICATE }), CONTROLLER, KIND);
    });
  });

  it('at ConfigMaps accepts trust bundles and its own state, and no others', async () => {
    const place = {
      policy: 'fence-configmaps',
      says: 'the controller of agent-trust writes ConfigMap agent-trust-bundle where agents live, and its own state in its own namespace, and no others',
    };
    const map = (
      name: string,
      namespace: string = AGENTS,
      labels: Readonly<Record<string, string>> = MANAGED,
    ): Manifest => ({
      kind: 'ConfigMap',
      metadata: { name, namespace, labels },
      data: { 'ca.crt': 'x' },
    });
    for (const name of ['agent-trust-bundle', 'agent-trust-bundle-1', 'agent-trust-bundle-3']) {
      await world().accepts(create(map(name)), CONTROLLER);
    }
    for (const name of ['agent-trust-ledger-12', 'agent-trust-authority-state', 'agent-trust-issuers']) {
      await world().accepts(create(map(name, OPERATOR_NAMESPACE)), CONTROLLER);
    }
    await world().rejects(create(map('agent-trust-bundle', AGENTS, {})), CONTROLLER, {
      policy: 'fence-configmaps',
      says: 'the controller of agent-trust writes ConfigMaps with the label agenttrust.dev/managed, and no others',
    });
    for (const [name, namespace] of [
      ['agent-trust-bundle', ELSEWHERE],
      ['agent-trust-bundle-4', AGENTS],
      ['agent-trust-bundle-1', ELSEWHERE],
      ['agent-trust-bundle', OPERATOR_NAMESPACE],
      ['istio', 'default'],
      ['kube-root-ca.crt', AGENTS],
      ['agent-trust-ledger-x', OPERATOR_NAMESPACE],
      ['dashboards', OPERATOR_NAMESPACE],
      ['agent-trust-authority', OPERATOR_NAMESPACE],
    ] as const) {
      await world().rejects(create(map(name, namespace)), CONTROLLER, place);
    }
    await world().create([map('settings', AGENTS, {})]);
    await world().rejects(
      remove({ kind: 'ConfigMap', namespace: AGENTS, name: 'settings' }),
      CONTROLLER,
      place,
    );
  });

  const WALLS: readonly (readonly [string, string, string, string])[] = [
    ['NetworkPolicy', 'fence-networkpolicies', 'at-net-x-0', 'podSelector'],
    ['AuthorizationPolicy', 'fence-istio', 'at-allow-x-0', 'selector'],
    ['AuthorizationPolicy', 'fence-istio', 'at-dryfence-x-0', 'selector'],
    ['PeerAuthentication', 'fence-istio', 'at-mtls-x-0', 'selector'],
  ];
  for (const [kind, policy, name, selector] of WALLS) {
    it(`at ${kind} ${name} accepts our names before the pods of one agent, and no others`, async () => {
      const own = { [selector]: { matchLabels: { 'agenttrust.dev/identity': 'x' } } };
      const wall = (metadata: object, spec: object = own): Request =>
        create({ kind, metadata: { name, namespace: AGENTS, labels: MANAGED, ...metadata }, spec });
      const names = {
        policy,
        says: 'the controller of agent-trust writes policies of its own names where agents live, and no others',
      };
      const form = {
        policy,
        says: 'the controller of agent-trust writes policies with the label agenttrust.dev/managed that select the pods of one agent, and no others',
      };
      await world().accepts(wall({}), CONTROLLER);
      await world().rejects(wall({ name: 'default' }), CONTROLLER, names);
      await world().rejects(wall({ name: 'at-kill-x-0' }), CONTROLLER, names);
      await world().rejects(wall({ namespace: ELSEWHERE }), CONTROLLER, names);
      await world().rejects(wall({ labels: {} }), CONTROLLER, form);
      const everybody = kind === 'NetworkPolicy' ? { podSelector: {} } : {};
      await world().rejects(wall({}, everybody), CONTROLLER, form);
      await world().rejects(wall({}, { [selector]: { matchLabels: { app: 'x' } } }), CONTROLLER, form);
      await world().create([
        { kind, metadata: { name: `their-${name}`, namespace: AGENTS }, spec: own },
        { kind, metadata: { name, namespace: AGENTS }, spec: everybody },
      ]);
      await world().rejects(remove({ kind, namespace: AGENTS, name: `their-${name}` }), CONTROLLER, names);
      // Somebody took the name: it is taken over.
      await world().accepts(
        update({ kind, namespace: AGENTS, name }, { metadata: { labels: MANAGED }, spec: own }),
        CONTROLLER,
      );
      await world().accepts(remove({ kind, namespace: AGENTS, name }), CONTROLLER);
    });
  }

  it('at Leases accepts its own, and no others', async () => {
    const lease = (name: string, namespace: string): Request =>
      create({ kind: 'Lease', metadata: { name, namespace }, spec: {} });
    await world().accepts(lease('agent-trust-controller', OPERATOR_NAMESPACE), CONTROLLER);
    for (const [name, namespace] of [
      ['agent-trust-controller', AGENTS],
      ['kube-controller-manager', 'kube-system'],
      ['another', OPERATOR_NAMESPACE],
    ] as const) {
      await world().rejects(lease(name, namespace), CONTROLLER, {
        policy: 'fence-leases',
        says: 'the controller of agent-trust holds the Lease agent-trust-controller of its own namespace, and no other',
      });
    }
  });
});
