import { expect } from 'chai';
import { judgeMounts, type MountFacts, podsWithoutFiles } from '../../../../src/domain/pod/mounted.ts';

const WANTED = {
  serviceAccountName: 'agent-deployer',
  wantedSecrets: ['agent-deployer-tls', 'agent-deployer-signing'],
};

function pod(name: string, traits: Partial<MountFacts> = {}): MountFacts {
  return {
    name,
    labels: { 'agenttrust.dev/identity': 'agent-deployer' },
    secrets: ['other', 'agent-deployer-tls', 'agent-deployer-signing'],
    lacksLists: false,
    workload: 'deployment/deployer',
    ...traits,
  };
}

describe('judgeMounts', () => {
  it('says nothing where no pod runs', () => {
    expect(judgeMounts(WANTED, [])).to.equal(undefined);
  });

  it('accepts pods with label and files, whoever put them there', () => {
    expect(judgeMounts(WANTED, [pod('a'), pod('b')])).to.deep.equal({
      reason: 'Mounted',
      message: 'Every pod that runs as this agent has its label and its files.',
    });
  });

  it('rejects a pod without label, one without files, and one without both', () => {
    const pods = [
      pod('both', { labels: { 'agenttrust.dev/identity': 'agent-writer' }, secrets: [] }),
      pod('as-it-should-be'),
      pod('label', { labels: {} }),
      pod('files', { secrets: ['agent-writer-tls'], workload: 'statefulset/db' }),
    ];
    expect(judgeMounts(WANTED, pods)).to.deep.equal({
      reason: 'NotMounted',
      message:
        '3 of 4 pods came past the webhook, or were there before this identity or this version: both (without label agenttrust.dev/identity and a volume with Secrets agent-deployer-tls and agent-deployer-signing), files (without a volume with Secrets agent-deployer-tls and agent-deployer-signing), label (without label agenttrust.dev/identity). Restart: kubectl rollout restart deployment/deployer; kubectl rollout restart statefulset/db.',
    });
  });

  it('rejects a pod with the volume that an earlier version gave it', () => {
    expect(judgeMounts(WANTED, [pod('a', { secrets: ['agent-deployer-tls'] })])?.message).to.equal(
      '1 of 1 pods came past the webhook, or were there before this identity or this version: a (without a volume with Secret agent-deployer-signing). Restart: kubectl rollout restart deployment/deployer.',
    );
  });

  it('rejects a pod whose volume has no lists of revoked certificates', () => {
    expect(judgeMounts(WANTED, [pod('a', { lacksLists: true })])?.message).to.equal(
      '1 of 1 pods came past the webhook, or were there before this identity or this version: a (without ca.crl in the volume with the bundle). Restart: kubectl rollout restart deployment/deployer.',
    );
  });

  it('names at most three pods', () => {
    const pods = ['e', 'd', 'c', 'b', 'a'].map((name) => pod(name, { labels: {}, workload: undefined }));
    expect(judgeMounts(WANTED, pods)?.message).to.equal(
      '5 of 5 pods came past the webhook, or were there before this identity or this version: a (without label agenttrust.dev/identity), b (without label agenttrust.dev/identity), c (without label agenttrust.dev/identity) and 2 more. Restart: kubectl delete pod, and create it again.',
    );
  });
});

describe('podsWithoutFiles', () => {
  it('gives those that lack something, and no others', () => {
    const pods = [pod('a'), pod('b', { labels: {} }), pod('c', { secrets: [] })];
    expect(podsWithoutFiles(WANTED, pods).map(({ name }) => name)).to.deep.equal(['b', 'c']);
  });
});
