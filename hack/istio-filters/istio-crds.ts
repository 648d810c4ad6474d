/** Istio's CustomResourceDefinitions, from the Go module that the program beside this file is built with. */

import { fileURLToPath } from 'node:url';
import { ensureGoModuleFile } from '../control-plane/go-module-file.ts';

/**
 * Fetches the definitions unless they are there already.
 *
 * @returns the absolute path of a file of YAML documents.
 * @throws what {@link ensureGoModuleFile} throws.
 */
export async function ensureIstioCrds(): Promise<string> {
  return ensureGoModuleFile({
    name: 'istio-crds',
    folder: fileURLToPath(new URL('.', import.meta.url)),
    module: 'istio.io/api',
    file: 'kubernetes/customresourcedefinitions.gen.yaml',
  });
}
