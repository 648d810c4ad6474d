/** The values of the chart: what is refused, and what becomes of the others. */

import { expect } from 'chai';
import { parse } from 'yaml';
import { parseConfig } from '../../src/cmd/config.ts';
import { parseWebhookConfig } from '../../src/cmd/webhook-config.ts';
import { AGENTS, CHART, DATA, helm, OWN, podOf } from '../support/chart.ts';

describe('the values of the chart', () => {
  const REFUSED = [
    ['namespaces=ai-agents', "at '/namespaces': got string, want array"],
    ['namespaces={A_b}', "'A_b' does not match pattern"],
    ['namespaces={a,a}', "at '/namespaces': items at 0 and 1 are equal"],
    [
      'namespaces={kube-system}',
      'namespaces: kube-system is a namespace of Kubernetes and holds no agents: take it out of the list',
    ],
    [
      `namespaces={${OWN}}`,
      `namespaces: ${OWN} is the operator's own namespace and holds no agents: take it out of the list`,
    ],
    [
      'namespaces={istio-system}',
      'namespaces: istio-system is the root namespace of the mesh (mesh.rootNamespace) and holds no agents: take it out of the list',
    ],
    [
      'clusterWide=true,namespaces={a}',
      'clusterWide and namespaces exclude each other: leave namespaces empty, or set clusterWide to false',
    ],
    ['clusterWide=yes', "at '/clusterWide': got string, want boolean"],
    ['namespace=a', "additional properties 'namespace' not allowed"],
    ['replicas=-1', "at '/replicas': minimum: got -1, want 0"],
    ['replicas=17', "at '/replicas': maximum: got 17, want 16"],
    ['replicas=two', "at '/replicas': got string, want integer"],
    ['trustDomain=Bad_', "at '/trustDomain': 'Bad_' does not match pattern"],
    ['clusterDomain=a..b', "at '/clusterDomain': 'a..b' does not match pattern"],
    ['logLevel=loud', "at '/logLevel': value must be one of 'debug', 'info', 'warn', 'error'"],
    ['workers=0', "at '/workers': minimum: got 0, want 1"],
    ['workers=65', "at '/workers': maximum: got 65, want 64"],
    ['image.repository=', "at '/image/repository': minLength: got 0, want 1"],
    ['image.digest=sha256:12', "at '/image/digest': 'sha256:12' does not match pattern"],
    [
      'image.pullPolicy=Sometimes',
      "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
    ],
    ['boundary.required=yes', "at '/boundary/required': got string, want boolean"],
    ['webhook.replicas=17', "at '/webhook/replicas': maximum: got 17, want 16"],
    ['webhook.port=443', "at '/webhook/port': minimum: got 443, want 1,024"],
    ['webhook.allowedFrom={10.0.0.1}', "at '/webhook/allowedFrom/0': '10.0.0.1' does not match pattern"],
    ['webhook.wanted=true', "at '/webhook': additional properties 'wanted' not allowed"],
    ['admissionPolicies.enabled=yes', "at '/admissionPolicies/enabled': got string, want boolean"],
    ['mesh.enforceInjection=yes', "at '/mesh/enforceInjection': got string, want boolean"],
    ['certManager.issuers={ca}', "at '/certManager/issuers/0': got string, want object"],
    ['certManager.issuers[0].kind=Issuer', "at '/certManager/issuers/0': missing property 'name'"],
    [
      "certManager.issuers[0].name=ca,certManager.issuers[0].kind=a'b",
      "at '/certManager/issuers/0/kind': 'a\\'b' does not match pattern",
    ],
    [
      'certManager.issuers[0].name=ca,certManager.issuers[0].ca=secret',
      "at '/certManager/issuers/0/ca': 'secret' does not match pattern",
    ],
    [
      'certManager.issuers[0].name=ca,certManager.issuers[0].former=soon',
      "at '/certManager/issuers/0/former': got string, want boolean",
    ],
    [
      'certManager.issuers[0].name=ca,admissionPolicies.enabled=false',
      'certManager.issuers: issuers are listed and admissionPolicies.enabled is false; without policy agent-trust-issuers anybody who may create a CertificateRequest gets a certificate that every agent trusts, in the name of any agent: set admissionPolicies.enabled to true, or leave certManager.issuers empty',
    ],
    ['authority.secretName=A', "at '/authority/secretName': 'A' does not match pattern"],
    ['authority.secretName=agent-trust-ca', "at '/authority/secretName': 'not' failed"],
    ['authority.key=RSA-2048', "at '/authority/key': value must be one of 'ECDSA-P256', 'ECDSA-P384'"],
    ['crds.wanted=true', "at '/crds': additional properties 'wanted' not allowed"],
    ['alerts.enabled=yes', "at '/alerts/enabled': got string, want boolean"],
    ['alerts.wanted=true', "at '/alerts': additional properties 'wanted' not allowed"],
    ['alerts.certificateLeftSeconds=1h', "at '/alerts/certificateLeftSeconds': got string, want integer"],
    ['alerts.labels.release=1', "at '/alerts/labels/release': got number, want string"],
    ['metrics.port=0', "at '/metrics/port': minimum: got 0, want 1"],
    ['leaderElection.leaseDuration=15', "at '/leaderElection/leaseDuration': got number, want string"],
  ] as const;
  for (const [value, message] of REFUSED) {
    it(`refuses ${value}`, async () => {
      const { exitStatus, stderr } = await helm(
        'template',
        'agent-trust',
        CHART,
        `--namespace=${OWN}`,
        `--set=${value}`,
      );
      expect(stderr).to.contain(message);
      expect(exitStatus).to.equal(1);
    });
  }

  const ACCEPTED = [
    [`namespaces={${AGENTS},${DATA}}`, { namespaces: [AGENTS, DATA] }],
    ['clusterWide=true', { namespaces: '*' }],
    ['trustDomain=example.org', { trustDomain: 'example.org', namespaces: [] }],
    ['workers=8', { workers: 8 }],
    ['leaderElection.leaseDuration=1m', { leaseDurationMs: 60_000 }],
    ['metrics.port=9090', { httpPort: 9090 }],
    ['logLevel=debug', { logLevel: 'debug' }],
    ['boundary.required=true', { boundaryRequired: true }],
    ['authority.secretName=corporate-ca', { authoritySecretName: 'corporate-ca' }],
    ['authority.secretName=', { authoritySecretName: undefined }],
    [
      'authority.key=ECDSA-P384',
      { authority: { lifeMs: 2_592_000_000, acceleration: 1, reissuePerSecond: 20, keySize: 384 } },
    ],
  ] as const;
  for (const [value, wanted] of ACCEPTED) {
    it(`turns ${value} into flags that the controller takes`, async () => {
      const { containers } = await podOf('agent-trust-controller', value);
      const parsed = parseConfig(containers[0]?.args ?? []);
      expect(parsed.kind === 'config' && parsed.config).to.deep.include(wanted);
    });
  }

  const OF_WEBHOOK = [
    [`namespaces={${AGENTS},${DATA}}`, { namespaces: [AGENTS, DATA], webhookPort: 8443 }],
    ['clusterWide=true', { namespaces: '*' }],
    ['webhook.port=9443', { webhookPort: 9443 }],
    ['metrics.port=9090', { httpPort: 9090 }],
    ['logLevel=debug', { logLevel: 'debug' }],
    ['boundary.required=true', { boundaryRequired: true }],
    ['clusterDomain=example.org', { clusterDomain: 'example.org' }],
  ] as const;
  for (const [value, wanted] of OF_WEBHOOK) {
    it(`turns ${value} into flags that the webhook takes`, async () => {
      const { containers } = await podOf('agent-trust-webhook', value);
      const parsed = parseWebhookConfig(containers[0]?.args ?? []);
      expect(parsed.kind === 'config' && parsed.config).to.deep.include(wanted);
    });
  }

  it('closes the port of the webhook to all but webhook.allowedFrom', async () => {
    const { stdout } = await helm(
      'template',
      'agent-trust',
      CHART,
      `--namespace=${OWN}`,
      '--set=webhook.allowedFrom={10.0.0.1/32,fd00::1/128}',
      '--show-only=templates/webhook/networkpolicy.yaml',
    );
    const { spec } = parse(stdout);
    expect(spec.ingress).to.deep.equal([
      {
        ports: [{ port: 8443, protocol: 'TCP' }],
        from: [{ ipBlock: { cidr: '10.0.0.1/32' } }, { ipBlock: { cidr: 'fd00::1/128' } }],
      },
      { ports: [{ port: 8080, protocol: 'TCP' }] },
    ]);
  });
});
