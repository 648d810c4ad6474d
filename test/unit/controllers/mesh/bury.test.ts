import { expect } from 'chai';
import { buryObjects } from '../../../../src/controllers/mesh/bury.ts';
import type { PolicyObject } from '../../../../src/controllers/mesh/digest.ts';
import type { MeshPorts } from '../../../../src/controllers/mesh/mesh-ports.ts';
import { networkPolicyRecord, type PolicyRecord } from '../../../../src/controllers/mesh/policy-record.ts';
import { tombstonePlan } from '../../../../src/controllers/mesh/wanted.ts';

const AGENT = { namespace: 'ai-agents', name: 'mortal', serviceAccountName: 'mortal-sa' };
const KEY = 'ai-agents/mortal';

/** A cluster without a mesh: one NetworkPolicy of an agent that is gone, and the pods that run as it. */
class Graveyard {
  /** What the cache of pods shows. */
  seenPods: readonly object[] = [{}];
  /** Of the pods on the server. */
  podCount = 1;
  /** Called before each write. */
  beforeWrite: () => void = () => undefined;
  stored: PolicyObject | undefined;

  readonly ports = {
    view: { governed: () => ({}), identities: { hasSynced: true, get: () => undefined, byIndex: () => [] } },
    mesh: {
      servesIstio: false,
      kinds: () => [],
      waypointOf: () => undefined,
      podsOf: () => this.seenPods,
      scope: () => ({
        networkPolicies: {
          state: 'synced',
          get: () => this.record,
          observe: () => undefined,
          observeDeleted: () => undefined,
        },
        authorizationPolicies: { state: 'refused', current: undefined },
        peerAuthentications: { state: 'refused', current: undefined },
        services: { state: 'synced' },
        pods: { hasSynced: true },
      }),
    },
    namespaces: { get: () => undefined },
    settings: { trustDomain: 'cluster.local', authorizerProvider: undefined },
    client: {
      find: async ({ kind }: { readonly kind: string }) =>
        kind === 'NetworkPolicy' ? this.stored : undefined,
      replace: async (_type: object, object: PolicyObject) => this.write(object),
      delete: async () => this.write(undefined),
      listPage: async () => ({ items: Array.from({ length: this.podCount }, () => ({})) }),
    },
  } as unknown as MeshPorts;

  constructor() {
    const { net } = tombstonePlan(this.ports, AGENT).objects;
    if (net === undefined) throw new Error('there is always a NetworkPolicy');
    const labels = { 'agenttrust.dev/managed': 'true', 'agenttrust.dev/agent': AGENT.name };
    this.stored = { ...net, metadata: { ...net.metadata, labels } };
  }

  private get record(): PolicyRecord | undefined {
    return this.stored && networkPolicyRecord(this.stored);
  }

  private write(object: PolicyObject | undefined): PolicyObject | undefined {
    this.beforeWrite();
    this.stored = object;
    return object;
  }

  isTombstone(): boolean {
    return this.stored?.metadata.labels?.['agenttrust.dev/tombstone'] === 'true';
  }
}

function bury({ ports }: Graveyard): ReturnType<typeof buryObjects> {
  return buryObjects(ports, KEY, AbortSignal.timeout(10_000));
}

describe('buryObjects', () => {
  it('leaves a tombstone as long as a pod runs as the agent', async () => {
    const graveyard = new Graveyard();
    expect(await bury(graveyard)).to.equal('stands');
    expect(graveyard.isTombstone()).to.equal(true);
  });

  it('looks again when the last pod ends while the tombstone is written: its end woke nobody', async () => {
    const graveyard = new Graveyard();
    graveyard.beforeWrite = () => {
      graveyard.seenPods = [];
      graveyard.podCount = 0;
    };
    expect(await bury(graveyard)).to.equal('not-yet');
    expect(await bury(graveyard)).to.equal('gone');
    expect(graveyard.stored).to.equal(undefined);
  });

  it('looks again as long as only the server knows of a pod', async () => {
    const graveyard = new Graveyard();
    graveyard.seenPods = [];
    expect(await bury(graveyard)).to.equal('not-yet');
    expect(graveyard.isTombstone()).to.equal(true);
  });

  it('removes everything after the last pod', async () => {
    const graveyard = new Graveyard();
    graveyard.seenPods = [];
    graveyard.podCount = 0;
    expect(await bury(graveyard)).to.equal('gone');
    expect(graveyard.stored).to.equal(undefined);
  });
});
