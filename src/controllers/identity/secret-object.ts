/** The Secret of an identity as it is written. */

import { combinedPem } from '../../crypto/pem.ts';
import { SECRET_KEYS, SECRET_TYPE } from '../../domain/certificate/facts.ts';
import type { SecretWish } from '../../domain/certificate/repair.ts';
import type { Secret } from './secret.ts';

/** The PEM texts that go into it. */
export interface SecretPems {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly bundlePem: string;
}

/** All of the Secret; for an overwrite the fenced writer adds what others own of the metadata. */
export function secretObject(
  wish: SecretWish,
  { certificatePem, privateKeyPem, bundlePem }: SecretPems,
): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: wish.name,
      namespace: wish.namespace,
      labels: wish.labels,
      annotations: wish.annotations,
      ownerReferences: [{ ...wish.ownerReference, controller: true }],
    },
    type: SECRET_TYPE,
    data: {
      [SECRET_KEYS.certificate]: base64(certificatePem),
      [SECRET_KEYS.privateKey]: base64(privateKeyPem),
      [SECRET_KEYS.trustBundle]: base64(bundlePem),
      [SECRET_KEYS.combined]: base64(combinedPem(certificatePem, privateKeyPem)),
    },
  };
}

/** The same Secret without anything in it: what is left when a finalizer of somebody keeps it from going. */
export function emptiedSecret(secret: Secret): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: secret.metadata,
    ...(secret.type === undefined ? {} : { type: secret.type }),
    // The API server wants both keys in a Secret of this type, empty or not.
    data: secret.type === SECRET_TYPE ? { [SECRET_KEYS.certificate]: '', [SECRET_KEYS.privateKey]: '' } : {},
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
