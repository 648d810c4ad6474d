/** What pods of an agent are made of in tests, and word by word what they get. */

import type { ContainerShape, PodShape } from '../../src/domain/pod/shape.ts';

/** A pod as somebody sends it, with the fields that only the API server looks at. */
export interface SentPod {
  readonly metadata: NonNullable<PodShape['metadata']> & Readonly<Record<string, unknown>>;
  readonly spec: NonNullable<PodShape['spec']> & Readonly<Record<string, unknown>>;
}

/** ServiceAccount and Secrets of the agent that all of them run as. */
export const ACCOUNT = 'agent-deployer';
export const SECRET = 'agent-deployer-tls';
export const SIGNING_SECRET = 'agent-deployer-signing';

/** The volume, word by word. */
export const VOLUME: Readonly<Record<string, unknown>> & { readonly name: string } = {
  name: 'agent-trust',
  projected: {
    defaultMode: 288,
    sources: [
      {
        secret: {
          name: SECRET,
          optional: false,
          items: [
            { key: 'tls.crt', path: 'tls/tls.crt' },
            { key: 'tls.key', path: 'tls/tls.key' },
            { key: 'ca.crt', path: 'tls/ca.crt' },
            { key: 'tls-combined.pem', path: 'tls/tls-combined.pem' },
          ],
        },
      },
      {
        secret: {
          name: SIGNING_SECRET,
          optional: false,
          items: [
            { key: 'signing.key', path: 'signing/signing.key' },
            { key: 'signing.kid', path: 'signing/signing.kid' },
            { key: 'signing-keys.json', path: 'signing/signing-keys.json' },
          ],
        },
      },
      {
        configMap: {
          name: 'agent-trust-bundle',
          optional: false,
          items: [
            { key: 'ca.crt', path: 'bundle/ca.crt' },
            { key: 'ca.crl', path: 'bundle/ca.crl' },
            { key: 'jwks.json', path: 'bundle/jwks.json' },
            { key: 'policy.json', path: 'bundle/policy.json' },
            { key: 'revocations.json', path: 'bundle/revocations.json' },
            { key: 'bundle.jws', path: 'bundle/bundle.jws' },
          ],
        },
      },
      ...[1, 2, 3].map((part) => ({
        configMap: {
          name: `agent-trust-bundle-${part}`,
          optional: true,
          items: [
            { key: `jwks-${part}.json`, path: `bundle/jwks-${part}.json` },
            { key: `policy-${part}.json`, path: `bundle/policy-${part}.json` },
          ],
        },
      })),
    ],
  },
};
/** The mount and the variable. */
export const MOUNT = { name: 'agent-trust', mountPath: '/var/run/agent-trust', readOnly: true } as const;
export const ENV = { name: 'AGENT_TRUST_DIR', value: '/var/run/agent-trust' } as const;

/** A container that could run. */
export function container(name: string, fields: object = {}): ContainerShape {
  return { name, image: 'example.org/none', ...fields } as ContainerShape;
}

/** A pod of the agent with one container, but for what is given. */
export function podOf(spec: object = {}, metadata: object = {}): SentPod {
  return {
    metadata: { ...metadata },
    spec: { serviceAccountName: ACCOUNT, containers: [container('agent')], ...spec },
  };
}
