/** Agents that get no certificate for whatever reason hold no rotation up, and those that have one take part in it. */

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { ensureCertificateRequestCrd } from '../../../hack/cert-manager-crds/cert-manager-crds.ts';
import { installChart, OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { AGENT_IDENTITY } from '../../../src/api/group.ts';
import { AuthorityProbe, authorityNotes } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { liveCA, never, TestSigner } from '../../support/issuance/signer.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

/** Agents that are served, and then edited so that they get no other certificate; with what they say then. */
const EDITED: Readonly<Record<string, readonly [spec: AgentIdentity['spec'], reason: string]>> = {
  invalid: [{ certificate: { secretTemplate: { labels: { 'a b': 'x' } } } }, 'InvalidSpec'],
  misnamed: [{ certificate: { dnsNames: [`${'a'.repeat(64)}.${AGENTS}.svc`] } }, 'InvalidSpec'],
  unserved: [{ quarantine: { afterRefusals: 3 } }, 'NotServed'],
  namesake: [{ certificate: { dnsNames: [`served.${AGENTS}.svc`] } }, 'DNSNameTaken'],
  unlisted: [{ certificate: { issuerRef: { name: 'nobody' } } }, 'IssuerNotListed'],
  waiting: [{ certificate: { issuerRef: { name: 'silent' } } }, 'IssuerPending'],
};
/** What has to carry every generation. */
const HOLDERS = ['served', 'altered', ...Object.keys(EDITED)];
const FREE_REPAIRS = 6;
/** Settles within ten seconds: all agents are younger than that when the rotation begins, which must not matter. */
const PACE = ['--authority-life=8760h', '--authority-acceleration=60'];

describe('a rotation with agents that get no certificate', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;
  let signer: TestSigner;
  let authority: AuthorityProbe;

  before(async () => {
    const { client } = swarm();
    authority = new AuthorityProbe(client);
    const stdin = await readFile(await ensureCertificateRequestCrd(), 'utf8');
    await controlPlane().kubectl(['create', '--filename=-'], { stdin });
    await installChart({
      kubeconfigPath: controlPlane().kubeconfigPath,
      namespaces: [AGENTS],
      admission: 'policies',
      set: ['certManager.issuers[0].name=silent'],
    });
    // Past the policy that keeps others from Secrets of agents.
    await controlPlane().kubectl([
      'delete',
      'validatingadmissionpolicybinding',
      'agent-trust-managed-secrets',
    ]);
    const ca = liveCA('CA of an issuer that says nothing');
    await eventually('CertificateRequests to be served', async () => {
      const listed = await controlPlane().kubectl(['get', 'certificaterequests', '-A'], { mayFail: true });
      return listed.exitStatus === 0;
    });
    signer = new TestSigner(client, OPERATOR_NAMESPACE, { silent: ca });
    await signer.start();
    signer.behave('waiting', never);
    const issuers = JSON.stringify([{ name: 'silent', ca: ca.pem }]);
    const flags = [`--namespaces=${AGENTS}`, `--issuers=${issuers}`, ...PACE];
    operator = await startOperator({ controlPlane: controlPlane(), flags });
    for (const name of [...HOLDERS, 'suspended']) await swarm().createAgent(name);
    await swarm().createAgent('never-served', { quarantine: { afterRefusals: 3 } });
    for (const name of [...HOLDERS, 'suspended']) await swarm().ready(name);
  });
  after(async () => {
    await operator?.stop();
    await signer?.stop();
  });

  const edit = (name: string, spec: object): Promise<unknown> =>
    swarm().client.mergePatch(AGENT_IDENTITY, { namespace: AGENTS, name, patch: { spec } });

  async function serialOf(name: string): Promise<string> {
    const secret = await swarm().secret(`${name}-tls`);
    return new X509Certificate(Buffer.from(secret?.data?.['tls.crt'] ?? '', 'base64')).serialNumber;
  }

  /** Puts something into a Secret that does not belong there. */
  const spoil = (name: string): Promise<unknown> =>
    eventually(`Secret ${name} to be altered`, async () => {
      const { exitStatus } = await controlPlane().kubectl(
        ['patch', 'secret', name, `--namespace=${AGENTS}`, '--type=merge', '-p', '{"data":{"more":"eA=="}}'],
        { mayFail: true },
      );
      return exitStatus === 0;
    });

  it('takes along whoever holds one, and waits for nobody else', async () => {
    for (let repairs = 1; repairs <= FREE_REPAIRS; repairs++) {
      await spoil('altered-tls');
      await eventually('it to be mended', async () => {
        const secret = await swarm().secret('altered-tls');
        return secret?.data !== undefined && !Object.hasOwn(secret.data, 'more');
      });
    }
    await spoil('altered-tls');
    await swarm().ready('altered', 'RepairLoop');
    await edit('suspended', { suspended: true });
    await swarm().ready('suspended', 'Quarantined');
    for (const [name, [spec, reason]] of Object.entries(EDITED)) {
      await edit(name, spec);
      await swarm().ready(name, reason);
    }
    await swarm().ready('never-served', 'NotServed');
    const serials = new Map<string, string>();
    for (const name of Object.keys(EDITED)) serials.set(name, await serialOf(name));

    const { signing: first } = await authority.see();
    await authority.ask({ rotateBefore: new Date().toISOString() });
    const { generations } = await authority.until(
      'the next generation to be seen everywhere',
      (seen) => [...seen.generations.values()][1]?.seenSince !== undefined,
    );
    const [, second = ''] = generations.keys();
    // It settles for ten seconds from here on, before it signs.
    for (const name of HOLDERS)
      expect([name, (await authority.inSecret(`${name}-tls`)).carries.slice(0, 2)]).to.deep.equal([
        name,
        [first, second],
      ]);
    const { texts } = await authority.until('it to sign', ({ signing }) => signing === second);
    expect(texts['excluded']).to.equal(undefined);
    for (const [name, [, reason]] of Object.entries(EDITED)) {
      await swarm().ready(name, reason);
      expect([name, await serialOf(name)]).to.deep.equal([name, serials.get(name)]);
    }
    await eventually('the event', async () => {
      const notes = (await authorityNotes(swarm().client)).join('\n');
      expect(notes).to.contain(`AuthorityActivated: Generation ${second}`);
      expect(notes).to.not.contain('Excluded').and.not.contain('Forced');
      return true;
    });
  });
});
