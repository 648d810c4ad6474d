/** Istio's own kinds in the control plane of a test: their real schemas and validation rules, nothing that acts on them. */

import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { ControlPlane } from '../../../hack/control-plane/control-plane.ts';
import { ensureIstioCrds } from '../../../hack/istio-filters/istio-crds.ts';

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly group: string };
}

const SECURITY = 'security.istio.io';
const SERVED_TIMEOUT = '60s';

/** Applies the definitions of security.istio.io, and waits until the kinds are served. */
export async function applyIstioCrds(controlPlane: ControlPlane): Promise<void> {
  const text = readFileSync(await ensureIstioCrds(), 'utf8');
  const definitions = parseAllDocuments(text)
    .map((document) => document.toJS() as Definition | null)
    .filter((definition) => definition !== null && definition.spec.group === SECURITY);
  const names = definitions.map((definition) => `crd/${definition?.metadata.name}`);
  const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: definitions });
  await controlPlane.kubectl(['apply', '--server-side', '--filename', '-'], { stdin });
  await controlPlane.kubectl([
    'wait',
    '--for=condition=Established',
    `--timeout=${SERVED_TIMEOUT}`,
    ...names,
  ]);
}
