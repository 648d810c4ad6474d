/** The reviewer with a real cache of identities, filled by a loopback server. */

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { reviewPod } from '../../../src/admission/pod.ts';
import type { AdmissionAnswer, AdmissionRequest } from '../../../src/admission/review.ts';
import { IdentityView } from '../../../src/cluster/identity-view.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { json } from '../../support/loopback-server.ts';
import { type Loopback, startLoopback } from '../../support/loopback-transport.ts';
import { ACCOUNT, container, podOf, type SentPod, VOLUME } from '../../support/pod-fixture.ts';
import { ACCEPTED } from '../../support/pod-shapes.ts';

const AGENTS = 'ai-agents';
const LABEL = 'agenttrust.dev/identity';

interface Traits {
  readonly namespace?: string;
  readonly createdAt?: string;
  readonly deletedAt?: string;
  readonly spec?: object;
}

function identity(name: string, traits: Traits = {}): object {
  const { namespace = AGENTS, createdAt = '2026-01-01T00:00:00Z', deletedAt, spec = {} } = traits;
  const metadata = {
    name,
    namespace,
    uid: `uid-${name}`,
    resourceVersion: '7',
    generation: 1,
    creationTimestamp: createdAt,
    ...(deletedAt === undefined ? {} : { deletionTimestamp: deletedAt }),
  };
  return { metadata, spec };
}

function creation(pod: SentPod, namespace = AGENTS): AdmissionRequest {
  return { uid: 'u-1', operation: 'CREATE', namespace, object: pod };
}

/** A pod of another account, with a label. */
function stranger(label?: string, account?: string): SentPod {
  const { spec } = podOf();
  const { serviceAccountName: _, ...rest } = spec;
  return {
    metadata: label === undefined ? {} : { labels: { [LABEL]: label } },
    spec: account === undefined ? rest : { ...rest, serviceAccountName: account },
  };
}

/** The Secret in the volume that is put in. */
function secretOf(answer: AdmissionAnswer): string | undefined {
  if (answer.kind !== 'allowed') return undefined;
  const text = JSON.stringify(answer.patch ?? []);
  return /"secret":\{"name":"([^"]+)"/.exec(text)?.[1];
}

