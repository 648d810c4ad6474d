/** The Secret of an identity as it is written. */

import { combinedPem } from '../../crypto/pem.ts';
import { SECRET_KEYS, SECRET_TYPE } from '../../domain/certificate/facts.ts';
import type { SecretFrame, SecretKind } from '../../domain/certificate/secret-frame.ts';
import type { Secret } from './secret.ts';

/** The PEM texts that go into it. */
export interface SecretPems {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly bundlePem: string;
}

/** A Secret with a certificate. */
export function secretObject(
  frame: SecretFrame,
  { certificatePem, privateKeyPem, bundlePem }: SecretPems,
): Secret {
  return framedSecret(frame, SECRET_TYPE, {
    [SECRET_KEYS.certificate]: certificatePem,
    [SECRET_KEYS.privateKey]: privateKeyPem,
    [SECRET_KEYS.trustBundle]: bundlePem,
    [SECRET_KEYS.combined]: combinedPem(certificatePem, privateKeyPem),
  });
}

/** All of a Secret; for an overwrite the fenced writer adds what others own of the metadata. */
export function framedSecret(
  { namespace, name, labels, annotations, ownerReference }: SecretFrame,
  type: SecretKind['type'],
  texts: Readonly<Record<string, string>>,
): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace,
      labels,
      annotations,
      ownerReferences: [{ ...ownerReference, controller: true }],
    },
    type,
    data: Object.fromEntries(
      Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    ),
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
