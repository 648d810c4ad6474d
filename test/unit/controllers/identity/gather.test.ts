/** What is gathered of an identity, from caches that a loopback server has filled. */

import { expect } from 'chai';
import type { AgentIdentity } from '../../../../src/api/agent-identity.ts';
import { readyAuthority } from '../../../../src/controllers/authority/authority-record.ts';
import { ClusterView } from '../../../../src/controllers/cluster-view.ts';
import { gatherIdentity, seeIdentity } from '../../../../src/controllers/identity/gather.ts';
import { KnownContents } from '../../../../src/controllers/identity/known-contents.ts';
import { framedSecret } from '../../../../src/controllers/identity/secret-object.ts';
import type { SecretJudge, SecretRecord } from '../../../../src/controllers/identity/secret-record.ts';
import { secretFrame } from '../../../../src/controllers/identity/wish.ts';
import type { VerifyingAuthority } from '../../../../src/crypto/signing-authority.ts';
import { KubeClient } from '../../../../src/kube/client.ts';
import { json } from '../../../support/loopback-server.ts';
import { startLoopback } from '../../../support/loopback-transport.ts';
import { issuedLeaf, secretData, storedAuthority } from '../../crypto/fixture.ts';

const AGENTS = 'ai-agents';
const AUTHORITY = storedAuthority();
const LEAF = await issuedLeaf(AUTHORITY);
const IDENTITY: AgentIdentity = {
  metadata: {
    ...{ name: 'agent-deployer', namespace: AGENTS, uid: 'uid-1', resourceVersion: '1' },
    ...{ generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
  },
  spec: {},
};

/** The Secrets of the agent, listed while some are trusted, and gathered when others are. */
async function gather(
  names: readonly string[],
  { listed, gathered }: Readonly<Record<'listed' | 'gathered', readonly VerifyingAuthority[]>>,
): Promise<readonly SecretRecord[]> {
  const texts = Object.entries(secretData(LEAF, AUTHORITY.certificatePem)).map(
    ([key, bytes]) => [key, bytes.toString()] as const,
  );
  const ids = { uid: 'uid-2', resourceVersion: '7' };
  const secrets = names.map((name) => {
    const secret = framedSecret(secretFrame(IDENTITY, name), 'kubernetes.io/tls', Object.fromEntries(texts));
    return { ...secret, metadata: { ...secret.metadata, ...ids } };
  });
  const account = { metadata: { name: 'agent-deployer', namespace: AGENTS, ...ids } };
  const lists: Readonly<Record<string, readonly object[]>> = {
    agentidentities: [IDENTITY],
    serviceaccounts: [account],
    secrets,
  };
  const loopback = await startLoopback(
    (response, request) => {
      const items = lists[request.path.split('/').at(-1) ?? ''] ?? [];
      if (request.query['watch'] === '1')
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      else json(200, { metadata: { resourceVersion: '9' }, items })(response, request);
    },
    { tls: false },
  );
  let trusted = listed;
  const judge: SecretJudge = { trusted: () => trusted, known: new KnownContents() };
  const client = new KubeClient({ transport: loopback.transport, fieldManager: 'test' });
  const view = new ClusterView({
    ...{ cache: { client }, namespaces: [AGENTS], operatorNamespace: 'agent-trust-system', judge },
  });
  const stop = new AbortController();
  const caches = [view.identities, view.serviceAccounts, ...view.caches()];
  const running = Promise.all(caches.map((each) => each.start(stop.signal)));
  try {
    await Promise.all(caches.map((each) => each.synced()));
    trusted = gathered;
    const seen = seeIdentity({ view }, `${AGENTS}/agent-deployer`);
    const ready = readyAuthority([AUTHORITY]);
    if (seen === undefined || ready === undefined) throw new Error('the fixture is incomplete');
    const ports = { view, client, judge, authority: () => ready, contested: new Set<string>() };
    const inputs = await gatherIdentity(ports, seen, stop.signal);
    if (inputs.kind === 'not-yet') throw new Error('the caches are not there');
    return [inputs.secret, ...inputs.outdated].filter((each) => each !== undefined);
  } finally {
    stop.abort();
    await running;
    await loopback.close();
  }
}

function signersOf(secrets: readonly SecretRecord[]): object {
  return Object.fromEntries(
    secrets.map(({ metadata, facts }) => {
      const { certificate } = facts.content;
      return [metadata.name, certificate.kind === 'certificate' ? certificate.authorityId : undefined];
    }),
  );
}

describe('gatherIdentity', () => {
  it('verifies every Secret by who is trusted now, also one under a former name', async () => {
    const names = ['agent-deployer-tls', 'former-tls'];
    const [none, all] = [[], [AUTHORITY]];
    expect([
      signersOf(await gather(names, { listed: none, gathered: all })),
      signersOf(await gather(names, { listed: all, gathered: none })),
    ]).to.deep.equal([
      { 'agent-deployer-tls': AUTHORITY.id, 'former-tls': AUTHORITY.id },
      { 'agent-deployer-tls': undefined, 'former-tls': undefined },
    ]);
  });
});
