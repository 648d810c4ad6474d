/** What the API server alone says to who asks an issuer that signs for the operator. */

import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { ensureCertificateRequestCrd } from '../../../hack/cert-manager-crds/cert-manager-crds.ts';
import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { create, mergePatch, type Request } from '../../support/admission/request.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { AGENTS } from '../../support/swarm.ts';
import { CONTROLLER, ELSEWHERE, OUTSIDER, usePoliciesWorld } from './policies-world.ts';

describe('the admission policy on listed issuers', () => {
  const LIST = ['get', 'certificaterequests.cert-manager.io', '--all-namespaces'];
  const controlPlane = useControlPlane({ controllerManager: true });
  const world = usePoliciesWorld(controlPlane, {
    prepare: async () => {
      const stdin = await readFile(await ensureCertificateRequestCrd(), 'utf8');
      await controlPlane().kubectl(['create', '--filename=-'], { stdin });
      await eventually('CertificateRequests to be served', async () => {
        const { exitStatus } = await controlPlane().kubectl(LIST, { mayFail: true });
        return exitStatus === 0;
      });
    },
    set: [
      'certManager.issuers[0].name=agents-ca',
      'certManager.issuers[1].name=local-ca',
      'certManager.issuers[1].kind=Issuer',
      'certManager.issuers[2].name=pca',
      'certManager.issuers[2].kind=AWSPCAClusterIssuer',
      'certManager.issuers[2].group=awspca.cert-manager.io',
    ],
    refused: { request: request({ name: 'local-ca' }, OPERATOR_NAMESPACE), by: 'policy agent-trust-issuers' },
  });

  function request(issuerRef: object, namespace: string = AGENTS): Request {
    return create({
      kind: 'CertificateRequest',
      metadata: { name: 'new', namespace },
      spec: { request: 'eA==', issuerRef },
    });
  }

  const LISTED: readonly (readonly [object, string, string])[] = [
    [{ name: 'agents-ca', kind: 'ClusterIssuer' }, AGENTS, 'ClusterIssuer agents-ca'],
    [
      { name: 'agents-ca', kind: 'ClusterIssuer', group: 'cert-manager.io' },
      ELSEWHERE,
      'ClusterIssuer agents-ca',
    ],
    [
      { name: 'pca', kind: 'AWSPCAClusterIssuer', group: 'awspca.cert-manager.io' },
      AGENTS,
      'AWSPCAClusterIssuer pca',
    ],
    [{ name: 'agents-ca', kind: 'ClusterIssuer', group: '' }, AGENTS, 'ClusterIssuer agents-ca'],
    [{ name: 'local-ca' }, OPERATOR_NAMESPACE, 'Issuer local-ca'],
    [{ name: 'local-ca', kind: '' }, OPERATOR_NAMESPACE, 'Issuer local-ca'],
  ];
  for (const [issuerRef, namespace, issuer] of LISTED) {
    it(`rejects a request for ${JSON.stringify(issuerRef)} in ${namespace} but from the controller`, async () => {
      const rejection = {
        policy: 'issuers',
        says: `spec.issuerRef: ${issuer} signs for agent-trust alone. Use another issuer, or take this one out of certManager.issuers of the chart`,
      };
      await world().rejects(request(issuerRef, namespace), undefined, rejection);
      await world().rejects(request(issuerRef, namespace), OUTSIDER, rejection);
      await world().accepts(request(issuerRef, namespace), CONTROLLER);
    });
  }

  it('accepts requests for others', async () => {
    await world().accepts(request({ name: 'another', kind: 'ClusterIssuer' }));
    await world().accepts(request({ name: 'agents-ca', kind: 'ClusterIssuer', group: 'example.org' }));
    await world().accepts(request({ name: 'agents-ca' }));
    await world().accepts(request({ name: 'local-ca', kind: 'Issuer' }));
  });

  it('rejects to have a request ask for something else, whoever has made it', async () => {
    const metadata = { name: 'earlier', namespace: OPERATOR_NAMESPACE };
    const spec = { request: 'eA==', issuerRef: { name: 'local-ca' } };
    await world().create([{ kind: 'CertificateRequest', metadata, spec }], CONTROLLER);
    const edit = mergePatch({ kind: 'CertificateRequest', ...metadata }, { spec: { request: 'eXk=' } });
    expect(await world().asks(edit)).to.include({ by: 'policy agent-trust-issuers' });
  });

  it('accepts that cert-manager writes on with what the controller asked', async () => {
    const metadata = { name: 'ours', namespace: OPERATOR_NAMESPACE };
    const spec = { request: 'eA==', issuerRef: { name: 'local-ca' } };
    await world().create([{ kind: 'CertificateRequest', metadata, spec }], CONTROLLER);
    const target = { kind: 'CertificateRequest', ...metadata };
    await world().accepts(mergePatch(target, { metadata: { annotations: { 'cert-manager.io/x': 'y' } } }));
  });
});
