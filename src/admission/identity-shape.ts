/** The shape of an AgentIdentity that code expects. */

import type { AgentIdentity } from '../api/agent-identity.ts';
import { isNumber, isText, isTruth, listOf, mapOf, objectOf } from '../domain/admission/shape.ts';
import { isCapability, isMetadata } from './wish-shape.ts';

const isCertificate = objectOf(
  {},
  {
    secretName: isText,
    duration: isText,
    renewBefore: isText,
    privateKey: objectOf({}, { algorithm: isText, size: isNumber }),
    dnsNames: listOf(isText),
    secretTemplate: objectOf({}, { labels: mapOf(isText), annotations: mapOf(isText) }),
  },
);
const isServer = objectOf(
  {},
  {
    port: isNumber,
    routes: listOf(objectOf({ method: isText, path: isText }, { capability: isText })),
    mcp: objectOf({}, { path: isText }),
  },
);
const isCaller = objectOf(
  { serviceAccounts: listOf(isText), ports: listOf(isNumber) },
  { methods: listOf(isText), paths: listOf(isText) },
);
const isIdentity = objectOf({
  metadata: isMetadata,
  spec: objectOf(
    {},
    {
      serviceAccountName: isText,
      suspended: isTruth,
      enforcement: isText,
      capabilities: listOf(isCapability),
      acceptFrom: listOf(objectOf({ namespace: isText }, { agents: listOf(isText) })),
      tokens: objectOf({}, { maxTTL: isText, maxUses: isNumber, originate: isText }),
      certificate: isCertificate,
      signingKey: objectOf({}, { secretName: isText, algorithm: isText, rotationInterval: isText }),
      server: isServer,
      callers: listOf(isCaller),
    },
  ),
});

/** Whether an object can be read as one. */
export function isIdentityShape(value: unknown): value is AgentIdentity {
  return isIdentity(value);
}
