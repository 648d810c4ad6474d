/** cert-manager's definition of CertificateRequests, from the Go module that go.mod beside this file names. */

import { fileURLToPath } from 'node:url';
import { ensureGoModuleFile } from '../control-plane/go-module-file.ts';

/**
 * Fetches the definition unless it is there already.
 *
 * @returns the absolute path of a YAML file.
 * @throws what {@link ensureGoModuleFile} throws.
 */
export async function ensureCertificateRequestCrd(): Promise<string> {
  return ensureGoModuleFile({
    name: 'cert-manager-crds',
    folder: fileURLToPath(new URL('.', import.meta.url)),
    module: 'github.com/cert-manager/cert-manager',
    file: 'deploy/crds/cert-manager.io_certificaterequests.yaml',
  });
}
