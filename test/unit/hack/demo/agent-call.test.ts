/** The demo's calls say no where they should: a demo that cannot fail shows nothing. */

import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import {
  AgentServer,
  callAgent,
  callAsStranger,
  type Destination,
} from '../../../../hack/demo/agent-call.ts';
import type { AgentFiles } from '../../../../hack/demo/agent-files.ts';
import { generateKeyPair } from '../../../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../../../src/crypto/leaf.ts';
import { profile, type StoredAuthority, storedAuthority } from '../../crypto/fixture.ts';

const DEPLOYER = profile.spiffeId;
const COORDINATOR = 'spiffe://example.org/ns/ai-agents/sa/agent-coordinator';
const DNS_NAME = 'agent-deployer.ai-agents.svc';

/** What a promise rejects with; a success is an error too. */
async function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  );
}

describe('a call between agents', () => {
  const ours = storedAuthority({ nowMs: Date.now() });
  let server: AgentServer;
  let to: Destination;
  let coordinator: AgentFiles;

  before(async () => {
    server = await AgentServer.start({ files: await filesOf(ours, DEPLOYER), accepts: COORDINATOR });
    to = { port: server.port, dnsName: DNS_NAME, spiffeId: DEPLOYER };
    coordinator = await filesOf(ours, COORDINATOR);
  });
  after(() => server.stop());

  async function filesOf(authority: StoredAuthority, spiffeId: string): Promise<AgentFiles> {
    const second = Math.floor(Date.now() / 1000) * 1000;
    const validity = { notBeforeMs: second - 60_000, notAfterMs: second + 60_000 };
    const keyPair = await generateKeyPair(profile.key);
    const leaf = new LeafSigner(authority).issueLeaf({ ...profile, spiffeId }, validity, keyPair);
    return { cert: leaf.certificatePem, key: leaf.privateKeyPem, ca: ours.certificatePem };
  }

  it('is answered when both are who the other expects', async () => {
    expect(await callAgent(coordinator, to, COORDINATOR)).to.be.greaterThan(0);
  });

  it('is refused by the client when the server is another agent', async () => {
    const elsewhere = { ...to, spiffeId: 'spiffe://example.org/ns/ai-agents/sa/agent-writer' };
    expect(await caught(callAgent(coordinator, elsewhere, COORDINATOR))).to.include({
      expected: `the server to be ${elsewhere.spiffeId}`,
      seen: DEPLOYER,
    });
  });

  it('is refused by the client when the server has another DNS name', async () => {
    const elsewhere = { ...to, dnsName: 'agent-writer.ai-agents.svc' };
    expect(await caught(callAgent(coordinator, elsewhere, COORDINATOR))).to.have.property(
      'code',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
  });

  it('is refused by the server when the caller is another agent', async () => {
    const writer = await filesOf(ours, 'spiffe://example.org/ns/ai-agents/sa/agent-writer');
    expect(await caught(callAgent(writer, to, COORDINATOR))).to.include({
      seen: 'status 403 {"caller":"spiffe://example.org/ns/ai-agents/sa/agent-writer"}',
    });
  });

  it('does not reach the agent with a certificate of another authority', async () => {
    const callsBefore = server.calls;
    const stranger = await filesOf(storedAuthority({ nowMs: Date.now() }), COORDINATOR);
    expect(await caught(callAgent(stranger, to, COORDINATOR))).to.be.instanceOf(Error);
    expect(server.calls).to.equal(callsBefore);
  });

  it('does not reach the agent without a certificate, and says why', async () => {
    const callsBefore = server.calls;
    expect(await callAsStranger(ours.certificatePem, to)).to.equal('certificate required');
    expect(server.calls).to.equal(callsBefore);
  });

  it('notices a server that takes strangers', async () => {
    const open = createServer(await filesOf(ours, DEPLOYER), (_request, response) => response.end('welcome'));
    open.listen(0, '127.0.0.1');
    await once(open, 'listening');
    const { port } = open.address() as AddressInfo;
    try {
      const error = await caught(callAsStranger(ours.certificatePem, { ...to, port }));
      expect(error).to.include({ expected: 'a TLS alert', seen: 'an answer' });
    } finally {
      open.closeAllConnections();
      open.close();
    }
  });
});
