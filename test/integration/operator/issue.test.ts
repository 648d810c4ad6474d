/** An AgentIdentity becomes a certificate, and goes again. */

import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { BUNDLE_NAME } from '../../../src/api/group.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

describe('an AgentIdentity', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;

  before(async () => {
    operator = await startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });
  });
  after(() => operator?.stop());

  it('becomes a Secret with certificate, key and bundle, and a status that says so', async () => {
    await swarm().createAgent('agent-deployer');
    const { status } = await swarm().ready('agent-deployer');
    const secret = await swarm().secret('agent-deployer-tls');
    const certificate = new X509Certificate(Buffer.from(secret?.data?.['tls.crt'] ?? '', 'base64'));
    expect(certificate.subjectAltName).to.equal(
      `URI:spiffe://cluster.local/ns/${AGENTS}/sa/agent-deployer, DNS:agent-deployer.${AGENTS}.svc, DNS:agent-deployer.${AGENTS}.svc.cluster.local`,
    );
    expect(Object.keys(secret?.data ?? {}).sort()).to.deep.equal([
      'ca.crt',
      'tls-combined.pem',
      'tls.crt',
      'tls.key',
    ]);
    expect(status?.certificate?.serialNumber).to.equal(certificate.serialNumber.toLowerCase());
    expect(status?.spiffeID).to.equal(`spiffe://cluster.local/ns/${AGENTS}/sa/agent-deployer`);
  });

  it('brings the trust bundle into its namespace', async () => {
    const bundle = await eventually('the bundle', () =>
      swarm().client.find<ConfigMap>(CONFIG_MAP, { namespace: AGENTS, name: BUNDLE_NAME }),
    );
    const secret = await swarm().secret('agent-deployer-tls');
    expect(bundle.data?.['ca.crt']).to.equal(
      Buffer.from(secret?.data?.['ca.crt'] ?? '', 'base64').toString(),
    );
  });
});