describe('reviewPod', () => {
  let loopback: Loopback;
  let stop: AbortController;
  let running: Promise<void>;

  function viewOf(): IdentityView {
    return new IdentityView({
      cache: { client: new KubeClient({ transport: loopback.transport, fieldManager: 'test' }) },
      namespaces: [AGENTS],
      operatorNamespace: 'agent-trust-system',
    });
  }

  /** A reviewer that knows these identities. */
  async function reviewer(items: readonly object[]): Promise<(request: AdmissionRequest) => AdmissionAnswer> {
    loopback = await startLoopback(
      (response, request) => {
        if (request.query['watch'] === '1') {
          response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        } else json(200, { metadata: { resourceVersion: '9' }, items })(response, request);
      },
      { tls: false },
    );
    stop = new AbortController();
    const view = viewOf();
    running = view.identities.start(stop.signal);
    await view.identities.synced();
    return reviewPod({ view });
  }

  afterEach(async () => {
    stop.abort();
    await running;
    await loopback.close();
  });

  it('gives a pod of an agent its files, of the Secrets that the agent names', async () => {
    const review = await reviewer([
      identity('deployer', {
        spec: {
          serviceAccountName: ACCOUNT,
          certificate: { secretName: 'agent-deployer-tls' },
          signingKey: { secretName: 'agent-deployer-signing' },
        },
      }),
    ]);
    const [shape] = ACCEPTED;
    const answer = review(creation(podOf()));
    expect(answer).to.deep.equal({
      kind: 'allowed',
      patch: Object.entries(shape?.patch ?? {}).map(([path, value]) => ({ op: 'add', path, value })),
    });
  });

  it('gives nothing to one that has everything', async () => {
    const review = await reviewer([identity(ACCOUNT)]);
    const shape = ACCEPTED.find(({ patch }) => Object.keys(patch).length === 0);
    expect(review(creation(shape?.pod ?? podOf()))).to.deep.equal({ kind: 'allowed' });
  });

  it('takes the oldest of several identities on an account, and none that is being deleted', async () => {
    const spec = { serviceAccountName: ACCOUNT };
    const review = await reviewer([
      identity('younger', { spec, createdAt: '2026-01-03T00:00:00Z' }),
      identity('older', { spec, createdAt: '2026-01-02T00:00:00Z' }),
      identity('oldest', { spec, deletedAt: '2026-01-04T00:00:00Z' }),
    ]);
    expect(secretOf(review(creation(podOf())))).to.equal('older-tls');
  });

  it('leaves pods of an agent alone whose only identity is being deleted', async () => {
    const review = await reviewer([identity(ACCOUNT, { deletedAt: '2026-01-04T00:00:00Z' })]);
    expect(review(creation(podOf()))).to.deep.equal({ kind: 'allowed' });
  });

  it('leaves pods alone where the operator keeps no Secrets', async () => {
    const review = await reviewer([
      identity(ACCOUNT, { namespace: 'elsewhere' }),
      identity(ACCOUNT, { namespace: 'agent-trust-system' }),
    ]);
    for (const namespace of ['elsewhere', 'agent-trust-system', 'kube-system']) {
      expect(review(creation(podOf(), namespace))).to.deep.equal({ kind: 'allowed' });
    }
  });

  it('warns that a pod of a suspended agent waits, and gives it the files all the same', async () => {
    const review = await reviewer([identity(ACCOUNT, { spec: { suspended: true } })]);
    const answer = review(creation(podOf()));
    expect(answer.warnings).to.deep.equal([
      'agent ai-agents/agent-deployer is suspended: this pod waits for Secret agent-deployer-tls and starts by itself once that is lifted',
    ]);
    expect(secretOf(answer)).to.equal('agent-deployer-tls');
  });

  it('keeps the warning within what is shown of it', async () => {
    const long = 'a'.repeat(40);
    const spec = {
      serviceAccountName: ACCOUNT,
      suspended: true,
      certificate: { secretName: 's'.repeat(63) },
    };
    const review = await reviewer([identity(long, { spec })]);
    expect(review(creation(podOf())).warnings?.[0]?.length).to.be.lessThan(257);
  });

  it('rejects a pod of an agent that cannot get its files, and says all that is in the way', async () => {
    const review = await reviewer([identity(ACCOUNT)]);
    const pod = podOf({ hostNetwork: true, volumes: [{ ...VOLUME, projected: {} }] });
    expect(review(creation(pod))).to.deep.equal({
      kind: 'refused',
      message: [
        'this pod runs as agent ai-agents/agent-deployer and cannot get its files',
        '  spec.hostNetwork is true, and no wall around an agent reaches the network of a node. Take it out, or run the pod as a ServiceAccount that is no agent.',
        '  spec.volumes[0] is called agent-trust, the name of the volume with the files of the agent. Take it out if it holds them, since they are mounted by themselves; else give it another name.',
      ].join('\n'),
    });
  });

  it('tells what is in the pod without what a terminal would obey, and not without end', async () => {
    const review = await reviewer([identity(ACCOUNT)]);
    const names = Array.from({ length: 40 }, (_, index) => `\u001b[2J\n${index}`);
    const annotations = { 'agenttrust.dev/containers': names.join() };
    const env = names.map(() => ({ name: 'AGENT_TRUST_DIR', value: 'x' }));
    const listed = review(creation(podOf({}, { annotations })));
    const many = review(creation(podOf({ containers: [container('a'.repeat(5_000), { env })] })));
    const { message: short = '' } = listed as { readonly message?: string };
    const { message: long = '' } = many as { readonly message?: string };
    expect(short).to.contain('names ?[2J?0, ?[2J?1, ').and.to.contain(' and 32 more, which');
    expect(short.split('\n').length).to.equal(2);
    expect(long.split('\n').map(({ length }) => length > 1_002)).to.deep.equal(Array(18).fill(false));
    expect(long).to.match(/\n {2}and 24 more$/);
  });

  for (const [what, pod] of [
    ['of no account', stranger()],
    ['of an account that is no agent', stranger(undefined, 'web')],
    ['with the label of its own account, which is no agent', stranger('web', 'web')],
    ['of no account on the network of the node', podOf({ hostNetwork: true, serviceAccountName: undefined })],
  ] as const) {
    it(`accepts a pod ${what} as it is`, async () => {
      const review = await reviewer([identity(ACCOUNT)]);
      expect(review(creation(pod))).to.deep.equal({ kind: 'allowed' });
    });
  }

  for (const account of [undefined, '', 'default', 'web']) {
    it(`rejects the label of an agent on a pod of account ${account}`, async () => {
      const review = await reviewer([identity(ACCOUNT)]);
      expect(review(creation(stranger(ACCOUNT, account)))).to.deep.equal({
        kind: 'refused',
        message: `metadata.labels[agenttrust.dev/identity] is "agent-deployer", and the pod runs as ServiceAccount ${account || 'default'}, which is no agent. Take the label out, or run the pod as the ServiceAccount of the agent: the label is then put there by itself.`,
      });
    });
  }

  it('takes no account called default for an agent', async () => {
    const review = await reviewer([identity('default')]);
    expect(review(creation(podOf({ serviceAccountName: 'default' })))).to.deep.equal({ kind: 'allowed' });
  });

  it('accepts everything but creations', async () => {
    const review = await reviewer([identity(ACCOUNT)]);
    for (const operation of ['UPDATE', 'DELETE', 'CONNECT'] as const) {
      expect(review({ ...creation(podOf({ hostNetwork: true })), operation })).to.deep.equal({
        kind: 'allowed',
      });
    }
  });

  it('refuses while it does not know the identities, but not pods without an account', async () => {
    await reviewer([]);
    const review = reviewPod({ view: viewOf() });
    expect(review(creation(podOf()))).to.deep.equal({
      kind: 'refused',
      message:
        'it is not known yet whether this pod runs as an agent: the AgentIdentities are not listed. Try again in a moment.',
    });
    expect(review(creation(stranger()))).to.deep.equal({ kind: 'allowed' });
  });

  it('decides in well under a millisecond', async () => {
    const identities = Array.from({ length: 5_000 }, (_, index) => identity(`agent-${index}`));
    const review = await reviewer([...identities, identity(ACCOUNT)]);
    const request = creation(podOf());
    const took = cpuMs(() => {
      for (let round = 0; round < 1_000; round++) review(request);
    });
    expect(took).to.be.lessThan(500);
  });
});
