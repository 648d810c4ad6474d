/** The Secret of an authority, as an operator would have written it. */

import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import type { CreatedAuthority } from '../../../src/crypto/authority.ts';

/** With one generation. */
export function authoritySecret({ id, certificatePem, privateKeyPem }: CreatedAuthority): Secret {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'agent-trust-ca',
      namespace: OPERATOR_NAMESPACE,
      labels: { 'agenttrust.dev/managed': 'true' },
    },
    type: 'agenttrust.dev/authority',
    data: { [`${id}.crt`]: base64(certificatePem), [`${id}.key`]: base64(privateKeyPem) },
  };
}
