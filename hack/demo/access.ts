/** The cluster as its administrator sees it: kubectl, and a client for what must be quick. */

import { join } from 'node:path';
import { KubeClient } from '../../src/kube/client.ts';
import { loadCredentials } from '../../src/kube/credentials.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { Transport } from '../../src/kube/transport.ts';
import { CommandError } from '../control-plane/command-error.ts';
import { type KubectlOptions, type KubectlResult, runKubectl } from '../control-plane/kubectl.ts';
import type { ServiceAccountName } from '../control-plane/service-account.ts';

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
const PRODUCT = { name: 'agent-trust-demo', version: '0' };

/**
 * Reads the kubeconfig; nothing is sent yet.
 *
 * @throws CommandError `NO_CREDENTIALS` when the kubeconfig cannot be used.
 */
export async function openAccess(options: AccessOptions): Promise<Access> {
  try {
    const credentials = await loadCredentials({ kubeconfig: options.kubeconfigPath });
    return new Access(options, new Transport({ credentials, product: PRODUCT, connections: CONNECTIONS }));
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
  readonly #transports: Transport[];

  constructor(options: AccessOptions, transport: Transport) {
    this.client = new KubeClient({ transport, fieldManager: 'agent-trust-demo' });
    this.kubeconfigPath = options.kubeconfigPath;
    this.#options = options;
    this.#transports = [transport];
  }

  /** Runs kubectl; see {@link runKubectl}. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult> {
    const { kubectl: program, kubeconfigPath, directory } = this.#options;
    const context = { program, kubeconfigPath, cacheDirectory: join(directory, 'kubectl-cache') };
    return runKubectl(context, args, options);
  }

  /**
   * Takes a token of ten minutes for a ServiceAccount, as somebody would who stole it, and gives a client that has
   * nothing else.
   */
  async steal({ namespace, name }: ServiceAccountName): Promise<KubeClient> {
    const args = ['create', 'token', name, `--namespace=${namespace}`, '--duration=10m'];
    const token = (await this.kubectl(args)).stdout.trim();
    const { server, tls } = await loadCredentials({ kubeconfig: this.kubeconfigPath });
    const { cert: _cert, key: _key, ...serverTls } = tls;
    const credentials = {
      server,
      tls: serverTls,
      namespace: undefined,
      bearerToken: async () => token,
      invalidate: () => {},
    };
    const transport = new Transport({ credentials, product: PRODUCT, connections: 1 });
    this.#transports.push(transport);
    return new KubeClient({ transport, fieldManager: 'somebody-else' });
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }
}
