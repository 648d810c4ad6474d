/** Kubeconfig files, written as JSON (which is YAML too) with everything in one file. */

import type { KeyPair } from './pki.ts';

/** The one server and the one user of a kubeconfig. */
export interface KubeconfigOptions {
  readonly server: string;
  /** Root of the server's certificate, PEM. */
  readonly ca: string;
  readonly user: string;
  readonly credentials: KeyPair;
}

/** Text of a kubeconfig with one context, named after the user. */
export function kubeconfig({ server, ca, user, credentials }: KubeconfigOptions): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(credentials.certificate),
          'client-key-data': base64(credentials.privateKey),
        },
      },
    ],
    contexts: [{ name: user, context: { cluster: 'local', user } }],
    'current-context': user,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
