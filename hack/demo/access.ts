/** The cluster as its administrator sees it: kubectl, and a client for what must be quick. */

import { join } from 'node:path';
import { KubeClient } from '../../src/kube/client.ts';
import { loadCredentials } from '../../src/kube/credentials.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { Transport } from '../../src/kube/transport.ts';
import { CommandError } from '../control-plane/command-error.ts';
import { type KubectlOptions, type KubectlResult, runKubectl } from '../control-plane/kubectl.ts';

/** Where the cluster is. */
export interface AccessOptions {
  /** Absolute path of kubectl. */
  readonly kubectl: string;
  /** Its current context is the one that is used. */
  readonly kubeconfigPath: string;
  /** The demo's folder; kubectl caches there. */
  readonly directory: string;
}

const CONNECTIONS = 4;

/**
 * Reads the kubeconfig; nothing is sent yet.
 *
 * @throws CommandError `NO_CREDENTIALS` when the kubeconfig cannot be used.
 */
export async function openAccess(options: AccessOptions): Promise<Access> {
  try {
    const credentials = await loadCredentials({ kubeconfig: options.kubeconfigPath });
    const product = { name: 'agent-trust-demo', version: '0' };
    return new Access(options, new Transport({ credentials, product, connections: CONNECTIONS }));
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NO_CREDENTIALS')) throw error;
    throw new CommandError('NO_CREDENTIALS', error.message);
  }
}

/** Use {@link openAccess}. */
export class Access {
  readonly client: KubeClient;
  readonly kubeconfigPath: string;
  readonly #options: AccessOptions;
  readonly #transport: Transport;

  constructor(options: AccessOptions, transport: Transport) {
    this.client = new KubeClient({ transport, fieldManager: 'agent-trust-demo' });
    this.kubeconfigPath = options.kubeconfigPath;
    this.#options = options;
    this.#transport = transport;
  }

  /** Runs kubectl; see {@link runKubectl}. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult> {
    const { kubectl: program, kubeconfigPath, directory } = this.#options;
    const context = { program, kubeconfigPath, cacheDirectory: join(directory, 'kubectl-cache') };
    return runKubectl(context, args, options);
  }

  /** Ends the connections. */
  close(): Promise<void> {
    return this.#transport.close();
  }
}
