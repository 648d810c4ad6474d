/** The view with a real cache, filled by a loopback server. */

import { expect } from 'chai';
import { DelegationView } from '../../../src/cluster/delegation-view.ts';
import { IdentityView } from '../../../src/cluster/identity-view.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { json } from '../../support/loopback-server.ts';
import { type Loopback, startLoopback } from '../../support/loopback-transport.ts';

const metadata = {
  name: 'one',
  namespace: 'ai-agents',
  uid: 'uid-one',
  resourceVersion: '7',
  generation: 1,
  creationTimestamp: '2026-01-01T00:00:00Z',
  annotations: { 'agenttrust.dev/renew-before': 'now', 'example.org/note': 'x' },
  managedFields: [{}],
};
const ITEM = { metadata, spec: { suspended: true }, status: { reason: 'Suspended' } };

describe('IdentityView and DelegationView', () => {
  let loopback: Loopback;
  let stop: AbortController;
  let running: Promise<unknown>;

  beforeEach(async () => {
    stop = new AbortController();
    loopback = await startLoopback(
      (response, request) => {
        if (request.query['watch'] === '1') {
          response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        } else json(200, { metadata: { resourceVersion: '9' }, items: [ITEM] })(response, request);
      },
      { tls: false },
    );
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await loopback.close();
  });

  async function kept(options: { readonly keepsStatus?: boolean }): Promise<readonly unknown[]> {
    const cache = { client: new KubeClient({ transport: loopback.transport, fieldManager: 'test' }) };
    const view = new IdentityView({ cache, namespaces: '*', operatorNamespace: 'system', ...options });
    const { policies } = new DelegationView({ cache, ...options });
    running = Promise.all([view.identities.start(stop.signal), policies.start(stop.signal)]);
    await Promise.all([view.identities.synced(), policies.synced()]);
    return [...view.identities.values(), ...policies.values()];
  }

  const { annotations, managedFields: _, ...used } = metadata;
  const own = { 'agenttrust.dev/renew-before': annotations['agenttrust.dev/renew-before'] };
  const { spec, status } = ITEM;

  it('keep of an object what is used', async () => {
    expect(await kept({})).to.deep.equal([
      { metadata: { ...used, annotations: own }, spec, status },
      { metadata: used, spec, status },
    ]);
  });

  it('leave statuses out for whoever reads none', async () => {
    expect(await kept({ keepsStatus: false })).to.deep.equal([
      { metadata: { ...used, annotations: own }, spec },
      { metadata: used, spec },
    ]);
  });
});
